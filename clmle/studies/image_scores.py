"""Scores of a run's test images, stored with the run: python -m clmle.studies.image_scores RUN."""

import subprocess
import sys
from dataclasses import dataclass

import numpy as np

from clmle.errors import InputError
from clmle.jobs.process import start_module
from clmle.run_folder import RunFolder
from clmle.studies.stored import exit_code, fingerprint, read_stored, store

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
    arrays = read_stored(run, run.path / FILE)
    if arrays is None:
        return None
    names = tuple(map(str, arrays["attributes"]))
    return ImageScores(names, arrays["rows"], arrays["labels"], arrays["scores"])


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
    arrays = {"attributes": np.array(names), "rows": rows, "labels": found.labels,
              "scores": found.scores}  # fmt: skip
    store(run.path / FILE, arrays, weights)
    return found


def start_scoring(run: RunFolder) -> subprocess.Popen[bytes]:
    """Compute the scores of a run's test images in a background process."""
    return start_module("clmle.studies.image_scores", str(run.path.resolve()))


if __name__ == "__main__":
    sys.exit(exit_code(score_test_images, sys.argv[1]))
