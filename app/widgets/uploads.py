"""Images that a visitor uploads: few, of limited size, and only ever decoded as images."""

from io import BytesIO
from typing import Any

import numpy as np
import streamlit as st

from app.widgets.literal import literal
from app.widgets.media import STATUS, browser_part
from clmle import data

KINDS = ["png", "jpg", "jpeg", "webp", "bmp"]
MAX_BYTES = 20 * 2**20
MAX_PIXELS = 40_000_000
MAX_HELD = 60  # files of one session in the server's memory
MAX_HELD_BYTES = 200 * 2**20


def uploaded_images(text: str, model: Any, key: str, most: int) -> list[tuple[str, np.ndarray]]:
    """Names and pixels of the uploaded images, as ``model`` needs them; others raise errors."""
    height, width, _ = shape = model.image_shape
    help = f"cropped to the center, {height} x {width} pixels; used in this session only"
    files = st.file_uploader(text, KINDS, accept_multiple_files=True, key=key, help=help)
    browser_part("fewer_files", STATUS, {"key": key, "most": most}, f"fewer-{key}")
    if len(files) > most:
        st.warning(f"{len(files)} images were selected; the first {most} are used.")
    before = st.session_state.get(f"{key}-decoded", {})
    decoded = st.session_state[f"{key}-decoded"] = {}
    found = []
    for file in files[:most]:
        mark = (file.file_id, shape, model.value_range)  # decoded once, not at every rerun
        pixels = decoded[mark] = before[mark] if mark in before else _decoded(file, model)
        if isinstance(pixels, str):
            st.error(literal(f"{file.name} is left out: {pixels}."), icon=":material/error:")
        else:
            found.append((file.name, pixels))
    return found


def _decoded(file: Any, model: Any) -> np.ndarray | str:
    if file.size > MAX_BYTES:
        return f"it has more than {MAX_BYTES // 2**20} MB"
    height, width, channels = model.image_shape
    pixels = data.read_pixels(
        BytesIO(file.getvalue()), (height, width), most=MAX_PIXELS, shared=model.value_range
    )
    if isinstance(pixels, str) or channels == 3:
        return pixels
    return pixels.mean(axis=2, keepdims=True).round().astype(np.uint8)  # the run uses gray images


def limit_uploads() -> None:
    """Limit the memory that the uploads of one session take on the server.

    A page uses the first files only, but the server keeps all that a browser sends.
    """
    from streamlit import runtime

    if not runtime.exists():
        return
    manager: Any = runtime.get_instance().uploaded_file_mgr
    if not hasattr(manager, "limited"):
        manager.limited = True
        manager.add_file = _limited(manager, manager.add_file)


def _limited(manager: Any, add_file: Any) -> Any:
    def add(session_id: str, file: Any) -> None:
        held = list(manager.file_storage.get(session_id, {}).values())
        if len(held) >= MAX_HELD or sum(len(f.data) for f in held) > MAX_HELD_BYTES:
            from starlette.exceptions import HTTPException

            raise HTTPException(413, "This session has uploaded too much; reload the page.")
        add_file(session_id, file)

    return add
