"""A button that opens a list of downloads."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

KINDS = {"html": "text/html", "csv": "text/csv", "tex": "text/x-tex"}


def downloads(
    label: str,
    help: str,
    files: Mapping[str, tuple[Callable[[], str], str]],
    more: Callable[[], None] | None = None,
    *,
    lazy: bool = False,
) -> None:
    """A popover with a button for each of ``files``: text -> (contents, name of the file).

    Contents are made when their button is pressed. ``more`` draws further buttons; with ``lazy``
    all of this happens only once the popover is open.
    """
    key = file_name(help)
    box = st.popover(
        label, icon=":material/download:", help=help, key=f"open-{key}",
        on_change="rerun" if lazy else "ignore",
    )  # fmt: skip
    if lazy and not box.open:
        return
    with box:
        if more is not None:
            more()
        for text, (contents, name) in files.items():
            kind = KINDS[name.rsplit(".", 1)[1]]
            st.download_button(text, contents, name, kind, key=f"{key}-{name}")


def file_name(text: Any) -> str:
    """``text`` as the stem of a file name and a CSS class."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", str(text))
