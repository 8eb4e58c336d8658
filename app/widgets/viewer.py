"""A scatter in which every point shows its face: by hovering, touching, or the arrow keys.

A slider moves the points from round to round, a lasso gathers them, a click says why one was
judged as it was; all of it in the browser (viewer.html), without asking the server.
"""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

MOST_ACROSS = 6000  # pixels of the picture that holds all faces: larger ones browsers refuse
PAGE = (Path(__file__).parent / "viewer.html").read_text(encoding="utf-8")


def face_scatter(
    figure: Any,
    images: np.ndarray,
    texts: list[str],
    *,
    label: str,
    frames: Sequence[tuple[str, np.ndarray]] = (),
    groups: Sequence[str] = (),
    why: Mapping[str, Any] | None = None,
) -> None:
    """Show ``figure`` (customdata is the row) with ``images`` (n, H, W, C) and ``texts`` (n,).

    ``frames`` (title, (n, 2)) are places to which a slider moves the points, the figure showing
    the first; ``groups`` (n,) are counted in a selection. ``why`` explains a point that is
    clicked: ``scores`` (n, C) of ``classes`` (C,), and where there are clusters ``near`` (n, N)
    and ``similarity`` (n, N), with ``clusters`` {number: (class name, rows of some members)}.
    """
    from plotly.offline import get_plotlyjs

    images = _thumbnails(images)
    atlas, across = _atlas(images)
    dark = getattr(st.context.theme, "type", "light") == "dark"
    facts = {
        "figure": json.loads(figure.to_json()),
        "texts": texts,
        "groups": list(groups),
        "frames": [
            {"title": title, "x": _short(points[:, 0]), "y": _short(points[:, 1])}
            for title, points in frames
        ],
        "why": why,
        "across": across,
        "side": [images.shape[2], images.shape[1]],
        "atlas": atlas,
    }
    values = {
        "INK": "#FAFAFA" if dark else "#31333F",
        "PAPER": "#1b1e27" if dark else "#FFFFFF",
        "LABEL": html.escape(label, quote=True),
        "FACTS": json.dumps(facts).replace("<", "\\u003c"),
    }
    page = PAGE
    for name, value in values.items():
        page = page.replace(name, value, -1 if name in ("INK", "PAPER") else 1)
    page = page.replace("LIBRARY", get_plotlyjs(), 1)
    st.iframe(page)  # as high as its content: panels stand on each other on a phone


def _short(values: np.ndarray) -> list[float]:
    return [round(float(v), 3) for v in values]


def _thumbnails(images: np.ndarray) -> np.ndarray:
    """Images (n, H, W, C) small enough for all of them to stand in one picture."""
    across = int(np.ceil(np.sqrt(len(images))))
    times = -(-across * max(images.shape[1:3]) // MOST_ACROSS)
    return images[:, ::times, ::times] if times > 1 else images


def _atlas(images: np.ndarray) -> tuple[str, int]:
    """All images in one picture, as a data address, and how many stand in a row."""
    from PIL import Image

    across = int(np.ceil(np.sqrt(len(images))))
    n, height, width, channels = images.shape
    sheet = np.zeros((-(-n // across) * height, across * width, channels), dtype=np.uint8)
    for i, image in enumerate(images):
        y, x = i // across * height, i % across * width
        sheet[y : y + height, x : x + width] = image
    buffer = io.BytesIO()
    Image.fromarray(sheet if channels == 3 else sheet[..., 0]).save(buffer, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode(), across
