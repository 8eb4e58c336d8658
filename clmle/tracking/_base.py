"""The protocol of a tracker, and trackers by name."""

import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from clmle.errors import InputError, quoted
from clmle.run_folder import RunFolder

TRACKERS = ("tensorboard", "mlflow", "wandb", "trackio")


@dataclass(frozen=True)
class Scalars:
    """Values of one line of the log: by name, at a training step, ``seconds`` after the start."""

    step: int
    seconds: float
    values: dict[str, float]


@dataclass(frozen=True)
class RunImages:
    """Images and classes of a run's data: functions of row numbers, for trackers that show them."""

    pixels: Callable[[np.ndarray], np.ndarray]  # rows to (n, height, width, channels) uint8, or
    # to features (n, d)
    classes: Callable[[np.ndarray], list[str]]  # rows to names of classes


class Tracker(ABC):
    """Receives what a run logs.

    ``again`` is what :meth:`identity` returned when the run was logged before, else "".
    """

    rewrites = False  # whether each process writes the whole log anew

    def __init__(self, run: RunFolder, images: RunImages | None, again: str) -> None:
        self.run, self.images, self.again = run, images, again

    def identity(self) -> str:
        """Return what finds the log of this run again; stored in the run folder."""
        return ""

    @abstractmethod
    def scalars(self, found: Scalars) -> None:
        """Receive the values of one line."""

    def validation(self, line: dict[str, Any]) -> None:
        """Receive a whole line of the validation."""

    def embedding(self, round: int, step: int) -> None:
        """Receive the number of a round whose features were stored."""

    def finish(self, result: dict[str, Any] | None) -> None:
        """End the log; ``result`` is None for a run that was stopped or failed."""


def check_trackers(names: Iterable[str]) -> list[str]:
    """Return the names, each once; an InputError for one that is unknown or not installed."""
    found = list(dict.fromkeys(names))
    for name in found:
        if name not in TRACKERS:
            raise InputError(f"log is {quoted(name)}; choose among: {', '.join(TRACKERS)}.")
        is_loaded = name in sys.modules
        if (sys.modules[name] if is_loaded else find_spec(name)) is None:
            extra = "'clmle[track]'" if name == "tensorboard" else name
            raise InputError(
                f"Logging to {name} needs the package {name}, which is missing: pip install {extra}"
            )
    return found


def tracker_class(name: str) -> type[Tracker]:
    """Return the tracker of a name."""
    found: type[Tracker] = import_module(f"clmle.tracking.{name}").TRACKER
    return found


def plain_name(name: str) -> str:
    """Return a name of a metric with the characters that every tracker accepts."""
    return re.sub(r"[^\w\-./ ]", "_", name)
