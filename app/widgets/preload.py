"""Imports what the pages need while the visitor reads the first one."""

import gc
import threading
import time
from importlib import import_module

import streamlit as st

from clmle import methods

# The slowest first, those that most pages need.
LIBRARIES = (
    "pandas", "plotly.graph_objects", "clmle.figures", "clmle.studies.study_results",
    "clmle.methods", "clmle.training", "clmle.data", "clmle.playground", "clmle.studies.attributes",
    "clmle.studies.open_set", "clmle.studies.eta", "clmle.paper", "PIL.Image",
)  # fmt: skip
FIRST_PAGE = 1.5  # seconds in which a browser fetches and draws the first page
PAUSE = 0.05  # seconds between two imports, in which a requested page can run


@st.cache_resource(show_spinner=False)
def preload() -> threading.Thread:
    """Start once per server, after the first page has been sent."""
    thread = threading.Thread(target=_load, name="preload", daemon=True)
    thread.start()
    return thread


def _load(load=import_module, freeze=gc.freeze) -> None:
    time.sleep(FIRST_PAGE)
    for name in LIBRARIES:
        time.sleep(PAUSE)
        load(name)
    methods.method_names()
    # Loaded modules stay: excluding them from garbage collection saves 0.1 s each time.
    gc.collect()
    freeze()
