"""A scatter plot in which every point shows its image: on hover, touch, or with the arrow keys.

A slider moves the points from round to round, a lasso selects points, a click explains a
prediction; all of it in the browser (viewer.html), without asking the server.
"""

import html
import io
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from app.widgets.media import packed, served, viewer_page

MAX_SIDE = 4096  # pixels of a sheet of images: browsers refuse larger ones


def image_scatter(
    figure: Any,
    sheets: Sequence[tuple[int, bytes]],
    side: tuple[int, int],
    texts: list[str],
    *,
    label: str,
    frames: Sequence[tuple[str, np.ndarray]],
    groups: Sequence[str] = (),
    explanations: Mapping[str, Any] | None = None,
    images: Sequence[int] = (),
    channel: str = "",
    second: bool = False,
) -> None:
    """Show ``figure`` (customdata is the row) with the images and ``texts`` (n,) of its points.

    ``sheets`` are pictures of many images (first row, JPEG) as :func:`image_sheets` makes them of
    images of ``side`` (width, height); each is fetched when one of its images is looked at.
    ``frames`` (title, (n, 2)) are positions to which a slider moves the points; the figure shows
    the last. ``groups`` (n,) are counted in a selection. ``explanations`` of the points that are
    clicked: ``scores`` (n, C) of ``classes`` (C,), and where there are clusters ``near`` (n, N)
    and ``similarity`` (n, N), with ``clusters`` {number: (class name, rows of some members)}.
    Viewers of one ``channel`` share their selections of ``images`` (n,), numbers that are the same
    in each of them. The ``second`` viewer of a page has its own part of the address.
    """
    from plotly.utils import PlotlyJSONEncoder

    drawn = figure.to_dict()
    for trace in drawn["data"]:  # positions come with the frames, once
        trace["rows"] = packed(trace.pop("customdata"), "i4")
        del trace["x"], trace["y"]
    kinds = sorted(set(groups))
    number = {kind: i for i, kind in enumerate(kinds)}
    why = None if explanations is None else dict(explanations)
    if why is not None:
        why["scores"] = packed(why["scores"], "f4")
        if "near" in why:
            why["nearest"] = np.shape(why["near"])[1]
            why |= {
                "near": packed(why["near"], "i4"),
                "similarity": packed(why["similarity"], "f4"),
            }
    facts = {
        "figure": drawn,
        "texts": texts,
        "kinds": kinds,
        "kind": packed([number[g] for g in groups], "i4"),
        "frames": [
            {"title": title, "x": packed(points[:, 0], "f4"), "y": packed(points[:, 1], "f4")}
            for title, points in frames
        ],
        "why": why,
        "images": packed(images, "i4"),
        "channel": channel,
        "noted": "other-" if second else "",
        "side": side,
        "sheets": [
            {"first": first, "across": MAX_SIDE // max(side),
             "address": served(jpeg, "image/jpeg", f"sheet-{i}")}
            for i, (first, jpeg) in enumerate(sheets)
        ],
    }  # fmt: skip
    text = json.dumps(facts, cls=PlotlyJSONEncoder).replace("<", "\\u003c")
    # As high as its content: the panels are stacked on a phone.
    st.iframe(viewer_page("viewer.html", LABEL=html.escape(label, quote=True), FACTS=text))


def image_sheets(images: Any, rows: np.ndarray, first: int = 0) -> list[tuple[int, bytes]]:
    """Pictures that hold the images of ``rows`` (n,) side by side: (row, JPEG) each.

    The rows count from ``first``. Only the images of one sheet are in memory at a time.
    """
    from PIL import Image

    across = MAX_SIDE // max(sides(images))
    found = []
    for start in range(0, len(rows), across**2):
        part = images[rows[start : start + across**2]]
        buffer = io.BytesIO()
        Image.fromarray(mosaic(part, across)).save(buffer, "JPEG", quality=80)
        found.append((first + start, buffer.getvalue()))
    return found


def mosaic(images: np.ndarray, across: int, *, transparent: bool = False) -> np.ndarray:
    """Images (n, H, W, C), or rows of features, as one picture with ``across`` in a row.

    Places without an image are black, or ``transparent`` in a picture of four channels.
    """
    images = pictures(images)
    if transparent:
        images = np.broadcast_to(images, (*images.shape[:3], 3))
        images = np.concatenate([images, np.full_like(images[..., :1], 255)], axis=-1)
    n, height, width, channels = images.shape
    down = -(-n // across)
    sheet = np.zeros((down, across, height, width, channels), dtype=np.uint8)
    sheet.reshape(-1, height, width, channels)[:n] = images
    picture = sheet.swapaxes(1, 2).reshape(down * height, across * width, channels)
    return picture if channels > 1 else picture[..., 0]


def sides(images: Any) -> tuple[int, int]:
    """Height and width of images (n, H, W, C), or of the squares that show features (n, d)."""
    if images.ndim == 4:
        return images.shape[1:3]
    side = math.isqrt(images.shape[1] - 1) + 1
    return side, side


def pictures(images: np.ndarray) -> np.ndarray:
    """Images as they are; rows of features (n, d) as gray squares, the largest values white."""
    if images.ndim == 4:
        return images
    side, _ = sides(images)
    low, high = np.quantile(images, [0.01, 0.99])
    gray = (images - low) / max(high - low, 1e-12) * 255
    padded = np.zeros((len(images), side * side), dtype=np.uint8)
    padded[:, : images.shape[1]] = gray.clip(0, 255)
    return padded.reshape(-1, side, side, 1)
