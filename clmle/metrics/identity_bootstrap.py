"""Bootstrap of TAR at FAR over whole identities: pairs that share an identity are dependent."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from clmle.checks import array_of, names_of
from clmle.errors import InputError
from clmle.metrics.intervals import bootstrap_counts, interval

TAIL = 50_000  # impostor scores used to find the threshold of one FAR, at most


def tar_identity_bootstrap(
    genuine: np.ndarray,
    impostor: np.ndarray,
    genuine_identities: Any,
    impostor_identities: Any,
    targets: Sequence[tuple[float, int]],
    *,
    n_bootstrap: int,
    seed: int,
) -> list[list[float] | None]:
    """95 % interval of the TAR at every (FAR, allowed); None for less than two identities."""
    own, both, n_identities = _indices(genuine, impostor, genuine_identities, impostor_identities)
    if n_identities < 2 or not targets:
        return [None for _ in targets]
    tails = [_tail(impostor, both, k) for _, k in targets]
    counts = None if both is None else _pair_counts(both, n_identities)
    order = np.argsort(-genuine, kind="stable")
    falling, owner = genuine[order], own[order]
    values: list[list[np.ndarray]] = [[] for _ in targets]
    for drawn in bootstrap_counts(n_identities, n_bootstrap, seed):
        weight = drawn[:, owner].cumsum(axis=1)
        kept = weight[:, -1] > 0  # a sample without a genuine pair has no TAR
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
    return [interval(np.concatenate(v)) for v in values]


def _indices(
    genuine: np.ndarray, impostor: np.ndarray, genuine_identities: Any, impostor_identities: Any
) -> tuple[np.ndarray, np.ndarray | None, int]:
    """Identities as indices: of genuine pairs (n,), of impostor pairs (N, 2), and their number."""
    own = names_of(genuine_identities, "genuine_identities", len(genuine), "genuine pairs")
    if impostor_identities is None:
        names, index = np.unique(own, return_inverse=True)
        return index, None, len(names)
    both = array_of(impostor_identities, "impostor_identities")
    if both.shape != (len(impostor), 2):
        raise InputError(
            f"impostor_identities must name two identities for each of {len(impostor):,} impostor "
            f"pairs, but is {both.shape}."
        )
    names, index = np.unique(np.concatenate([own, both.ravel()]), return_inverse=True)
    return index[: len(own)], index[len(own) :].reshape(-1, 2), len(names)


def _tail(
    impostor: np.ndarray, both: np.ndarray | None, k: int
) -> tuple[np.ndarray, np.ndarray | None, int]:
    """The largest scores, more than the k allowed, in decreasing order; their pairs; the stride."""
    n = len(impostor)
    if both is None:
        return np.partition(impostor, n - 1 - k)[n - 1 - k][None], None, 1
    take = min(n, 5 * k + 100)
    top = np.argpartition(impostor, n - take)[n - take :]
    top = top[np.argsort(-impostor[top], kind="stable")]
    stride = -(-take // TAIL)  # of too many every s-th is used, with weight s
    top = top[::stride]
    return impostor[top], both[top], stride


def _pair_counts(both: np.ndarray, n_identities: int) -> Any:
    """Number of impostor pairs of every two identities, a sparse square matrix."""
    from scipy.sparse import coo_array

    shape = (n_identities, n_identities)
    return coo_array((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=shape).tocsr()
