"""Images that a visitor hands in: few, of bounded size, only ever decoded as images."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
import streamlit as st

from clmle.data.pixels import read_pixels

KINDS = ["png", "jpg", "jpeg", "webp", "bmp"]
MOST_BYTES = 20 * 2**20
MOST_PIXELS = 40_000_000


def uploaded_images(
    text: str, shape: tuple[int, int, int], key: str, most: int, help: str | None = None
) -> list[tuple[str, np.ndarray]]:
    """Names and pixels of what was handed in, cut to ``shape``; a sentence for what is none."""
    files = st.file_uploader(text, KINDS, accept_multiple_files=True, key=key, help=help)
    if len(files) > most:
        st.warning(f"{len(files)} images were given; the first {most} are taken.")
    found = []
    for file in files[:most]:
        pixels = _decoded(file, shape)
        if isinstance(pixels, str):
            st.error(f"{file.name} is left out: {pixels}.", icon=":material/error:")
        else:
            found.append((file.name, pixels))
    return found


def _decoded(file: Any, shape: tuple[int, int, int]) -> np.ndarray | str:
    if file.size > MOST_BYTES:
        return f"it has more than {MOST_BYTES // 2**20} MB"
    pixels = read_pixels(BytesIO(file.getvalue()), shape[:2], most=MOST_PIXELS)
    if isinstance(pixels, str) or shape[2] == 3:
        return pixels
    return pixels.mean(axis=2, keepdims=True).round().astype(np.uint8)  # the run learnt from grey
