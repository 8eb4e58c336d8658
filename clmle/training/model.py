"""A trained run as a model of one's own images: features, class scores, figures."""

from __future__ import annotations

from typing import Any

import numpy as np

from clmle.errors import InputError
from clmle.models.network import MultiNetwork, Network
from clmle.run_folder import RunFolder
from clmle.training.checkpoint import load_tensors
from clmle.training.extraction import extract, pick_device
from clmle.training.factory import metrics_of
from clmle.training.images import ImageSource
from clmle.training.prepare import config_from_dict, prepare
from clmle.training.stored_classifier import load_classifier


class EmbeddingModel:
    """Network and rule of a run's best round; made by :func:`load_model`."""

    def __init__(self, run: RunFolder, device: str = "auto") -> None:
        if not run.model_path.exists():
            raise InputError(f"Run {run.name} has no weights yet; wait for its first round.")
        config = config_from_dict(run.config())
        groups, facts = load_tensors(run.model_path)
        weights = groups.get("network", {})
        channels = next((w.shape[1] for w in weights.values() if w.dim() == 4), None)
        if channels is None or "head.bias" not in weights or not isinstance(facts, dict):
            raise InputError(f"{run.model_path} holds no network of a run; restore it.")
        side = config.data.image_size
        self.device = pick_device(device)
        # Runs of earlier versions do not say; their images were square.
        height, width, depth = facts.get("image_shape", (side, side, channels))
        self.image_shape = (int(height), int(width), int(depth))
        # One row of the head's bias for each attribute, where there are several.
        bias = weights["head.bias"]
        kind = MultiNetwork if bias.dim() == 2 else Network
        self.network = kind(
            config.train.backbone,
            channels,
            self.image_shape[:2],
            config.train.feature_dim,
            len(bias),
            float(weights["head.scale"]) if "head.scale" in weights else None,
        ).to(self.device)
        try:
            self.network.load_state_dict(weights)
        except RuntimeError as error:
            raise InputError(
                f"{run.model_path} holds another network than config.json names; restore either."
            ) from error
        self.rule = load_classifier(run, facts)

    def embed(self, images: np.ndarray) -> np.ndarray:
        """Unit features (n, d), of several attributes (n, A, d), of images (n, H, W, C) uint8."""
        features, _ = self._outputs(images)
        norms = np.linalg.norm(features, axis=-1, keepdims=True)
        units: np.ndarray = features / np.maximum(norms, 1e-12)
        return units

    def scores(self, images: np.ndarray) -> np.ndarray:
        """Class scores (n, C), of several attributes (n, A, 2), by the run's rule."""
        return self.rule.scores(*self._outputs(images))

    def _outputs(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if images.ndim != 4 or images.dtype != np.uint8:
            raise InputError(
                f"images must be (n, height, width, channels) uint8, not {images.shape} "
                f"{images.dtype}."
            )
        if images.shape[1:] != self.image_shape:
            raise InputError(
                f"images are {images.shape[1:]}, but the run learned from {self.image_shape}: "
                "height, width, channels."
            )
        return extract(self.network, ImageSource(images, self.device), np.arange(len(images)))


def load_model(run: RunFolder, device: str = "auto") -> EmbeddingModel:
    """The model of a run."""
    return EmbeddingModel(run, device)


def evaluate(run: RunFolder, split: str = "test") -> dict[str, Any]:
    """Figures of a run on a split of its own data, computed anew."""
    _, task = prepare(config_from_dict(run.config()))
    rows = task.rows(split)
    model = load_model(run)
    scores = model.rule.scores(*model._outputs(task.images[rows]))
    return metrics_of(task, rows, scores)
