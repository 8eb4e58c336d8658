"""TAR at FAR when whole people are redrawn: pairs that share a person depend on each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clmle.checks import array_of
from clmle.errors import InputError
from clmle.metrics.intervals import quantiles, redraws

TAIL = 50_000  # impostor scores that a redraw weighs for one target, at most


def tar_identity_bootstrap(
    genuine: np.ndarray,
    impostor: np.ndarray,
    genuine_people: Any,
    impostor_people: Any,
    targets: Sequence[tuple[float, int]],
    *,
    n_bootstrap: int,
    seed: int,
) -> list[list[float] | None]:
    """95 % interval of the TAR at every target (FAR, false accepts allowed now).

    None where there are fewer than two people.
    Without ``impostor_people`` the thresholds stay and only genuine pairs are redrawn.
    Of more than ``TAIL`` impostor scores near a threshold an even selection stands for all.
    """
    own, both, n_people = _indices(genuine, impostor, genuine_people, impostor_people)
    if n_people < 2 or not targets:
        return [None for _ in targets]
    tails = [_tail(impostor, both, k) for _, k in targets]
    counts = None if both is None else _pair_counts(both, n_people)
    order = np.argsort(-genuine, kind="stable")
    falling, owner = genuine[order], own[order]
    values: list[list[np.ndarray]] = [[] for _ in targets]
    for drawn in redraws(n_people, n_bootstrap, seed):
        weight = drawn[:, owner].cumsum(axis=1)
        kept = weight[:, -1] > 0  # a redraw without any genuine pair says nothing
        whole = 0.0 if counts is None else ((counts @ drawn.T).T * drawn).sum(axis=1)
        for f, ((far, _), (scores, pair, stride)) in enumerate(zip(targets, tails, strict=True)):
            if pair is None:
                thresholds = np.full(len(drawn), scores[-1])
            else:
                passed = stride * (drawn[:, pair[:, 0]] * drawn[:, pair[:, 1]]).cumsum(axis=1)
                first = (passed <= far * np.reshape(whole, (-1, 1))).sum(axis=1)
                thresholds = scores[np.minimum(first, len(scores) - 1)]
            accepted = np.searchsorted(-falling, -thresholds, "left")
            hits = np.where(accepted, np.take_along_axis(
                weight, np.maximum(accepted - 1, 0)[:, None], axis=1)[:, 0], 0)  # fmt: skip
            values[f].append((hits / np.maximum(weight[:, -1], 1))[kept])
    return [quantiles(np.concatenate(v)) for v in values]


def _indices(
    genuine: np.ndarray, impostor: np.ndarray, genuine_people: Any, impostor_people: Any
) -> tuple[np.ndarray, np.ndarray | None, int]:
    """People as numbers from 0: of genuine pairs (n,), of impostor pairs (N, 2), how many."""
    own = array_of(genuine_people, "genuine_people")
    if own.shape != genuine.shape:
        raise InputError(
            f"genuine_people must name one person for each of {len(genuine):,} genuine pairs, "
            f"but is {own.shape}."
        )
    if impostor_people is None:
        names, index = np.unique(own, return_inverse=True)
        return index, None, len(names)
    both = array_of(impostor_people, "impostor_people")
    if both.shape != (len(impostor), 2):
        raise InputError(
            f"impostor_people must name two people for each of {len(impostor):,} impostor pairs, "
            f"but is {both.shape}."
        )
    names, index = np.unique(np.concatenate([own, both.ravel()]), return_inverse=True)
    return index[: len(own)], index[len(own) :].reshape(-1, 2), len(names)


def _tail(
    impostor: np.ndarray, both: np.ndarray | None, k: int
) -> tuple[np.ndarray, np.ndarray | None, int]:
    """The largest scores, well beyond the k allowed, largest first, thinned, and their people."""
    n = len(impostor)
    if both is None:
        return np.partition(impostor, n - 1 - k)[n - 1 - k][None], None, 1
    take = min(n, 5 * k + 100)
    top = np.argpartition(impostor, n - take)[n - take :]
    top = top[np.argsort(-impostor[top], kind="stable")]
    stride = -(-take // TAIL)
    top = top[::stride]
    return impostor[top], both[top], stride


def _pair_counts(both: np.ndarray, n_people: int) -> Any:
    """Impostor pairs of every two people, a sparse (people, people)."""
    from scipy.sparse import coo_array

    ones = np.ones(len(both))
    return coo_array((ones, (both[:, 0], both[:, 1])), shape=(n_people, n_people)).tocsr()
