"""Which folders and files a visitor of the app may let the server read.

On the visitor's own computer: all. A server that others can reach reads only the folders that its
administrator lists in CLMLE_DATA (separated as in PATH).
"""

import ipaddress
import os
from collections.abc import Iterable
from pathlib import Path

import streamlit as st

from clmle import Config, InputError, data, runs_dir

VARIABLE = "CLMLE_DATA"


def check_path(text: str) -> None:
    """Refuse a path that the administrator did not allow."""
    allowed = os.environ.get(VARIABLE)
    if not text or (allowed is None and _own_computer()):
        return
    homes = [Path(part).resolve() for part in (allowed or "").split(os.pathsep) if part]
    homes.append(uploads_dir().resolve())
    if "\0" in text or not any(_resolved(text).is_relative_to(home) for home in homes):
        raise InputError(
            f"{text} is not open to this page; the administrator of the server lists the allowed "
            f"folders in {VARIABLE}."
        )


def uploads_dir() -> Path:
    """Folder of the data files that visitors drop on a page, which all may use."""
    return runs_dir() / "uploads"


def check_paths(configs: Iterable[Config]) -> None:
    """:func:`check_path` for all files and folders that the configurations name."""
    for one in configs:
        known = one.data.dataset in data.dataset_names()
        for text in (("" if known else one.data.dataset), one.data.labels, one.train.init_from):
            check_path(text)


def _resolved(text: str) -> Path:
    """Where a path leads; loaders replace ~ by the home folder, too."""
    return Path(os.path.expanduser(text)).resolve()


def _own_computer() -> bool:
    """Whether the server can be reached from this computer only."""
    address = str(st.get_option("server.address") or "")
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
