"""The visitor's own data: a path that is typed or linked, or a file dropped on the page."""

import hashlib
import re
from pathlib import Path
from typing import Any

import streamlit as st

from app.widgets.folder_browser import folder_browser
from app.widgets.literal import literal
from app.widgets.opened_data import close_data, is_open
from app.widgets.path_access import open_path, uploads_dir
from app.widgets.progress import Show, progress_bar
from app.widgets.zip_upload import data_in, unpack
from clmle import InputError

FOLDER = "my own data"
KINDS = ["parquet", "npz", "csv", "zip"]  # one file that holds a whole data set
MAX_STORED = 2 * 2**30  # bytes of all dropped files on the server's disk
HELP = (
    "Enter the path of a folder or file, or drop a file or a folder as a zip file: one sub-folder "
    "per class or person, images with a table of labels, CelebA, LFWA or CIFAR as published, "
    "train.rec in InsightFace's format, Parquet as from Hugging Face, .npz as from MedMNIST, or a "
    "table of features."
)


def own_data() -> tuple[str, str] | None:
    """Path and labels that the visitor gives; None until they may be read.

    The page's address holds both, so that a reload shows them again. A link alone must not make
    the server read a path: the visitor confirms it, unless this server holds the data already.
    """
    state = st.session_state
    for key in ("folder", "labels"):
        # Assigned even if it is there: the fields of another page lose their values otherwise.
        state[f"own-{key}"] = state.get(f"own-{key}", st.query_params.get(key, ""))
    fields, drop = st.columns([3, 2])
    with drop:
        _dropped(
            st.file_uploader(
                "Or drop a file, or a folder as a zip file", KINDS, key="own-file",
                help="kept on the server, so that runs can read it; enter the path of a larger one",
            )
        )  # fmt: skip
    with fields:
        name = st.text_input(
            "Folder or file", key="own-folder", placeholder="/path/to/images", on_change=_typed
        ).strip()
        labels = st.text_input(
            "Table of labels (not needed for one folder per class)", key="own-labels",
            on_change=_typed,
        ).strip()  # fmt: skip
        # A path that only a link contains is not looked at.
        folder_browser(name if state.get("wanted") == (name, labels) else "", _enter)
    for key, value in (("folder", name), ("labels", labels)):
        if value:
            st.query_params[key] = value
        else:
            st.query_params.pop(key, None)
    if not name:
        st.info(HELP)
        return None
    path = open_path(name)
    table = open_path(labels, path)
    if state.get("wanted") != (name, labels) and not is_open(path, labels=table):
        st.info(f"This link names {literal(name)}.", icon=":material/link:")
        if st.button("Read it", icon=":material/folder_open:"):
            state["wanted"] = (name, labels)
            st.rerun()
        return None
    if is_open(path, labels=table) and st.button(
        "Read again", icon=":material/refresh:", help="after files have changed"
    ):
        close_data(path, labels=table)
    return path, table


def path_of_data(place: Any) -> str:
    """A path that the visitor enters for a study, which has no table of labels."""
    path: str = place.text_input("Folder or file", placeholder="/path/to/images").strip()
    if not path:
        raise InputError("Enter the path of a folder or file, or choose other data.")
    return open_path(path)


def forget_own_data() -> None:
    """Remove the path from the page's address: other data are chosen."""
    for key in ("folder", "labels"):
        st.query_params.pop(key, None)


def _typed() -> None:
    """Remember what was typed here, as opposed to what a link contains."""
    state = st.session_state
    state["wanted"] = (state["own-folder"].strip(), state["own-labels"].strip())


def _dropped(file: Any) -> None:
    """Store a dropped file and enter its path in the fields, once."""
    if file is None or st.session_state.get("own-dropped") == file.file_id:
        return
    with progress_bar("files stored") as show:
        path = str(stored(file.name, file.getvalue(), show))
    st.session_state["own-dropped"] = file.file_id
    _enter(path)


def _enter(path: str) -> None:
    """Put a path into the fields, as if the visitor had typed it."""
    st.session_state["own-folder"], st.session_state["own-labels"] = path, ""
    st.session_state["wanted"] = (path, "")


def stored(name: str, content: bytes, progress: Show | None = None) -> Path:
    """Path of a dropped file on this server, a zip file unpacked; equal files are stored once."""
    name = re.sub(r"[^\w.-]+", "-", Path(name.replace("\\", "/")).name)[-80:].lstrip(".-")
    if name.rpartition(".")[2].lower() not in KINDS:
        raise InputError(f"{name} cannot be dropped here; drop one of: .{', .'.join(KINDS)}.")
    path = uploads_dir() / hashlib.sha256(content).hexdigest()[:16] / name
    packed = path.suffix.lower() == ".zip"
    path = path.with_suffix("") if packed else path
    if path.exists():
        return data_in(path) if packed else path
    used = sum(f.stat().st_size for f in uploads_dir().rglob("*") if f.is_file())
    if used + len(content) > MAX_STORED:
        raise InputError(
            f"The files dropped here take {used / 2**30:.1f} GB, and {MAX_STORED / 2**30:.0f} GB "
            f"are allowed; remove some from {uploads_dir()}, or enter the path of the file."
        )
    if packed:
        return unpack(name, content, path, MAX_STORED - used, progress)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{name}.part")
    part.write_bytes(content)
    part.replace(path)
    return path
