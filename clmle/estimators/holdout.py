"""Tasks of arrays: rows held out for validation, of every class or of every label."""

import numpy as np

from clmle.data.base import Task
from clmle.data.multilabel import MultiTask

FEWEST = 3  # rows of a class of which one is held out


def single_label_task(X: np.ndarray, y: np.ndarray, fraction: float, seed: int) -> Task:
    """A task of the classes ``y`` (n,), numbered from 0, of which a fraction is held out.

    A class of one or two rows has all of them in training.
    """
    rng = np.random.default_rng([seed, 7])
    held = []
    for c, count in enumerate(np.bincount(y)):
        wanted = min(max(1, round(fraction * count)), count - 1) if count >= FEWEST else 0
        held.append(rng.permutation(np.flatnonzero(y == c))[:wanted])
    rows = _split(len(y), np.concatenate(held))
    names = tuple(map(str, range(int(y.max()) + 1)))
    return Task("rows", X, y, names, *rows).checked()


def multi_label_task(X: np.ndarray, Y: np.ndarray, fraction: float, seed: int) -> MultiTask:
    """A task of the labels ``Y`` (n, A), each with both values.

    Rows are held out at random as long as training keeps most rows of every value of every label.
    """
    rng = np.random.default_rng([seed, 7])
    left = np.stack([(Y == 0).sum(axis=0), (Y == 1).sum(axis=0)])  # (2, A) in training
    least = np.maximum(FEWEST - 1, np.ceil((1 - 2 * fraction) * left))
    columns = np.arange(Y.shape[1])
    held: list[int] = []
    for row in rng.permutation(len(Y)):
        if len(held) >= fraction * len(Y):
            break
        if (left[Y[row], columns] > least[Y[row], columns]).all():
            left[Y[row], columns] -= 1
            held.append(int(row))
    names = tuple(map(str, columns))
    return MultiTask("rows", X, Y, names, (), *_split(len(Y), np.array(held, dtype=np.int64)))


def _split(n: int, held: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Indices of training, validation and test rows; the test rows are not used."""
    train = np.setdiff1d(np.arange(n), held)
    validation = np.sort(held) if len(held) else train  # of too few rows none is held out
    return train, validation, validation
