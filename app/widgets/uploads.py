"""Images that a visitor hands in: few, of bounded size, only ever decoded as images."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    import numpy as np

KINDS = ["png", "jpg", "jpeg", "webp", "bmp"]
MOST_BYTES = 20 * 2**20
MOST_PIXELS = 40_000_000
MOST_HELD = 60  # files of one session in the server's memory
MOST_HELD_BYTES = 200 * 2**20


def uploaded_images(
    text: str, shape: tuple[int, int, int], key: str, most: int, help: str | None = None
) -> list[tuple[str, np.ndarray]]:
    """Names and pixels of what was handed in, cut to ``shape``; a sentence for what is none."""
    files = st.file_uploader(text, KINDS, accept_multiple_files=True, key=key, help=help)
    if len(files) > most:
        st.warning(f"{len(files)} images were given; the first {most} are taken.")
    before = st.session_state.get(f"{key}-decoded", {})
    decoded = st.session_state[f"{key}-decoded"] = {}
    found = []
    for file in files[:most]:
        mark = (file.file_id, shape)  # decoded once, not at every turn of a dial
        pixels = decoded[mark] = before[mark] if mark in before else _decoded(file, shape)
        if isinstance(pixels, str):
            st.error(f"{file.name} is left out: {pixels}.", icon=":material/error:")
        else:
            found.append((file.name, pixels))
    return found


def _decoded(file: Any, shape: tuple[int, int, int]) -> np.ndarray | str:
    import numpy as np

    from clmle.data.pixels import read_pixels

    if file.size > MOST_BYTES:
        return f"it has more than {MOST_BYTES // 2**20} MB"
    pixels = read_pixels(BytesIO(file.getvalue()), shape[:2], most=MOST_PIXELS)
    if isinstance(pixels, str) or shape[2] == 3:
        return pixels
    return pixels.mean(axis=2, keepdims=True).round().astype(np.uint8)  # the run learnt from grey


def bound_uploads() -> None:
    """Let no session hold more than its share of the server's memory, whatever it sends.

    A page looks at the first files alone, but the server keeps all that a browser sends.
    """
    from streamlit import runtime

    if not runtime.exists():
        return
    manager: Any = runtime.get_instance().uploaded_file_mgr
    if not hasattr(manager, "bounded"):
        manager.bounded = True
        manager.add_file = _bounded(manager, manager.add_file)


def _bounded(manager: Any, add_file: Any) -> Any:
    def add(session_id: str, file: Any) -> None:
        held = list(manager.file_storage.get(session_id, {}).values())
        if len(held) >= MOST_HELD or sum(len(f.data) for f in held) > MOST_HELD_BYTES:
            from starlette.exceptions import HTTPException

            raise HTTPException(413, "This session has handed in enough; reload the page.")
        add_file(session_id, file)

    return add
