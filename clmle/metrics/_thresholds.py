"""Thresholds of target FARs: the similarities to store for them, and the metrics at them."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch

from clmle.metrics._blocks import sample
from clmle.metrics._counter import Counter, Window, buckets
from clmle.metrics.roc import allowed, tar_row

KEEP = 1 << 23  # largest similarities that are stored, at most
SAMPLE = 1 << 24  # similarities from which the thresholds of large FARs are predicted


def keep_for(fars: Sequence[float], expected: int) -> int:
    """The number of largest similarities to store: enough for all FARs that need at most KEEP."""
    if expected <= KEEP:
        return expected
    needed = [allowed(far, expected) + 1 for far in fars]
    return max([n for n in needed if n <= KEEP], default=1)


def predicted_windows(
    units: torch.Tensor,
    distractors: Any,
    fars: Sequence[float],
    keep: int,
    seed: int,
) -> list[Window]:
    """Ranges of the thresholds beyond the ``keep`` largest, predicted from sampled distractors."""
    large = [f for f in fars if allowed(f, len(units) * len(distractors)) >= keep]
    if not large:
        return []
    picked = sample(distractors, max(2, SAMPLE // len(units)), seed, units.device)
    scores = np.asarray((units @ picked.T).cpu())
    flat, half = scores.ravel(), buckets(len(units)) // 2

    def rank(far: float) -> int:
        return min(max(round((1 - far) * (len(flat) - 1)), 0), len(flat) - 1)

    windows = []
    for far in large:
        middle = np.partition(flat, rank(far))[rank(far)]
        fraction = (scores > middle).mean(axis=0)
        # Over distractors, since the similarities of one to all probes depend on each other.
        error = 6 * fraction.std() / np.sqrt(len(fraction)) + 1 / len(flat)
        ends = [rank(min(far + error, 1)), rank(max(far - error, 0))]
        low, high = np.partition(flat, ends)[ends]
        top = np.inf if ends[1] == len(flat) - 1 else (np.floor(high * half) + 2) / half
        bottom = -np.inf if ends[0] == 0 else (np.floor(low * half) - 1) / half
        windows.append((float(bottom), float(top)))
    return windows


def tar_rows(
    counter: Counter,
    fars: Sequence[float],
    genuine: np.ndarray,
    again: Callable[[], Iterable[torch.Tensor]],
    pool: ThreadPoolExecutor,
) -> tuple[list[dict[str, Any]], int]:
    """The metrics at every FAR, and the number of passes."""
    n = counter.seen * counter.n_probes
    ks = {far: allowed(far, n) for far in fars}
    found = {far: counter.largest(k) for far, k in ks.items() if k}
    missed = [far for far, v in found.items() if v is None]
    passes = 1
    if missed:
        passes = 2
        counter.second_pass(again(), [ks[far] for far in missed], pool)
        found |= {far: counter.largest(ks[far]) for far in missed}
    rows = [tar_row(far, k, n, genuine, *(found.get(far) or (None, None))) for far, k in ks.items()]
    return rows, passes
