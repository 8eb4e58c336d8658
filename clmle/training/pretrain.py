"""Prior features of the user's own: weights of a network, or features of the training images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import nn

from clmle.data.base import Task
from clmle.data.multilabel import MultiTask
from clmle.errors import InputError
from clmle.training.checkpoint import load_tensors


def start_from(network: nn.Module, prior: str) -> None:
    """Put the weights of ``prior`` (.safetensors of a run) that fit into ``network``.

    Features (.npy) change nothing here: see :func:`given_features`.

    Raises
    ------
    InputError
        The file cannot be read, or nothing of it fits the backbone.
    """
    if prior.endswith(".npy"):
        return
    groups, _ = load_tensors(Path(prior))
    weights = groups.get("network", {})
    own = network.state_dict()
    fitting = {k: v for k, v in weights.items() if k in own and v.shape == own[k].shape}
    if not any(k.startswith("backbone.") for k in fitting):
        raise InputError(f"{prior} holds no weights that fit this backbone.")
    network.load_state_dict(fitting, strict=False)


def given_features(prior: str, task: Task | MultiTask) -> np.ndarray | None:
    """Features (n, any) of the training rows in the file ``prior``; None where it is not .npy.

    The file has a row for each image of the data set, or for each training image.

    Raises
    ------
    InputError
        The file cannot be read, or has another number of rows.
    """
    if not prior.endswith(".npy"):
        return None
    try:
        features = np.load(prior, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{prior} cannot be read as features ({error}).") from error
    if features.ndim != 2 or len(features) not in (len(task.images), len(task.train)):
        raise InputError(
            f"{prior} holds features of shape {features.shape}, but must have one row for "
            f"each of the {len(task.images)} images, or of the {len(task.train)} training images."
        )
    return np.asarray(features if len(features) == len(task.train) else features[task.train])
