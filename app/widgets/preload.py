"""Imports what the pages need while the visitor reads the first one."""

import gc
import threading
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


class Preloading:
    """The thread that imports the libraries, and whether it is done."""

    def __init__(self) -> None:
        self.awaited, self.done = threading.Event(), threading.Event()
        threading.Thread(target=self._run, name="preload", daemon=True).start()

    def _run(self) -> None:
        try:
            load(self.awaited)
        finally:  # a page without its library shows the error
            self.done.set()


@st.cache_resource(show_spinner=False)
def preload() -> Preloading:
    """Start once per server, after the first page has been sent."""
    return Preloading()


def libraries_loaded() -> None:
    """Wait until all libraries are imported.

    Only one thread imports them: plotly, Streamlit and narwhals use the pandas that another thread
    has not finished importing.
    """
    preloading = preload()
    preloading.awaited.set()
    preloading.done.wait()


def load(awaited: threading.Event, load=import_module, freeze=gc.freeze) -> None:
    """Import the libraries, with pauses until a page waits for them."""
    awaited.wait(FIRST_PAGE)
    for name in LIBRARIES:
        awaited.wait(PAUSE)
        load(name)
    methods.method_names()
    # Loaded modules stay: excluding them from garbage collection saves 0.1 s each time.
    gc.collect()
    freeze()
