"""Thresholds of target FARs: the similarities to store for them, and the metrics at them."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch

from clmle.metrics._blocks import Source
from clmle.metrics._counter import Counter, Window, buckets
from clmle.metrics.roc import allowed, tar_row

KEEP = 1 << 23  # largest similarities that are stored, at most
SAMPLE = 1 << 24  # similarities from which the thresholds of large FARs are predicted


def keep_for(fars: Sequence[float], expected: int | None) -> int:
    """The number of largest similarities to store: enough for all FARs that need at most KEEP."""
    if expected is None:
        return KEEP
    if expected <= KEEP:
        return expected
    needed = [allowed(far, expected) + 1 for far in fars]
    return max([n for n in needed if n <= KEEP], default=1)


def predicted_windows(
    units: torch.Tensor,
    source: Source,
    fars: Sequence[float],
    keep: int,
    expected: int | None,
    seed: int,
) -> list[Window]:
    """Ranges of the thresholds beyond the ``keep`` largest, predicted from sampled distractors."""
    large = [f for f in fars if expected is None or allowed(f, expected) >= keep]
    if not large:
        return []
    picked = source.sample(max(2, SAMPLE // len(units)), seed)
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
    again: Callable[[], Iterable[torch.Tensor]] | None,
    pool: ThreadPoolExecutor,
) -> tuple[list[dict[str, Any]], int]:
    """The metrics at every FAR, and the number of passes."""
    n = counter.seen * counter.n_probes
    ks = {far: allowed(far, n) for far in fars}
    found = {far: counter.largest(k) for far, k in ks.items() if k}
    missed = [far for far, v in found.items() if v is None]
    passes = 1
    if missed and again is not None:
        passes = 2
        counter.second_pass(again(), [ks[far] for far in missed], pool)
        found |= {far: counter.largest(ks[far]) for far in missed}
    rows = []
    for far, k in ks.items():
        threshold, above = found.get(far) or (None, None)
        if k and threshold is None:
            rows.append(_bounded(far, k, n, genuine, counter))
        else:
            row = tar_row(far, k, n, genuine, threshold, above)
            rows.append(row | {"exact": True, "bounds": None})
    return rows, passes


def _bounded(far: float, k: int, n: int, genuine: np.ndarray, counter: Counter) -> dict[str, Any]:
    """Metrics if only the bucket of the threshold is known: similarities above it are accepted."""
    slot, above = counter.bucket_of(k)
    low, high = counter.edge(slot), counter.edge(slot + 1)
    bounds = [float((genuine >= end).mean()) for end in (high, low)]
    row = tar_row(far, k, n, genuine, float(np.nextafter(high, -np.inf)), above)
    row["note"] = (
        f"The threshold is known up to {high - low:.2g} only, since the first block is unlike the "
        "rest; shuffle the distractors or give them as an array."
    )
    return row | {"exact": bounds[0] == bounds[1], "bounds": bounds}
