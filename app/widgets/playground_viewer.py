"""Courses on the sphere as frames to play, step and scrub, and points to select."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from app.widgets.media import plotly_loader

PAGE = Path(__file__).with_suffix(".html")


# The frame stays on the page as long as the page does; each run hands it what it is to show.
HAND = """export default function({parentElement, data}) {
  const frame = parentElement.querySelector("iframe");
  const hand = () => frame.contentWindow.take && frame.contentWindow.take(data);
  frame.onload = hand;
  hand();
}"""
# Without a color scheme of its own a dark page would lay white behind the frame.
FRAME = """iframe {display:block; width:100%; height:0; border:0; visibility:hidden;
 color-scheme:normal}"""


def playground_viewer(courses: bytes | None) -> None:
    """The frame with controls of its own that shows :func:`packed_trajectories`; empty for None.

    All steps are in the page: playing them and selecting points asks nothing of the server.
    """
    dark = getattr(getattr(st.context, "theme", None), "type", "light") == "dark"
    values = {
        "ACCENTINK": "#0E1117" if dark else "#FFFFFF",
        "ACCENT": "#56B4E9" if dark else "#0072B2",
        "INK": "#FAFAFA" if dark else "#31333F",
        "PAPER": "#1b1e27" if dark else "#FFFFFF",
        "KEEPER": plotly_loader(),
    }
    page = PAGE.read_text(encoding="utf-8")
    for name, value in values.items():
        page = page.replace(name, value)
    frame = f'<iframe title="Training, step by step" srcdoc="{html.escape(page)}"></iframe>'
    name = "sphere_viewer_dark" if dark else "playground_viewer"
    part = st.components.v2.component(name, html=frame, css=FRAME, js=HAND)
    part(data=courses, key="sphere-viewer")


def packed_trajectories(spec: dict[str, Any], courses: Mapping[str, Any], selected: int) -> bytes:
    """``spec`` (clmle.figures.playground_spec of ``courses``) for the frame, after 16 bytes of hash."""
    first = next(iter(courses.values()))
    frames = [c.frames for c in courses.values()]
    facts = {
        "dim": first.problem.dim,
        "n": len(first.labels),
        "k": first.frames[0].neighbors.shape[1],
        "majority": int((first.labels == 0).sum()),
        "selected": int(selected),
        "titles": list(courses),
        "neighbors": [_packed([f.neighbors for f in own]) for own in frames],
        "clusters": [_packed([f.clusters for f in own]) for own in frames],
        "centroids": [_packed([f.centroids for f in own]) for own in frames],
    }
    text = json.dumps({"figure": spec, "facts": facts}, default=_typed).encode()
    return hashlib.blake2b(text, digest_size=8).hexdigest().encode() + text


def _packed(arrays: list[np.ndarray | None]) -> str | None:
    """Arrays of all frames in one base64 text; None where the method has none."""
    here = [a for a in arrays if a is not None]
    return base64.b64encode(np.stack(here).tobytes()).decode() if here else None


def _typed(value: Any) -> Any:
    """An array as plotly's typed array; a numpy number as a number."""
    if not isinstance(value, np.ndarray):
        return value.item()
    kind = {"f": "f4", "i": "i2"}[value.dtype.kind]
    data = base64.b64encode(np.ascontiguousarray(value, dtype=kind).tobytes()).decode()
    shape = {"shape": ", ".join(map(str, value.shape))} if value.ndim > 1 else {}
    return {"dtype": kind, "bdata": data, **shape}
