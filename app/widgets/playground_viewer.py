"""Trajectories of the playground as frames to play and step through, with points to select."""

import hashlib
import html
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from app.widgets.media import is_dark, packed, text_of, viewer_page

# Without its own color scheme a dark page would put white behind the frame.
FRAME = """iframe {display:block; width:100%; height:0; border:0; visibility:hidden;
 color-scheme:normal}"""


def playground_viewer(trajectories: bytes | None) -> None:
    """A frame that shows :func:`packed_trajectories`; empty for None.

    It holds all steps: playing them and selecting points sends nothing to the server.
    """
    page = html.escape(viewer_page("playground_viewer.html"))
    frame = f'<iframe title="Training, step by step" srcdoc="{page}"></iframe>'
    name = f"playground_viewer_{'dark' if is_dark() else 'light'}"
    part = st.components.v2.component(
        name, html=frame, css=FRAME, js=text_of("playground_viewer.js")
    )
    part(data=trajectories, key="playground-viewer")


def packed_trajectories(
    spec: dict[str, Any], trajectories: Mapping[str, Any], selected: int
) -> bytes:
    """``spec`` (clmle.figures.playground_spec) as JSON, after 16 bytes of its hash."""
    first = next(iter(trajectories.values()))
    facts: dict[str, Any] = {
        "dim": first.problem.dim,
        "n": len(first.labels),
        "k": first.frames[0].neighbors.shape[1],
        "majority": int((first.labels == 0).sum()),
        "selected": int(selected),
        "titles": list(trajectories),
    }
    for name in ("neighbors", "clusters", "centroids"):
        arrays = [[getattr(f, name) for f in t.frames] for t in trajectories.values()]
        facts[name] = [None if own[0] is None else packed(np.stack(own)) for own in arrays]
    text = json.dumps({"figure": spec, "facts": facts}, default=_typed).encode()
    return hashlib.blake2b(text, digest_size=8).hexdigest().encode() + text


def _typed(value: Any) -> Any:
    """An array as plotly's typed array; a numpy number as a number."""
    if not isinstance(value, np.ndarray):
        return value.item()
    kind = {"f": "f4", "i": "i2"}[value.dtype.kind]
    shape = {"shape": ", ".join(map(str, value.shape))} if value.ndim > 1 else {}
    return {"dtype": kind, "bdata": packed(value, kind), **shape}
