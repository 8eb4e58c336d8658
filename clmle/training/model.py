"""A trained run as a model of new images: features, class scores, probabilities, metrics."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from clmle.classifiers.probabilities import ProbabilityMap
from clmle.data.pixels import SIDE
from clmle.errors import InputError
from clmle.files import expanded
from clmle.models.pretrained import is_pretrained_name
from clmle.run_folder import RunFolder
from clmle.training.checkpoint import classifier_of, fill, of_another_network
from clmle.training.extraction import extract, pick_device
from clmle.training.factory import metrics_of, network_for_shape
from clmle.training.images import ImageSource
from clmle.training.run_data import prepare_run
from clmle.training.stored_model import StoredModel, stored_in_run

MOST_FEATURES = 2**20  # of a row


class Model:
    """Network and classifier of the best round of a run, ready for new images.

    Made by :func:`clmle.load_model` from a run, or by :meth:`from_pretrained` from a folder that
    :meth:`save_pretrained` wrote. It predicts; it cannot be trained further.

    Parameters
    ----------
    stored : StoredModel
        Weights, classifier and configuration, as read from a folder.
    device : str, default "auto"
        "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1", ...

    Attributes
    ----------
    image_shape : tuple of int
        (height, width, channels) of the images, or (d,) for features.
    value_range : (float, float) or None
        Of images with more than 8 bits: the values that are black and white.
    class_names : tuple of str
        Names of the C classes; of several attributes those of their two values.
    attributes : tuple of str
        Names of the A attributes of a multi-label model; empty for one target.
    network : torch.nn.Module
        Images, or features, to z (n, d) and logits (n, C).
    classifier : Classifier
        Scores from z and logits.

    Examples
    --------
    >>> import tempfile
    >>> from dataclasses import replace
    >>> from clmle import Model, create_run, load_model, preset_config, train
    >>> config = preset_config("quick", "softmax", "digits")
    >>> budget = replace(config.train, backbone="tiny", iterations=2, rounds=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = create_run(folder, replace(config, train=budget).to_dict())
    ...     result = train(run)
    ...     load_model(run).save_pretrained(f"{folder}/shared")
    ...     model = Model.from_pretrained(f"{folder}/shared")
    >>> model.probabilities(np.zeros((2, 16, 16, 1), dtype=np.uint8)).shape
    (2, 10)
    """

    def __init__(self, stored: StoredModel, device: str = "auto") -> None:
        weights, path = stored.groups["network"], stored.path
        # The first versions did not store the shape of the images.
        depths = [w.shape[1] for w in weights.values() if w.dim() == 4]
        size = stored.config.data.image_size
        shape = stored.facts.get("image_shape", (size, size, *depths[:1]) if depths else None)
        bias = weights.get("head.bias")
        if bias is None or bias.dim() not in (1, 2) or shape is None or not _possible(shape):
            raise InputError(f"{path} does not hold the network of a run; restore it.")
        self.stored = stored
        self.config = stored.config
        self.device = pick_device(device)
        self.precision = stored.config.train.precision
        self.image_shape = tuple(shape)
        self.value_range = stored.value_range
        # With several attributes the bias of the head has one row per attribute.
        heads, n_classes = (len(bias), 2) if bias.dim() == 2 else (None, len(bias))
        self.class_names = stored.class_names or tuple(map(str, range(n_classes)))
        self.attributes = stored.attributes or tuple(map(str, range(heads or 0)))
        if len(self.class_names) != n_classes or len(self.attributes) != (heads or 0):
            raise InputError(f"The class names of {path.parent} do not fit; restore it.")
        stored_scale = weights.get("head.scale")
        if stored_scale is not None and stored_scale.numel() != 1:
            raise of_another_network(path)
        scale, train = None if stored_scale is None else float(stored_scale), stored.config.train
        described = (train, self.image_shape, heads, n_classes, scale)
        if not is_pretrained_name(train.backbone):  # the network may be far larger than the file
            with torch.device("meta"):
                wanted = network_for_shape(*described).state_dict()
            if _shapes(wanted) != _shapes(weights):
                raise of_another_network(path)
        self.network = network_for_shape(*described)
        fill(self.network, weights, path)
        self.network.to(self.device)
        logits = (heads, 2) if heads else (n_classes,)
        self.classifier = classifier_of(
            stored.groups, stored.facts, logits, train.feature_dim, path
        )
        self.maps = _maps(stored.facts, heads or 1, n_classes)
        if len(self.maps) != (heads or 1) or any(len(m.offset) != n_classes for m in self.maps):
            raise of_another_network(path)

    def __repr__(self) -> str:
        size = " x ".join(map(str, self.image_shape))
        rows = f"images of {size}" if len(self.image_shape) == 3 else f"features of {size}"
        predicted = f"{len(self.class_names)} classes"
        if self.attributes:
            predicted = f"{len(self.attributes)} attributes"
        backbone, method = self.config.train.backbone, self.config.method
        return f"Model({backbone}, {method}, {predicted}, {rows}, {self.device})"

    def embed(self, images: np.ndarray) -> np.ndarray:
        """Return the unit features (n, dim) of images.

        Images are (n, height, width, channels) uint8, or features (n, d), here and below.
        """
        return self.outputs(images)[0]

    def scores(self, images: np.ndarray) -> np.ndarray:
        """Return the scores (n, C), or (n, A, 2), of images; the largest is the predicted class."""
        return self.outputs(images)[1]

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Return the probability of each class, calibrated on the validation images of the run."""
        return self.probabilities_of(self.scores(images))

    def probabilities_of(self, scores: np.ndarray) -> np.ndarray:
        """Return the probability of each class from class scores."""
        if scores.ndim == 2:
            return self.maps[0].probabilities(scores)
        found = [own.probabilities(scores[:, a]) for a, own in enumerate(self.maps)]
        return np.stack(found, axis=1)

    def outputs(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return unit features and class scores of images, by one pass of the network."""
        features, logits = self.network_outputs(images)
        units: np.ndarray = features / np.linalg.norm(features, axis=-1, keepdims=True).clip(1e-12)
        return units, self.classifier.scores(features, logits)

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write the model to a folder that :meth:`from_pretrained` reads anywhere.

        The folder holds ``model.safetensors`` (weights and classifier), ``config.json`` (network,
        preprocessing, class names) and ``README.md`` (a model card). Loading unpickles nothing.
        """
        from clmle.training.model_folder import write_model

        write_model(self, expanded(folder))

    @classmethod
    def from_pretrained(cls, folder: str | os.PathLike[str], device: str = "auto") -> "Model":
        """Load a model from a folder that :meth:`save_pretrained` wrote.

        Parameters
        ----------
        folder : str or path
            The folder, or that of a copy.
        device : str, default "auto"
            "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1", ...

        Returns
        -------
        Model

        Raises
        ------
        InputError
            If the folder holds no model, or a damaged one.
        """
        from clmle.training.model_folder import read_model

        return cls(read_model(expanded(folder)), device)

    def network_outputs(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return z and logits of images, which are checked first."""
        if images.ndim != 2 and (images.ndim != 4 or images.dtype != np.uint8):
            raise InputError(
                f"images must be (n, height, width, channels) uint8, or features (n, d), not "
                f"{images.shape} {images.dtype}."
            )
        if images.shape[1:] != self.image_shape:
            what = "height, width, channels" if len(self.image_shape) == 3 else "features"
            raise InputError(
                f"images are {images.shape[1:]}, but the run was trained on {self.image_shape}: "
                f"{what}."
            )
        source, rows = ImageSource(images, self.device), np.arange(len(images))
        return extract(self.network, source, rows, precision=self.precision)


def _maps(facts: dict[str, Any], n: int, n_classes: int) -> list[ProbabilityMap]:
    """Maps from scores to probabilities; versions before 0.3 stored none."""
    stored = facts.get("probabilities") or [{"weight": 1.0, "offset": [0.0] * n_classes}] * n
    return [ProbabilityMap(float(m["weight"]), np.array(m["offset"], dtype=float)) for m in stored]


def _shapes(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Size]:
    return {name: tensor.shape for name, tensor in tensors.items()}


def _possible(shape: Sequence[int]) -> bool:
    """Whether images (height, width, channels) or rows of features (d,) may have this shape."""
    return all(0 < n <= (SIDE if len(shape) == 3 else MOST_FEATURES) for n in shape)


def load_model(run: RunFolder, device: str = "auto") -> Model:
    """Load the model of a run: the weights and the classifier of its best round.

    Parameters
    ----------
    run : RunFolder
        A run with at least one round done, see :func:`clmle.open_run`.
    device : str, default "auto"
        "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1", ...

    Returns
    -------
    Model
        With the methods ``embed(images)``, ``scores(images)`` and ``probabilities(images)``.

    Raises
    ------
    InputError
        If the run has no weights yet, or its files are damaged.

    Examples
    --------
    >>> import tempfile
    >>> from clmle import create_run, load_model, preset_config
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = create_run(folder, preset_config("quick", "softmax", "digits").to_dict())
    ...     load_model(run)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    clmle.errors.InputError: Run ... has no weights yet; wait for its first round.
    """
    return Model(stored_in_run(run), device)


def evaluate(run: RunFolder, split: str = "test") -> dict[str, Any]:
    """Compute the metrics of a run on a split of its data set.

    Parameters
    ----------
    run : RunFolder
        A run with at least one round done.
    split : {"test", "validation", "train"}
        Images to evaluate.

    Returns
    -------
    dict
        ``balanced_accuracy`` with its 95 % ``interval``, ``accuracy``, ``average_precision``,
        ``roc_auc``, ``mcc``, ``recall`` per class, ``confusion`` and ``n``; of several attributes
        their means, and these metrics for each attribute.

    Raises
    ------
    InputError
        If the run has no weights yet, or its files or data cannot be used.

    Examples
    --------
    >>> import tempfile
    >>> from clmle import create_run, evaluate, preset_config
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = create_run(folder, preset_config("quick", "softmax", "digits").to_dict())
    ...     evaluate(run)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    clmle.errors.InputError: Run ... has no weights yet; wait for its first round.
    """
    _, task = prepare_run(run)
    rows = task.rows(split)
    model = load_model(run)
    scores = model.classifier.scores(*model.network_outputs(task.images[rows]))
    return metrics_of(task, rows, scores)
