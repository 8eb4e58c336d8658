"""Predictions of new images or features by a trained model, batch by batch."""

import os
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from clmle.checks import whole
from clmle.data.base import Progress
from clmle.errors import InputError, some
from clmle.run_folder import RunFolder
from clmle.training.model import Model, load_model
from clmle.training.model_folder import open_model
from clmle.training.prediction_inputs import BATCH, Inputs, inputs_of

if TYPE_CHECKING:
    import pandas

MOST_CLASSES = 100  # with a column of probabilities each; of more, only that of the predicted one


def predict(
    model: Model | RunFolder | str | os.PathLike[str],
    source: Any,
    *,
    n_clusters: int = 3,
    progress: Progress | None = None,
) -> "pandas.DataFrame":
    """Predict the classes of images or features.

    Parameters
    ----------
    model : Model, RunFolder, or str
        A model, a run, the folder of either, or the name of a run in :func:`clmle.runs_dir`.
    source : str, list of str, or array
        For a model of images: the path of an image or of a folder, paths of images, or an array
        (n, height, width, channels) uint8. For a model of features: the path of a file (.parquet,
        .csv, .npz, .npy), or an array (n, d).
    n_clusters : int, default 3
        Nearest clusters in the result, for a classifier on clusters.
    progress : callable, optional
        Called with the number of images done and the number of all.

    Returns
    -------
    pandas.DataFrame
        One row for each image: ``file`` or ``row``, ``predicted`` (name of the class),
        ``probability`` (of that class), ``probability_CLASS`` of every class (of 100 classes or
        fewer), and of the nearest clusters ``cluster_1``, ``cluster_1_class`` and
        ``cluster_1_similarity`` (cosine), ``cluster_2``, ... A multi-label model has for each
        attribute a column of its name (1 shown, 0 not shown) and ``probability_ATTRIBUTE``.

    Raises
    ------
    InputError
        If the model or the source cannot be used, or no file can be read.

    Warns
    -----
    UserWarning
        Names the files that cannot be read; they have no row.

    Examples
    --------
    >>> import tempfile
    >>> from dataclasses import replace
    >>> from clmle import create_run, predict, preset_config, train
    >>> config = preset_config("quick", "softmax", "digits")
    >>> budget = replace(config.train, backbone="tiny", iterations=2, rounds=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = create_run(folder, replace(config, train=budget).to_dict())
    ...     result = train(run)
    ...     found = predict(run, np.zeros((2, 16, 16, 1), dtype=np.uint8))
    >>> found.columns[:4].tolist(), len(found)
    (['row', 'predicted', 'probability', 'probability_0'], 2)
    """
    import pandas as pd

    if isinstance(model, RunFolder):
        model = load_model(model)
    elif not isinstance(model, Model):
        model = open_model(model)
    problems: dict[str, str] = {}
    inputs = inputs_of(model, source, problems.__setitem__)
    frames = [
        pd.DataFrame(columns)
        for columns in prediction_batches(model, inputs, n_clusters=n_clusters, progress=progress)
    ]
    if problems:
        warnings.warn(unread_sentence(problems), stacklevel=2)
    if not frames:
        raise InputError("There is nothing to predict: no image could be read.")
    return pd.concat(frames, ignore_index=True)


def prediction_batches(
    model: Model, inputs: Inputs, *, n_clusters: int = 3, progress: Progress | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the columns of the predictions of one batch after the other."""
    whole(n_clusters, "n_clusters", 0)
    for number, (names, images) in enumerate(inputs.batches(), start=1):
        if len(images):
            features, scores = model.outputs(images)
            yield {inputs.key: names, **columns_of(model, features, scores, n_clusters)}
        if progress is not None:
            progress(min(inputs.n, number * BATCH), inputs.n)


def columns_of(
    model: Model, features: np.ndarray, scores: np.ndarray, n_clusters: int
) -> dict[str, Any]:
    """Return the columns of predictions from unit features and scores."""
    probabilities = model.probabilities_of(scores)
    predicted = scores.argmax(axis=-1)
    if model.attributes:
        return {
            name: values
            for a, attribute in enumerate(model.attributes)
            for name, values in (
                (attribute, predicted[:, a]),
                (f"probability_{attribute}", probabilities[:, a, 1]),
            )
        }
    class_names = np.array(model.class_names, dtype=object)
    columns: dict[str, Any] = {
        "predicted": class_names[predicted],
        "probability": probabilities[np.arange(len(predicted)), predicted],
    }
    if len(class_names) <= MOST_CLASSES:
        for name, values in zip(class_names, probabilities.T, strict=True):
            columns[f"probability_{name}"] = values
    return columns | _nearest(model, features, class_names, n_clusters)


def _nearest(
    model: Model, features: np.ndarray, class_names: np.ndarray, n_clusters: int
) -> dict[str, np.ndarray]:
    """Columns of the nearest clusters; none where the classifier has no clusters."""
    arrays = model.classifier.arrays()
    centroids = arrays.get("centroids", arrays.get("means"))
    if centroids is None or not n_clusters:
        return {}
    similarity = features @ centroids.T.astype(np.float32)
    near = np.argsort(-similarity, axis=1, kind="stable")[:, :n_clusters]
    columns: dict[str, np.ndarray] = {}
    for i, clusters in enumerate(near.T, start=1):
        columns[f"cluster_{i}"] = clusters
        columns[f"cluster_{i}_class"] = class_names[arrays["classes"][clusters]]
        columns[f"cluster_{i}_similarity"] = similarity[np.arange(len(clusters)), clusters]
    return columns


def unread_sentence(problems: dict[str, str], most: int = 50) -> str:
    """Name the files that cannot be read, with the reasons."""
    named = some((f"{name} ({why})" for name, why in problems.items()), most)
    return f"{len(problems):,} files cannot be read and have no prediction: {named}."
