"""Loads what the pages need while somebody looks at the first one."""

from __future__ import annotations

import gc
import threading
import time
from importlib import import_module

import streamlit as st

# Those that take longest, those that most pages need first.
LIBRARIES = (
    "pandas", "plotly.graph_objects", "clmle.figures", "clmle.studies.study_results",
    "clmle.methods", "clmle.training", "clmle.data", "clmle.playground", "clmle.studies.attributes",
    "clmle.studies.open_set", "clmle.studies.eta", "clmle.paper", "PIL.Image",
)  # fmt: skip
DRAWN = 1.5  # seconds in which a browser fetches and draws the first page, from this server too
BREATH = 0.05  # seconds between two, so that a page that is asked for meanwhile has its turn


@st.cache_resource(show_spinner=False)
def warm() -> threading.Thread:
    """Begin, once a server; the first page has been sent by then."""
    thread = threading.Thread(target=_load, name="warm", daemon=True)
    thread.start()
    return thread


def _load() -> None:
    time.sleep(DRAWN)
    for name in LIBRARIES:
        time.sleep(BREATH)
        import_module(name)
    _method_files()
    # What is loaded stays: collections need not look at it again, which saves 0.1 s each.
    gc.collect()
    gc.freeze()


def _method_files() -> None:
    from clmle.methods import method_names

    method_names()
