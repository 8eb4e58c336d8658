"""Initial weights, of a run or published ones, and features for the first clustering."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from clmle.data.base import Task
from clmle.data.multilabel import MultiTask
from clmle.errors import InputError
from clmle.file_rows import open_rows
from clmle.models.pretrained import LITE, PretrainedBackbone
from clmle.training.checkpoint import load_tensors


def start_from(network: nn.Module, path: str) -> None:
    """Load those weights of a run (.safetensors) that have the shapes of ``network``.

    Features (.npy) are used by :func:`given_features` instead.
    """
    if path.endswith(".npy"):
        return
    groups, _ = load_tensors(Path(path))
    weights = groups.get("network", {})
    own = network.state_dict()
    fitting = {k: v for k, v in weights.items() if k in own and v.shape == own[k].shape}
    if not any(k.startswith("backbone.") for k in fitting):
        raise InputError(
            f"{path} holds no weights that fit this backbone; give those of a run with it."
        )
    network.load_state_dict(fitting, strict=False)


def load_published_weights(network: nn.Module, name: str) -> None:
    """Load the published weights of the backbone ``name`` of a network."""
    if not isinstance(network.backbone, PretrainedBackbone):
        raise InputError(
            f"Backbone {name} has no published weights; leave pretrained out, or choose one that "
            f"has, such as {LITE} or timm:resnet18."
        )
    network.backbone.load_weights()


class TrunkFeatures(nn.Module):
    """The vectors of the published network of a backbone, as the features of a network."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        assert isinstance(network.backbone, PretrainedBackbone)
        self.trunk = network.backbone.trunk

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        vectors = self.trunk(images)
        return vectors, vectors[:, :1]  # there are no logits


def given_features(path: str, task: Task | MultiTask) -> np.ndarray | None:
    """Read features (n, any) of the training images from a .npy file; None for other files.

    The file has one row per image of the data set, or one per training image.
    """
    if not path.endswith(".npy"):
        return None
    try:
        features = open_rows(path)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"{path} cannot be read as features ({error}).") from error
    if features.ndim != 2 or len(features) not in (len(task.images), len(task.train)):
        raise InputError(
            f"{path} holds features of shape {features.shape}, but must have one row for "
            f"each of the {len(task.images)} images, or of the {len(task.train)} training images."
        )
    return np.asarray(features[:] if len(features) == len(task.train) else features[task.train])
