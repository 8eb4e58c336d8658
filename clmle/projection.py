"""Projections of features to two dimensions by PCA, t-SNE or UMAP, aligned over rounds."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from clmle.errors import InputError
from clmle.run_folder import RunFolder
from clmle.signed_arrays import read_signed, write_signed

METHODS = ("umap", "tsne", "pca")


def project(
    features: np.ndarray, method: str = "umap", *, seed: int = 0, init: np.ndarray | None = None
) -> np.ndarray:
    """Project features to two dimensions.

    References
    ----------
    UMAP: McInnes, Healy and Melville 2018. t-SNE: Policar, Strazar and Zupan 2019 (openTSNE).
    """
    features = np.asarray(features, dtype=np.float32)
    if method not in METHODS:
        raise InputError(f"projection is {method!r}; choose one of: {', '.join(METHODS)}.")
    if features.ndim != 2 or not features.size or not np.isfinite(features).all():
        raise InputError(
            "features must be a finite (n, d) array with a row and a column to be projected."
        )
    n = len(features)
    # Neighbors need distinct points; PCA draws equal ones as one.
    if method == "pca" or n < 10 or len(np.unique(features, axis=0)) < 10:
        return _pca(features)
    largest = float(np.abs(features).max())
    if not 1e-6 < largest < 1e6:  # squared distances in float32 would become 0 or infinite
        features = features / np.float32(largest)
    start = _pca(features) if init is None else np.asarray(init, dtype=np.float64)
    if method == "umap":
        flat = np.ptp(start, axis=0) == 0  # UMAP divides by the range
        if flat.any():
            start = np.where(flat, np.random.default_rng(seed).normal(size=start.shape), start)
        UMAP = _umap()
        start = 10 * (start - start.min(axis=0)) / np.maximum(np.ptp(start, axis=0), 1e-9)
        model = UMAP(n_neighbors=min(15, n - 1), init=start, random_state=seed, n_jobs=1)
        with _same_threads():
            return np.asarray(model.fit_transform(features), dtype=np.float32)
    from openTSNE import TSNE

    # openTSNE expects small initial coordinates and scales those of PCA in the same way.
    start = start / max(float(np.std(start[:, 0])), 1e-12) * 1e-4
    # Several threads give the same result but wait for each other on a busy machine (300 points:
    # 25 s instead of 2 s).
    model = TSNE(perplexity=min(30, (n - 1) / 3), initialization=start, random_state=seed, n_jobs=1)
    return np.asarray(model.fit(features), dtype=np.float32)


@contextmanager
def _same_threads() -> Iterator[None]:
    """Restore PyTorch's number of threads, which numba changes when it starts its own."""
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 0
    try:
        yield
    finally:
        if torch:
            torch.set_num_threads(before)


@cache
def _umap() -> Any:
    """The class UMAP, with all that numba compiles for it kept on disk.

    umap-learn asks for that in a part of its functions: the others take 10 s in every process.
    """
    import umap
    from numba.core.registry import CPUDispatcher

    modules = [
        m for name, m in sys.modules.items() if name.split(".")[0] in ("umap", "pynndescent")
    ]
    for module in modules:
        for function in list(vars(module).values()):
            if isinstance(function, CPUDispatcher) and not function.signatures:
                function.enable_caching()
    return umap.UMAP


def place(
    points: np.ndarray, features: np.ndarray, others: np.ndarray, neighbors: int = 10
) -> np.ndarray:
    """Coordinates of further images in an existing projection.

    Each is placed at the median of its nearest neighbors, as openTSNE initializes points that are
    added to an embedding.
    """
    near = np.argsort(-(others @ features.T), axis=1, kind="stable")[:, :neighbors]
    return np.asarray(np.median(points[near], axis=1), dtype=np.float32)


def project_rounds(
    frames: Sequence[np.ndarray], method: str = "umap", *, seed: int = 0
) -> list[np.ndarray]:
    """Coordinates of the same points in several rounds.

    Each projection starts from the previous one and is then aligned to it by rotation or
    reflection.
    """
    points: list[np.ndarray] = []
    for features in frames:
        points.append(_next_frame(features, points[-1] if points else None, method, seed))
    return points


def _next_frame(
    features: np.ndarray, before: np.ndarray | None, method: str, seed: int = 0
) -> np.ndarray:
    frame = project(features, method, seed=seed, init=before)
    return frame if before is None else _aligned(frame, before)


def project_run(run: RunFolder, method: str = "umap", rounds: Sequence[int] = ()) -> None:
    """Project the stored features of a run to two dimensions and store the points with the run.

    Each round starts from the points of the round before. The file is complete after every round.

    Parameters
    ----------
    run : RunFolder
        A run with at least one round done.
    method : {"umap", "tsne", "pca"}, default "umap"
        Projection method.
    rounds : sequence of int, optional
        Rounds to project; all that are stored by default.

    Examples
    --------
    >>> import tempfile
    >>> from clmle import create_run, preset_config
    >>> rows = dict.fromkeys(("rows", "labels", "clusters", "split"), np.arange(4))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = create_run(folder, preset_config("quick", "softmax", "digits").to_dict())
    ...     run.write_embedding(0, features=np.eye(4, dtype=np.float32), **rows)
    ...     project_run(run, "pca")
    ...     load_projection(run, "pca")[0].shape
    (4, 2)
    """
    stored = run.embedding_rounds()
    if not stored:
        raise InputError(f"Run {run.name} has no embedding yet; wait for its first round.")
    path = projection_path(run, method)
    frames: dict[str, np.ndarray] = {}
    before = None
    for number in rounds or stored:
        before = _next_frame(run.embedding(number)["features"], before, method)
        frames[f"round_{number:02d}"] = before
        write_signed(path, frames)


def projection_path(run: RunFolder, method: str) -> Path:
    """File of :func:`project_run`, named after the last round."""
    last = run.embedding_rounds()[-1]
    return run.path / "projections" / f"{method}_{last:02d}.npz"


def load_projection(run: RunFolder, method: str) -> dict[int, np.ndarray] | None:
    """Coordinates by round, of the rounds projected so far; None if they are to be made."""
    found = read_signed(projection_path(run, method)) if run.embedding_rounds() else None
    if found is None:
        return None
    return {int(name.removeprefix("round_")): array for name, array in found.items()}


def _aligned(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """``points`` rotated or reflected about their center to fit ``target`` (Procrustes)."""
    from scipy.linalg import orthogonal_procrustes

    points, target = points.astype(np.float64), target.astype(np.float64)  # of any magnitude
    centered = points - points.mean(axis=0)
    rotation, _ = orthogonal_procrustes(centered, target - target.mean(axis=0))
    return np.asarray(centered @ rotation + target.mean(axis=0), dtype=np.float32)


def _pca(features: np.ndarray) -> np.ndarray:
    centered = features - features.mean(axis=0)
    _, _, directions = np.linalg.svd(centered, full_matrices=False)
    points = centered @ directions[:2].T
    if points.shape[1] < 2:
        points = np.column_stack([points, np.zeros(len(points))])
    # The sign of a direction is arbitrary: the farthest point gets a positive coordinate.
    signs = np.sign(points[np.abs(points).argmax(axis=0), [0, 1]])
    return np.asarray(points * np.where(signs == 0, 1, signs), dtype=np.float32)
