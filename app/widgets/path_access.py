"""Which folders and files a person at the page may have the server read.

Whoever opens the laboratory on their own computer may name any of their folders. A server that
others reach reads only what its keeper named in CLMLE_DATA (folders, set apart as in PATH).
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterable
from pathlib import Path

import streamlit as st

from clmle.config import Config
from clmle.errors import InputError

VARIABLE = "CLMLE_DATA"


def check_path(text: str) -> None:
    """Refuse a path that the server's keeper did not open.

    Raises
    ------
    InputError
        It lies, links followed, in none of the folders that are open.
    """
    allowed = os.environ.get(VARIABLE)
    if not text or (allowed is None and _own_computer()):
        return
    homes = [Path(part).resolve() for part in (allowed or "").split(os.pathsep) if part]
    if not any(Path(text).resolve().is_relative_to(home) for home in homes):
        raise InputError(
            f"{text} is not open to this page; whoever keeps the server names the folders that "
            f"are in {VARIABLE}."
        )


def check_paths(config: Iterable[Config]) -> None:
    """:func:`check_path` of all files and folders that these settings name."""
    from clmle.data import dataset_names

    for one in config:
        known = one.data.dataset in dataset_names()
        for text in (("" if known else one.data.dataset), one.data.labels, one.train.init_from):
            check_path(text)


def _own_computer() -> bool:
    """Whether the server is reached from this computer alone."""
    address = str(st.get_option("server.address") or "")
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
