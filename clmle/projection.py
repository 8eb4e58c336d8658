"""Features in two dimensions by PCA, t-SNE or UMAP; frames of rounds start from each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from clmle.errors import InputError
from clmle.files import read_arrays, write_arrays
from clmle.run_folder import RunFolder

METHODS = ("umap", "tsne", "pca")


def project(
    features: np.ndarray, method: str = "umap", *, seed: int = 0, init: np.ndarray | None = None
) -> np.ndarray:
    """(n, 2) float32 coordinates of unit features (n, d).

    ``init`` (n, 2) starts t-SNE and UMAP from given places, so that the frames of successive
    rounds stay comparable. The same seed gives the same picture. A handful of points, too
    few for neighbors, is projected by PCA whatever the method.

    Raises
    ------
    InputError
        Unknown method, or not a finite (n, d) array.

    References
    ----------
    UMAP: McInnes, Healy and Melville 2018. t-SNE: Policar, Strazar and Zupan 2019 (openTSNE).
    """
    features = np.asarray(features, dtype=np.float32)
    if method not in METHODS:
        raise InputError(f"projection is {method!r}; choose one of: {', '.join(METHODS)}.")
    if features.ndim != 2 or not np.isfinite(features).all():
        raise InputError("features must be a finite (n, d) array to be projected.")
    n = len(features)
    if method == "pca" or n < 10:
        return _pca(features)
    start = _pca(features) if init is None else np.asarray(init, dtype=np.float64)
    if method == "umap":
        from umap import UMAP

        start = 10 * (start - start.min(axis=0)) / np.maximum(np.ptp(start, axis=0), 1e-9)
        model = UMAP(n_neighbors=min(15, n - 1), init=start, random_state=seed, n_jobs=1)
        return np.asarray(model.fit_transform(features), dtype=np.float32)
    from openTSNE import TSNE

    # openTSNE wants a small start; its own scaling of a PCA start is the same.
    start = start / max(float(np.std(start[:, 0])), 1e-12) * 1e-4
    # One thread: two give the same picture, and wait for each other on a machine that is busy
    # (300 points: 2 s against 25 s).
    model = TSNE(perplexity=min(30, (n - 1) / 3), initialization=start, random_state=seed, n_jobs=1)
    return np.asarray(model.fit(features), dtype=np.float32)


def place(
    points: np.ndarray, features: np.ndarray, others: np.ndarray, neighbors: int = 10
) -> np.ndarray:
    """Where further images belong in a picture that is there: (m, 2).

    Each is put at the median of the places of its nearest neighbors, as openTSNE starts points
    that are added to an embedding; what is there stays where it is.

    Parameters
    ----------
    points : (n, 2) the picture
    features, others : (n, d), (m, d) unit rows, of the picture's images and of the others
    neighbors : how many of the picture's images decide, by cosine
    """
    near = np.argsort(-(others @ features.T), axis=1, kind="stable")[:, :neighbors]
    return np.asarray(np.median(points[near], axis=1), dtype=np.float32)


def project_rounds(
    frames: Sequence[np.ndarray], method: str = "umap", *, seed: int = 0
) -> list[np.ndarray]:
    """Coordinates of the same points in several rounds.

    Each frame starts from the one before, and is then turned (or mirrored) to lie as close to
    it as it can, so that points move rather than jump.
    """
    points: list[np.ndarray] = []
    for features in frames:
        points.append(_next_frame(features, points[-1] if points else None, method, seed))
    return points


def _next_frame(
    features: np.ndarray, before: np.ndarray | None, method: str, seed: int = 0
) -> np.ndarray:
    frame = project(features, method, seed=seed, init=before)
    return frame if before is None else _turned_onto(frame, before)


def project_run(run: RunFolder, method: str = "umap", rounds: Sequence[int] = ()) -> None:
    """Project stored rounds (by default all) and keep them in the run folder.

    The file is whole after every round, so that one may look while the others are made.

    Raises
    ------
    InputError
        The run has no stored embedding yet.
    """
    stored = run.embedding_rounds()
    if not stored:
        raise InputError(f"Run {run.name} has no embedding yet; wait for its first round.")
    path = projection_path(run, method)
    frames: dict[int, np.ndarray] = {}
    before = None
    for number in rounds or stored:
        before = _next_frame(run.embedding(number)["features"], before, method)
        frames[number] = before
        write_arrays(path, _named(frames))


def projection_path(run: RunFolder, method: str) -> Path:
    """Where :func:`project_run` keeps its result; named by the last round it saw."""
    last = run.embedding_rounds()[-1]
    return run.path / "projections" / f"{method}_{last:02d}.npz"


def load_projection(run: RunFolder, method: str) -> dict[int, np.ndarray] | None:
    """Coordinates by round, of those made so far; None where there are none yet."""
    if not run.embedding_rounds() or not projection_path(run, method).exists():
        return None
    found = read_arrays(projection_path(run, method))
    return {int(name.split("_")[1]): array for name, array in found.items()}


def _turned_onto(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """``points`` turned or mirrored about their center onto ``target`` (Procrustes)."""
    from scipy.linalg import orthogonal_procrustes

    centerd = points - points.mean(axis=0)
    turn, _ = orthogonal_procrustes(centerd, target - target.mean(axis=0))
    turned: np.ndarray = centerd @ turn + target.mean(axis=0)
    return turned.astype(np.float32)


def _pca(features: np.ndarray) -> np.ndarray:
    centerd = features - features.mean(axis=0)
    _, _, directions = np.linalg.svd(centerd, full_matrices=False)
    points = centerd @ directions[:2].T
    if points.shape[1] < 2:
        points = np.column_stack([points, np.zeros(len(points))])
    # The sign of a direction is arbitrary: the farthest point is put on the right.
    signs = np.sign(points[np.abs(points).argmax(axis=0), [0, 1]])
    mirrored: np.ndarray = points * np.where(signs == 0, 1, signs)
    return mirrored.astype(np.float32)


def _named(frames: Mapping[int, np.ndarray]) -> dict[str, np.ndarray]:
    return {f"round_{r:02d}": points for r, points in frames.items()}
