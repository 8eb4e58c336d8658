"""Choose a folder or file of this computer by going through its folders."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import streamlit as st

from app.widgets.literal import literal
from app.widgets.path_access import is_open_folder, open_folders

MOST_LISTED = 500  # folders and files of a folder
MOST_COUNTED = 20_000  # entries of a folder that are looked at
FILES = (".parquet", ".npz", ".csv", ".tsv", ".npy")  # a whole data set in a file
IMAGES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
UP = "(the folder above)"


def folder_browser(now: str, choose: Callable[[str], None]) -> None:
    """A button that opens the folders of this computer; ``choose`` gets the path."""
    if open_folders() == []:  # none is listed
        return
    box = st.popover(
        "Browse", icon=":material/folder_open:", key="browse-folders", on_change="rerun",
        help="go through the folders of the computer on which this page runs",
    )  # fmt: skip
    if not box.open:
        return
    with box:
        here = _start(now)
        try:
            folders, files, counted = entries(here)
        except OSError as error:
            st.error(f"{literal(here)} cannot be opened ({error.strerror}).")
            folders, files, counted = [], [], ""
        st.markdown(f"**{literal(here)}**")
        st.caption(counted)
        above = [] if _is_top(here) else [UP]
        choices = [*above, *folders, *files]
        st.selectbox(
            "Open a folder or file", choices, index=None, key=f"browse-{here}",
            on_change=_go, args=(here,), placeholder=f"{len(choices) - len(above):,} inside",
        )  # fmt: skip
        st.button(
            "Use this folder" if here.is_dir() else "Use this file", on_click=choose,
            args=(str(here),), type="primary", icon=":material/check:",
        )  # fmt: skip
        roots = open_folders()
        if roots is not None and len(roots) > 1:
            st.selectbox(
                "Other folders that are open", list(map(str, roots)), index=None,
                key="browse-root", on_change=_jump,
            )  # fmt: skip


def entries(folder: Path) -> tuple[list[str], list[str], str]:
    """Names of the folders and of the files with data, and what is inside in words."""
    if folder.is_file():
        return [], [], "A file that holds a data set."
    folders, files, images, seen = [], [], 0, 0
    with os.scandir(folder) as found:
        for entry in found:
            seen += 1
            if seen > MOST_COUNTED:
                break
            name = entry.name.lower()
            if name.startswith("."):
                continue
            if entry.is_dir():
                folders.append(entry.name)
            elif name.endswith(FILES):
                files.append(entry.name)
            elif name.endswith(IMAGES):
                images += 1
    more = "more than " * (seen > MOST_COUNTED)
    text = f"Inside: folders {len(folders):,}, images {more}{images:,}, tables {len(files):,}."
    return sorted(folders)[:MOST_LISTED], sorted(files)[:MOST_LISTED], text


def _start(now: str) -> Path:
    """Where the visitor went, else the path that is entered, else the first folder or home."""
    roots = open_folders()
    first = roots[0] if roots else Path.home()
    for text in (st.session_state.get("browse-at", ""), now):
        with suppress(OSError, ValueError, RuntimeError):
            path = Path(os.path.expanduser(text)).resolve()
            if text and path.exists() and is_open_folder(path):
                return path
    return first


def _is_top(folder: Path) -> bool:
    roots = open_folders()
    return folder.parent == folder or (roots is not None and folder in roots)


def _go(here: Path) -> None:
    state: Any = st.session_state
    chosen = state.pop(f"browse-{here}", None)
    if chosen is not None:
        state["browse-at"] = str(here.parent if chosen == UP else here / chosen)


def _jump() -> None:
    state: Any = st.session_state
    chosen = state.pop("browse-root", None)
    if chosen is not None:
        state["browse-at"] = chosen
