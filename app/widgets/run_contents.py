"""Networks and images of runs, loaded once for all pages, and rows of images."""

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from app.widgets.literal import literal
from app.widgets.progress import Held, progress_bar
from clmle import RunFolder, training

WIDTH = 88
MAX_HELD = 2  # data sets; their images are mostly memory maps


def model_of(run: RunFolder) -> Any:
    """The model of a run's best round so far."""
    return _model(str(run.path), run.model_path.stat().st_mtime)


@st.cache_resource(max_entries=4, show_spinner="Loading the network")
def _model(path: str, changed: float) -> Any:
    return training.load_model(RunFolder(Path(path)))


def images_of(path: str) -> Any:
    """The data set of a run, by the path of its folder."""

    def read() -> Any:
        with progress_bar("images read") as show:
            return training.prepare_run(RunFolder(Path(path)), show)[0]

    return _datasets().get(path, read)


@st.cache_resource(show_spinner=False)
def _datasets() -> Held:
    return Held(MAX_HELD)


def image_row(images: np.ndarray, captions: list[str], alts: list[str]) -> None:
    """Images (n, H, W, C) in a row that wraps."""
    shown = [_enlarged(image) for image in images]
    st.image(shown, caption=[literal(text) for text in captions], width=WIDTH, alt=alts)


def _enlarged(image: np.ndarray) -> np.ndarray:
    """Each pixel as a square: a browser would blur it."""
    times = max(1, round(2 * WIDTH / image.shape[1]))
    large = image.repeat(times, axis=0).repeat(times, axis=1)
    return large[..., 0] if large.shape[-1] == 1 else large
