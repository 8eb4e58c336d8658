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
# The browser hands over no more than are taken: each file is a request of its own, and a tab that
# is given a thousand would be busy for minutes with what the server then throws away.
FEWER = """export default function({parentElement, data}) {
  const zone = document.querySelector(".st-key-" + data.key);
  const say = parentElement.querySelector("span");
  if (!zone || zone.bounded) return;
  zone.bounded = true;
  const first = files => {
    const kept = new DataTransfer();
    for (const file of Array.from(files).slice(0, data.most)) kept.items.add(file);
    say.textContent = files.length.toLocaleString("en") + " images were given; the first " +
      data.most + " are taken.";
    return kept.files;
  };
  zone.addEventListener("change", event => {
    const input = event.target;
    if (input.type !== "file") return;
    if (input.files.length > data.most) input.files = first(input.files);
    else if (event.isTrusted) say.textContent = "";  // not where a drop asks
  }, true);
  zone.addEventListener("drop", event => {
    const input = zone.querySelector("input[type=file]");
    if (!input || event.dataTransfer.files.length <= data.most) return;
    event.preventDefault();
    event.stopPropagation();
    input.files = first(event.dataTransfer.files);
    event.target.dispatchEvent(new DragEvent("dragleave", {bubbles: true}));
    input.dispatchEvent(new Event("change", {bubbles: true}));
  }, true);
}"""
MOST_HELD = 60  # files of one session in the server's memory
MOST_HELD_BYTES = 200 * 2**20


def uploaded_images(
    text: str, shape: tuple[int, int, int], key: str, most: int, help: str | None = None
) -> list[tuple[str, np.ndarray]]:
    """Names and pixels of what was handed in, cut to ``shape``; a sentence for what is none."""
    files = st.file_uploader(text, KINDS, accept_multiple_files=True, key=key, help=help)
    note = '<span role="status" aria-live="polite"></span>'
    fewer = st.components.v2.component("fewer_files", html=note, js=FEWER)
    fewer(data={"key": key, "most": most}, key=f"fewer-{key}")
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
    return pixels.mean(axis=2, keepdims=True).round().astype(np.uint8)  # the run learned from gray


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
