"""A trained run as a model of new images: features, class scores, metrics."""

from typing import Any

import numpy as np

from clmle.errors import InputError
from clmle.run_folder import RunFolder
from clmle.training.checkpoint import load_classifier, load_tensors
from clmle.training.extraction import extract, pick_device
from clmle.training.factory import metrics_of, network_for_shape
from clmle.training.images import ImageSource
from clmle.training.prepare import config_from_dict
from clmle.training.run_data import prepare_run


class EmbeddingModel:
    """Network and classifier of the best round of a run, made by :func:`load_model`."""

    def __init__(self, run: RunFolder, device: str = "auto") -> None:
        if not run.model_path.exists():
            raise InputError(f"Run {run.name} has no weights yet; wait for its first round.")
        config = config_from_dict(run.config())
        groups, facts = load_tensors(run.model_path)
        weights = groups.get("network", {})
        # The first versions did not store the shape of the images.
        depths = [w.shape[1] for w in weights.values() if w.dim() == 4]
        old = (config.data.image_size, config.data.image_size, *depths[:1])
        shape = (facts or {}).get("image_shape", old if depths else None)
        if "head.bias" not in weights or shape is None:
            raise InputError(f"{run.model_path} does not hold the network of a run; restore it.")
        self.device = pick_device(device)
        self.precision = config.train.precision
        self.image_shape = tuple(map(int, shape))
        self.value_range = run.value_range
        # With several attributes the bias of the head has one row per attribute.
        bias = weights["head.bias"]
        heads, n_classes = (len(bias), 2) if bias.dim() == 2 else (None, len(bias))
        scale = float(weights["head.scale"]) if "head.scale" in weights else None
        self.network = network_for_shape(config.train, self.image_shape, heads, n_classes, scale)
        self.network.to(self.device)
        try:
            self.network.load_state_dict(weights)
        except RuntimeError as error:
            raise InputError(
                f"{run.model_path} does not hold the network of config.json; restore one of them."
            ) from error
        self.classifier = load_classifier(run.model_path, facts)

    def embed(self, images: np.ndarray) -> np.ndarray:
        """Return the unit features of images."""
        features, _ = self._outputs(images)
        units: np.ndarray = features / np.linalg.norm(features, axis=-1, keepdims=True).clip(1e-12)
        return units

    def scores(self, images: np.ndarray) -> np.ndarray:
        """Return the class scores of images; the largest is the predicted class."""
        return self.classifier.scores(*self._outputs(images))

    def _outputs(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
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


def load_model(run: RunFolder, device: str = "auto") -> EmbeddingModel:
    """Load the model of a run: the weights and the classifier of its best round.

    Parameters
    ----------
    run : RunFolder
        A run with at least one round done, see :func:`clmle.open_run`.
    device : str, default "auto"
        "auto" (a GPU if there is one), "cpu", "cuda", "cuda:1", ...

    Returns
    -------
    EmbeddingModel
        With the methods ``embed(images)`` and ``scores(images)``.

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
    return EmbeddingModel(run, device)


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
    scores = model.classifier.scores(*model._outputs(task.images[rows]))
    return metrics_of(task, rows, scores)
