"""The demonstration: three methods on handwritten digits, which need no preparation."""

import dataclasses
import os
from collections.abc import Iterable
from itertools import islice
from typing import Any

import streamlit as st

from app.widgets.launching import launched
from app.widgets.preload import libraries_loaded
from clmle import RunFolder, data, training

METHODS = ("clmle", "oversampling", "softmax")
DATA = "digits"
SHOWN = (0, 4, 9)  # the largest class, one in the middle, the smallest
NEWEST = 30  # runs that are looked at
ACROSS = 4  # images in a row, two rows of each class


def start_demonstration() -> list[str]:
    """Train the methods with the same budget, as many at a time as there are cores; their names."""
    cores = os.cpu_count() or 2
    at_a_time = min(cores, len(METHODS))
    tuned = training.preset_config("quick", METHODS[0], DATA).train.calibration
    configs = []
    for method in METHODS:
        config = training.preset_config("quick", method, DATA)
        # The smallest network, and eight rounds: the first point of a curve comes early.
        train = dataclasses.replace(
            config.train, backbone="tiny", rounds=8, threads=max(1, cores // at_a_time)
        )
        if method == "oversampling":
            train = dataclasses.replace(train, calibration=tuned)
        configs.append(dataclasses.replace(config, train=train))
    return [run.name for run in launched(configs, at_a_time)]


def was_run(runs: Iterable[RunFolder]) -> bool:
    """Whether the newest of these include one on the data of the demonstration."""
    newest = islice((run for run in runs if not run.damage()), NEWEST)
    return any(run.config()["data"]["dataset"] == DATA for run in newest)


def demonstration_data() -> None:
    """Images of three classes with their numbers of training images."""
    libraries_loaded()
    pictures, counts = _examples()
    for column, c in zip(st.columns(len(SHOWN)), SHOWN, strict=True):
        words = f"class {c}: {counts[c]} training images"
        column.image(pictures[c], caption=words, alt=f"Handwritten digits of {words}", width=288)
    st.caption(
        "Training images of the classes 0 to 9: "
        + ", ".join(map(str, counts))
        + ". Look at the recall of the classes 8 and 9, of which there are fewest."
    )


@st.cache_resource(show_spinner=False)
def _examples() -> tuple[dict[int, Any], list[int]]:
    """A picture of eight images for each class shown; training images of every class."""
    import numpy as np

    from app.widgets.viewer import mosaic

    digits = data.load_dataset(DATA)
    task = digits.task("label")
    pictures = {}
    for c in SHOWN:
        rows = task.test[task.labels[task.test] == c][: ACROSS * 2]
        picture = mosaic(np.asarray(digits.images[rows]), ACROSS)
        pictures[c] = picture.repeat(6, axis=0).repeat(6, axis=1)  # a browser would blur it
    return pictures, task.class_counts().tolist()
