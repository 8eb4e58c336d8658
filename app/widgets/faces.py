"""Images of a run's data set, a row of them with what is to be said of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from clmle.run_folder import RunFolder

WIDTH = 88


@st.cache_resource(max_entries=2, show_spinner="Reading the images")
def images_of(path: str) -> Any:
    """The data set of a run, by the path of its folder."""
    from clmle.training import config_from_dict, load_data

    config = config_from_dict(RunFolder(Path(path)).config())
    return load_data(config.data, config.train.seed)


def face_row(images: np.ndarray, captions: list[str], alts: list[str]) -> None:
    """Images (n, H, W, C) side by side, as many in a row as there is room for."""
    shown = [_enlarged(image) for image in images]
    st.image(shown, caption=captions, width=WIDTH, alt=alts)


def _enlarged(image: np.ndarray) -> np.ndarray:
    """Each pixel as a square: a browser would blur it."""
    times = max(1, round(2 * WIDTH / image.shape[1]))
    large = image.repeat(times, axis=0).repeat(times, axis=1)
    return large[..., 0] if large.shape[-1] == 1 else large
