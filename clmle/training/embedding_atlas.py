"""The embedding of a run as a table for the viewer embedding-atlas."""

import io
import os
from pathlib import Path
from typing import Any

import numpy as np

from clmle._search import nearest_rows
from clmle.data.base import SPLITS, Dataset
from clmle.errors import InputError
from clmle.files import atomic_path
from clmle.projection import load_projection, project
from clmle.run_folder import RunFolder
from clmle.training.factory import embedding_task
from clmle.training.model import load_model
from clmle.training.predict import columns_of
from clmle.training.run_data import prepare_run

NEIGHBORS = 15  # as many as embedding-atlas computes itself
COMMAND = "embedding-atlas {} --x projection_x --y projection_y --neighbors neighbors{}"


def write_embedding_atlas(
    run: RunFolder, path: str | os.PathLike[str], *, method: str = "umap"
) -> str:
    """Write the embedding sample of a run as a Parquet file for embedding-atlas.

    Parameters
    ----------
    run : RunFolder
        A run with at least one round done. Coordinates and predictions are those of its best round.
    path : path
        File to write, ending in .parquet.
    method : {"umap", "tsne", "pca"}, default "umap"
        Projection; one that is stored with the run is used.

    Returns
    -------
    str
        The command that opens the file.

    Raises
    ------
    InputError
        If the run has no weights yet, its data have changed, or the path has another ending.

    Notes
    -----
    One row for each image of the embedding sample: ``row`` (index into the data set), ``file``
    where it is known, ``split``, ``label``, the columns of :func:`clmle.predict`, ``correct``,
    ``cluster`` (of training images; -1 for others), ``projection_x``, ``projection_y``,
    ``neighbors`` (``ids`` and cosine ``distances`` of the nearest rows, the row itself first), and
    ``image`` (a PNG; not for features).

    Examples
    --------
    >>> import tempfile
    >>> from dataclasses import replace
    >>> from clmle import create_run, preset_config, train
    >>> from clmle.training import write_embedding_atlas
    >>> config = preset_config("quick", "softmax", "digits")
    >>> budget = replace(config.train, backbone="tiny", iterations=2, rounds=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = create_run(folder, replace(config, train=budget).to_dict())
    ...     result = train(run)
    ...     command = write_embedding_atlas(run, f"{folder}/digits.parquet", method="pca")
    >>> command  # doctest: +ELLIPSIS
    'embedding-atlas ...digits.parquet --x projection_x --y projection_y ...'
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = Path(path)
    if file.suffix != ".parquet":
        raise InputError(f"{file} must end in .parquet.")
    model = load_model(run, "cpu")
    dataset, task = prepare_run(run)
    round = int(model.stored.facts["round"])
    stored = run.embedding(round)
    rows, first_task = stored["rows"], embedding_task(task)
    pixels = np.asarray(task.images[rows])
    features, scores = model.outputs(pixels)
    columns: dict[str, Any] = {"row": rows, **_files(dataset, rows)}
    columns["split"] = np.array(SPLITS)[stored["split"]]
    columns["label"] = np.array(first_task.class_names, dtype=object)[stored["labels"]]
    columns |= columns_of(model, features, scores, n_clusters=1)
    first = scores[:, 0] if scores.ndim == 3 else scores
    columns["correct"] = first.argmax(axis=1) == stored["labels"]
    columns["cluster"] = stored["clusters"]
    points = (load_projection(run, method) or {}).get(round)
    points = project(stored["features"], method) if points is None else points
    columns["projection_x"], columns["projection_y"] = points.T.astype(np.float64)
    table = {name: pa.array(values) for name, values in columns.items()}
    table["neighbors"] = _neighbors(stored["features"])
    is_image = pixels.ndim == 4
    if is_image:
        binary = pa.struct({"bytes": pa.binary(), "path": pa.string()})
        shown = [
            {"bytes": _png(p), "path": f"{row}.png"} for row, p in zip(rows, pixels, strict=True)
        ]
        table["image"] = pa.array(shown, type=binary)
    with atomic_path(file) as temporary:
        pq.write_table(pa.table(table), temporary)
    return COMMAND.format(file, " --image image" if is_image else "")


def _files(dataset: Dataset, rows: np.ndarray) -> dict[str, Any]:
    if "file" not in dataset.metadata:
        return {}
    return {"file": [str(name) for name in np.asarray(dataset.metadata["file"])[rows]]}


def _neighbors(features: np.ndarray) -> Any:
    """Nearest rows by cosine distance, the row itself first, in the format of embedding-atlas."""
    import pyarrow as pa

    similarity, near = nearest_rows(features, features, min(NEIGHBORS, len(features)))
    found = []
    for row, (values, ids) in enumerate(zip(similarity, near, strict=True)):
        # Equal features are as near as the row itself.
        order = np.argsort(ids != row, kind="stable")
        distances = np.maximum(0.0, 1.0 - values[order].astype(np.float64))
        ids = ids[order]
        if ids[0] != row:
            ids, distances = np.r_[row, ids[:-1]], np.r_[0.0, distances[:-1]]
        found.append({"ids": ids.tolist(), "distances": distances.tolist()})
    kind = pa.struct({"ids": pa.list_(pa.int64()), "distances": pa.list_(pa.float64())})
    return pa.array(found, type=kind)


def _png(image: np.ndarray) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(out, "PNG")
    return out.getvalue()
