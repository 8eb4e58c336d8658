"""Scores of a run's validation and test images, stored with it.

``python -m clmle.studies.image_scores RUN`` computes them.
"""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clmle.errors import InputError
from clmle.jobs.process import start_module
from clmle.run_folder import RunFolder
from clmle.signed_arrays import write_signed
from clmle.studies.stored import (
    exit_code,
    fingerprint,
    read_stored,
    reported,
    reported_in,
)

FILE = "image_scores.npz"
MOST_VALUES = 100_000_000  # 400 MB
SPLITS = ("validation", "test")
BATCH = 512  # images between two reports of progress
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class ImageScores:
    """Scores of n images for A attributes or, of one multi-class target, A = 1.

    Parameters
    ----------
    attributes : tuple of str
        Names of the A attributes or of the target.
    class_names : tuple of str
        Names of the C classes; for several attributes "not shown" and "shown".
    class_counts : (A, C) array
        Training images of every class.
    split : (n,) array
        0 validation, 1 test.
    indices : (n,) array
        Into the data set.
    labels : (n, A) array
        Classes, -1 unknown.
    scores : (n, A, C) array
    """

    attributes: tuple[str, ...]
    class_names: tuple[str, ...]
    class_counts: np.ndarray
    split: np.ndarray
    indices: np.ndarray
    labels: np.ndarray
    scores: np.ndarray

    def of(self, attribute: str, split: str = "test") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Indices (m,), labels (m,) and scores (m, C) of the images with a known label."""
        a = self.number(attribute)
        known = (self.labels[:, a] >= 0) & (self.split == SPLITS.index(split))
        return self.indices[known], self.labels[known, a], self.scores[known, a]

    def number(self, attribute: str) -> int:
        """Place of an attribute among all; an InputError if there is no such attribute."""
        if attribute not in self.attributes:
            raise InputError(
                f"The run has no attribute {attribute!r}; it has: {', '.join(self.attributes)}."
            )
        return self.attributes.index(attribute)


def stored_scores(run: RunFolder) -> ImageScores | None:
    """Return the stored scores of a run's present weights."""
    arrays = read_stored(run, run.path / FILE)
    if arrays is None:
        return None
    attributes, names = (tuple(map(str, arrays.pop(key))) for key in ("attributes", "class_names"))
    return ImageScores(attributes, names, **arrays)


def score_images(run: RunFolder, progress: Progress | None = None) -> ImageScores:
    """The scores of a run's validation and test images by its best weights, stored with it.

    Parameters
    ----------
    run : RunFolder
        A run with at least one round done.
    progress : callable, optional
        Called with the numbers of images done and of all.

    Returns
    -------
    ImageScores

    Raises
    ------
    InputError
        If the run has no weights yet, its data have changed, or there are too many scores.
    """
    from clmle.data.multilabel import MultiTask
    from clmle.training import load_model, prepare_run

    found = stored_scores(run)
    if found is not None:
        return found
    weights = fingerprint(run)  # before loading, because a training run may replace them
    model = load_model(run)
    _, task = prepare_run(run, progress)
    parts = [task.rows(split) for split in SPLITS]
    rows = np.concatenate(parts)
    labels = task.labels[rows]
    multi = isinstance(task, MultiTask)
    names = task.attributes if isinstance(task, MultiTask) else (task.name.rsplit("/", 1)[-1],)
    if len(rows) * len(names) * task.n_classes > MOST_VALUES:
        raise InputError(
            f"{len(rows):,} images with {task.n_classes:,} scores each are too many to store."
        )
    batches = []
    for start in range(0, len(rows), BATCH):
        batches.append(model.scores(task.images[rows[start : start + BATCH]]))
        if progress is not None:
            progress(min(start + BATCH, len(rows)), len(rows))
    scores = np.concatenate(batches).reshape(len(rows), len(names), task.n_classes)
    found = ImageScores(
        names, tuple(task.class_names), task.class_counts().reshape(len(names), task.n_classes),
        np.repeat([0, 1], [len(part) for part in parts]).astype(np.int8), rows,
        (labels if multi else labels[:, None]).astype(np.int64), scores.astype(np.float32),
    )  # fmt: skip
    arrays = {**vars(found), "attributes": np.array(names),
              "class_names": np.array(found.class_names)}  # fmt: skip
    write_signed(run.path / FILE, arrays, weights)
    return found


def start_scoring(run: RunFolder) -> subprocess.Popen[bytes]:
    """Compute the scores of a run's images in a background process."""
    return start_module("clmle.studies.image_scores", str(run.path.resolve()))


def scoring_progress(run: RunFolder) -> tuple[int, int]:
    """Images that a background process has read or scored, and all of them; zeros at first."""
    return reported(_progress_file(run))


def _progress_file(run: RunFolder) -> Path:
    return (run.path / FILE).with_suffix(".progress")


def main(path: str) -> int:
    """Score the images of the run at ``path``; returns the exit code."""
    with reported_in(_progress_file(RunFolder(Path(path)))) as report:
        return exit_code(score_images, path, report)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
