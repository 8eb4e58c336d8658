"""Imports what the pages need while the visitor reads the first one."""

import gc
import threading
import time
from importlib import import_module

import streamlit as st

from clmle import methods

# Those that most pages need first, with processor seconds on a usual computer.
LIBRARIES = {
    "pandas": 0.3, "plotly.graph_objects": 0.02, "clmle.figures": 0.04,
    "clmle.studies.study_results": 0.05, "torch": 1.2, "clmle.methods": 0.02,
    "clmle.training": 0.1, "clmle.data": 0.02, "clmle.playground": 0.02,
    "clmle.studies.attributes": 0.02, "clmle.studies.open_set": 0.06, "clmle.studies.eta": 0.1,
    "clmle.paper": 0.02, "PIL.Image": 0.02,
}  # fmt: skip
FIRST_PAGE = 1.5  # seconds in which a browser fetches and draws the first page
PAUSE = 0.05  # seconds between two imports, in which a requested page can run
NOTICED = 0.3  # seconds that a visitor waits without a bar


class Preloading:
    """The thread that imports the libraries, and whether it is done."""

    def __init__(self) -> None:
        self.awaited, self.done = threading.Event(), threading.Event()
        self.loaded, self.began = 0.0, time.monotonic()  # seconds of LIBRARIES
        threading.Thread(target=self._run, name="preload", daemon=True).start()

    def _run(self) -> None:
        try:
            load(self.awaited, self._load)
        finally:  # a page without its library shows the error
            self.done.set()

    def _load(self, name: str) -> None:
        import_module(name)
        self.loaded += LIBRARIES[name]

    def progress(self) -> tuple[float, str]:
        """The part that is loaded, and the time left in words."""
        part = min(1.0, self.loaded / sum(LIBRARIES.values()))
        text = "Loading libraries, once after the start of the server"
        if part > 0:
            left = (time.monotonic() - self.began) * (1 - part) / part
            text += f", about {left:.0f} s left"
        return part, text


@st.cache_resource(show_spinner=False)
def preload() -> Preloading:
    """Start once per server, after the first page has been sent."""
    return Preloading()


def libraries_loaded() -> None:
    """Wait until all libraries are imported, with a bar while this takes noticeably long.

    Only one thread imports them: plotly, Streamlit and narwhals use the pandas that another thread
    has not finished importing.
    """
    preloading = preload()
    preloading.awaited.set()
    if preloading.done.wait(NOTICED):
        return
    place = st.empty()
    while not preloading.done.wait(NOTICED):
        part, text = preloading.progress()
        place.progress(part, text=text)
    place.empty()


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
