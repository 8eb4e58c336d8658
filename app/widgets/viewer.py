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

from app.widgets.media import plotly_loader, served

MOST_SIDE = 4096  # pixels of a sheet of faces: larger ones browsers refuse
PAGE = (Path(__file__).parent / "viewer.html").read_text(encoding="utf-8")


def face_scatter(
    figure: Any,
    sheets: Sequence[tuple[int, bytes]],
    side: tuple[int, int],
    texts: list[str],
    *,
    label: str,
    frames: Sequence[tuple[str, np.ndarray]],
    groups: Sequence[str] = (),
    why: Mapping[str, Any] | None = None,
) -> None:
    """Show ``figure`` (customdata is the row) with the faces and ``texts`` (n,) of its points.

    ``sheets`` are pictures of many faces (first row, JPEG) as :func:`face_sheets` makes them of
    images of ``side`` (width, height); each is fetched when one of its faces is looked at.
    ``frames`` (title, (n, 2)) are places to which a slider moves the points, the figure showing
    the last; ``groups`` (n,) are counted in a selection. ``why`` explains a point that is
    clicked: ``scores`` (n, C) of ``classes`` (C,), and where there are clusters ``near`` (n, N)
    and ``similarity`` (n, N), with ``clusters`` {number: (class name, rows of some members)}.
    """
    from plotly.utils import PlotlyJSONEncoder

    dark = getattr(st.context.theme, "type", "light") == "dark"
    drawn = figure.to_dict()
    for trace in drawn["data"]:  # places come with the frames, once
        trace["rows"] = _packed(trace.pop("customdata"), "i4")
        del trace["x"], trace["y"]
    kinds = sorted(set(groups))
    number = {kind: i for i, kind in enumerate(kinds)}
    facts = {
        "figure": drawn,
        "texts": texts,
        "kinds": kinds,
        "kind": _packed([number[g] for g in groups], "i4"),
        "frames": [
            {"title": title, "x": _packed(points[:, 0], "f4"), "y": _packed(points[:, 1], "f4")}
            for title, points in frames
        ],
        "why": None if why is None else _packed_reasons(why),
        "side": side,
        "sheets": [
            {"first": first, "across": MOST_SIDE // max(side),
             "address": served(jpeg, "image/jpeg", f"sheet-{i}")}
            for i, (first, jpeg) in enumerate(sheets)
        ],
    }  # fmt: skip
    values = {
        "INK": "#FAFAFA" if dark else "#31333F",
        "PAPER": "#1b1e27" if dark else "#FFFFFF",
        "LABEL": html.escape(label, quote=True),
        "KEEPER": plotly_loader(),
        "FACTS": json.dumps(facts, cls=PlotlyJSONEncoder).replace("<", "\\u003c"),
    }
    page = PAGE
    for name, value in values.items():
        page = page.replace(name, value, -1 if name in ("INK", "PAPER") else 1)
    st.iframe(page)  # as high as its content: panels stand on each other on a phone


def face_sheets(images: Any, rows: np.ndarray, first: int = 0) -> list[tuple[int, bytes]]:
    """Pictures that hold the images (N, H, W, C) of ``rows`` (n,) side by side: (row, JPEG) each.

    The rows count from ``first``. Only the images of one sheet are in memory at a time.
    """
    from PIL import Image

    height, width, channels = images.shape[1:]
    across = MOST_SIDE // max(height, width)
    found = []
    for start in range(0, len(rows), across**2):
        part = images[rows[start : start + across**2]]
        down = -(-len(part) // across)
        sheet = np.zeros((down, across, height, width, channels), dtype=np.uint8)
        sheet.reshape(-1, height, width, channels)[: len(part)] = part
        picture = sheet.swapaxes(1, 2).reshape(down * height, across * width, channels)
        buffer = io.BytesIO()
        shown = picture if channels == 3 else picture[..., 0]
        Image.fromarray(shown).save(buffer, "JPEG", quality=80)
        found.append((first + start, buffer.getvalue()))
    return found


def _packed_reasons(why: Mapping[str, Any]) -> dict[str, Any]:
    packed = dict(why) | {"scores": _packed(why["scores"], "f4")}
    if "near" in why:
        packed |= {
            "near": _packed(why["near"], "i4"),
            "similarity": _packed(why["similarity"], "f4"),
            "nearest": np.shape(why["near"])[1],
        }
    return packed


def _packed(values: Any, kind: str) -> str:
    """Numbers as base64 of little-endian ``kind``."""
    return base64.b64encode(np.asarray(values, dtype=f"<{kind}").tobytes()).decode()
