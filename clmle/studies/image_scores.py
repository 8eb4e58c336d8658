"""Scores of a run's test images, stored with the run: python -m clmle.studies.image_scores RUN."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clmle.errors import InputError
from clmle.files import read_arrays, write_arrays
from clmle.jobs.process import start_module
from clmle.run_folder import RunFolder
from clmle.studies.fingerprint import KEY, fingerprint, of_present_weights

FILE = "test_scores.npz"


@dataclass(frozen=True)
class ImageScores:
    """``indices`` (n,) into the data set, ``labels`` (n, A), -1 unknown, ``scores`` (n, A, 2)."""

    attributes: tuple[str, ...]
    indices: np.ndarray
    labels: np.ndarray
    scores: np.ndarray

    def of(self, attribute: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Indices (m,), labels (m,) and scores (m, 2) of the images with a known label."""
        if attribute not in self.attributes:
            raise InputError(
                f"The run has no attribute {attribute!r}; it has: {', '.join(self.attributes)}."
            )
        a = self.attributes.index(attribute)
        known = self.labels[:, a] >= 0
        return self.indices[known], self.labels[known, a], self.scores[known, a]


def stored_scores(run: RunFolder) -> ImageScores | None:
    """Return the stored scores of a run's present weights."""
    try:
        arrays = read_arrays(run.path / FILE)
        if not of_present_weights(arrays, run):
            return None
        names = tuple(str(n) for n in arrays["attributes"])
        return ImageScores(names, arrays["rows"], arrays["labels"], arrays["scores"])
    except (InputError, OSError, KeyError):
        return None


def score_test_images(run: RunFolder) -> ImageScores:
    """The scores of a run's test images by its best weights, computed once and stored."""
    from clmle.data.multilabel import MultiTask
    from clmle.training import load_model, prepare_run

    found = stored_scores(run)
    if found is not None:
        return found
    weights = fingerprint(run)  # before loading, because a training run may replace them
    model = load_model(run)
    _, task = prepare_run(run)
    rows = task.rows("test")
    labels = task.labels[rows]
    if isinstance(task, MultiTask):
        names = task.attributes
    elif task.n_classes == 2:
        names, labels = (task.name.rsplit("/", 1)[-1],), labels[:, None]
    else:
        raise InputError(
            f"{task.name} has {task.n_classes} classes; only binary attributes have scores "
            "for each image."
        )
    scores = model.scores(task.images[rows]).reshape(len(rows), len(names), 2)
    found = ImageScores(names, rows, labels.astype(np.int8), scores.astype(np.float32))
    write_arrays(
        run.path / FILE,
        {"attributes": np.array(names), "rows": rows, "labels": found.labels,
         "scores": found.scores, KEY: np.array(weights)},
    )  # fmt: skip
    return found


def start_scoring(run: RunFolder) -> subprocess.Popen[bytes]:
    """Compute the scores of a run's test images in a background process."""
    return start_module("clmle.studies.image_scores", str(run.path.resolve()))


def main(path: str) -> int:
    """Compute the scores of the run at ``path``; returns the exit code."""
    try:
        score_test_images(RunFolder(Path(path)))
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
