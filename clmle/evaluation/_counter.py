"""Exact counts over all probe x distractor similarities, without keeping or sorting them.

Each similarity s falls into a bucket of its probe: floor(s B / 2), exact since B is a power of
two. One scattered addition counts it there. The counts alone tell how many lie above every bucket;
what remains open lies inside one bucket:

- ranks: only similarities in a bucket that holds a mate of the same probe are compared with it;
- thresholds: the largest similarities, and those of buckets that may hold a threshold, are kept.

Both are a small part of all, so that a pass costs little beside its matrix product.
"""

from __future__ import annotations

import queue
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import numpy as np
import torch

LARGEST = 1 << 24  # whole numbers that float32 holds exactly
HISTOGRAM_BYTES = 1 << 28
WINDOW_VALUES = 1 << 27  # similarities that one window may hold
Window = tuple[float, float]  # similarities in [low, high) are kept; ends are edges of buckets


class Counter:
    """Takes blocks of distractors; gives counts above every bucket, mates' ranks, kept values.

    probes (P, d) at unit length; mates: each a probe's number (G,) and a similarity (G,).
    the ``keep`` largest similarities and those in ``windows`` are kept as they are.
    """

    def __init__(
        self,
        probes: torch.Tensor,
        mate_probe: np.ndarray,
        mate_score: np.ndarray,
        *,
        keep: int,
        windows: list[Window],
        rows: int,
        columns: int,
        threads: int,
    ) -> None:
        self.probes, self.keep, self.windows = probes, keep, windows
        self.n_buckets = buckets(len(probes))
        self.half = self.n_buckets // 2
        self.stride = self.n_buckets + 2  # rounding may lead just beyond -1 and 1
        device = probes.device
        self.rows = max(1, min(rows, len(probes), LARGEST // self.stride))
        self.columns = columns
        self.counts = torch.zeros(len(probes) * self.stride, dtype=torch.int32, device=device)
        self.seen = 0
        self.low = -np.inf
        self.top: list[np.ndarray] = []
        self.kept: list[list[np.ndarray]] = [[] for _ in windows]
        self._place_mates(mate_probe, mate_score)
        self._scratch: queue.SimpleQueue[_Scratch] = queue.SimpleQueue()
        for _ in range(threads):
            self._scratch.put(_Scratch(self.rows * columns, device))

    def _place_mates(self, probe: np.ndarray, score: np.ndarray) -> None:
        device = self.probes.device
        s = torch.from_numpy(score.astype(np.float32)).to(device)
        rows = torch.from_numpy(probe.astype(np.int64)).to(device)
        key = (rows << 33) + ordered(s)
        self.order = torch.argsort(key)
        self.mate_key = key[self.order]
        self.mate_row = rows[self.order]
        slot = torch.floor(s * self.half).to(torch.int64) + self.half + 1
        self.mate_slot = (rows * self.stride + slot)[self.order]
        self.holds_mate = torch.zeros_like(self.counts, dtype=torch.bool)
        self.holds_mate[self.mate_slot] = True
        # Similarities that lie in mate j's bucket, at or above it and below its next mate.
        self.beside = torch.zeros(len(s), dtype=torch.int64, device=device)
        starts = np.arange(0, len(self.probes) + self.rows, self.rows)
        self.mate_start = np.searchsorted(np.sort(probe), starts)

    def add(self, block: torch.Tensor, pool: ThreadPoolExecutor) -> None:
        """Count one block (m, d) at unit length against all probes."""
        done = list(pool.map(lambda i: self._strip(i, block), range(self._n_strips())))
        for top, kept in done:
            self.top += top
            for own, new in zip(self.kept, kept, strict=True):
                own += new
        self.seen += len(block)
        if sum(map(len, self.top)) > 2 * self.keep:
            self._trim()
        for w, values in enumerate(self.kept):
            if sum(map(len, values)) > WINDOW_VALUES:  # badly foreseen: give it up
                self.windows[w], self.kept[w] = (np.inf, np.inf), []

    def _n_strips(self) -> int:
        return -(-len(self.probes) // self.rows)

    def _strip(
        self, number: int, block: torch.Tensor
    ) -> tuple[list[np.ndarray], list[list[np.ndarray]]]:
        """A strip of probes, which no other thread touches, against the block, tile by tile."""
        first = number * self.rows
        probes = self.probes[first : first + self.rows]
        n = len(probes)
        own = slice(first * self.stride, (first + n) * self.stride)
        counts, holds_mate = self.counts[own], self.holds_mate[own]
        mates = slice(*self.mate_start[number : number + 2])
        offset = torch.arange(n, dtype=torch.float32, device=block.device)[:, None]
        offset = offset * self.stride + (self.half + 1)
        top: list[np.ndarray] = []
        kept: list[list[np.ndarray]] = [[] for _ in self.windows]
        scratch = self._scratch.get()
        try:
            for start in range(0, len(block), self.columns):
                part = block[start : start + self.columns]
                score, work, slot, ones, flag = scratch.tile(n, len(part))
                torch.mm(probes, part.T, out=score)
                torch.mul(score, self.half, out=work).floor_().add_(offset)
                slot.copy_(work)
                flat = slot.view(-1)
                counts.scatter_add_(0, flat, ones)
                torch.index_select(holds_mate, 0, flat, out=flag)
                hits = _places(flag)
                if len(hits):
                    self._compare(score.view(-1)[hits], flat[hits], first, mates)
                top.append(_between(score, self.low, np.inf))
                for values, (low, high) in zip(kept, self.windows, strict=True):
                    values.append(_between(score, low, high))
        finally:
            self._scratch.put(scratch)
        return top, kept

    def _compare(
        self, score: torch.Tensor, slot: torch.Tensor, first: int, mates: slice
    ) -> None:
        """Count similarities that share a bucket with a mate beside the mate just below them."""
        row = torch.div(slot, self.stride, rounding_mode="floor") + first
        place = torch.searchsorted(self.mate_key[mates], (row << 33) + ordered(score), right=True)
        below = place - 1 + mates.start
        same = (place > 0) & (
            self.mate_slot[below.clamp_(min=0)] == slot + first * self.stride
        )
        found = below[same] - mates.start
        self.beside[mates] += torch.bincount(found, minlength=mates.stop - mates.start)

    def _trim(self) -> None:
        """Let go of all but the ``keep`` largest; what comes later must be above them."""
        values = np.concatenate(self.top)
        place = len(values) - self.keep
        values = np.partition(values, place)[place:]
        self.low = float(np.nextafter(values[0], np.float32(np.inf)))
        self.top = [values]

    def total_counts(self) -> np.ndarray:
        """Similarities in every bucket of all probes together, (B + 2,)."""
        parts = [c.sum(dim=0, dtype=torch.int64) for c in self._rows_of(self.counts)]
        return np.asarray(torch.stack(parts).sum(dim=0).cpu())

    def edge(self, slot: int) -> float:
        """The lowest similarity that falls into a bucket."""
        return (slot - 1 - self.half) / self.half

    def ranks(self) -> np.ndarray:
        """For every mate, in the order given: 1 + similarities of its probe at or above it."""
        above = torch.empty_like(self.beside)
        starts = np.searchsorted(
            np.asarray(self.mate_row.cpu()), np.arange(0, len(self.probes) + 256, 256)
        )
        for i, counts in enumerate(self._rows_of(self.counts)):
            mates = slice(*starts[i : i + 2])
            upto = torch.cumsum(counts, dim=1, dtype=torch.int32).view(-1)
            slots = self.mate_slot[mates] - i * 256 * self.stride
            above[mates] = self.seen - upto[slots].to(torch.int64)
        # Within a bucket a mate is also below what lies beside the higher mates of that bucket.
        total = torch.cumsum(self.beside.flip(0), 0).flip(0)
        last = torch.searchsorted(self.mate_slot, self.mate_slot, right=True)
        beyond = torch.cat([total, total.new_zeros(1)])[last]
        ranks = torch.empty_like(above)
        ranks[self.order] = 1 + above + total - beyond
        return np.asarray(ranks.cpu())

    def _rows_of(self, counts: torch.Tensor) -> Iterable[torch.Tensor]:
        return counts.view(len(self.probes), self.stride).split(256)

    def largest(self, k: int) -> tuple[float, int] | None:
        """The (k + 1)-th largest similarity and how many are larger; None where it was not kept."""
        if k < min(self.keep, self.seen * len(self.probes)):
            return _select(np.concatenate(self.top), k)
        slot, above = self.bucket_of(k)
        low, high = self.edge(slot), self.edge(slot + 1)
        for (start, end), values in zip(self.windows, self.kept, strict=True):
            if start <= low and high <= end:
                own = np.concatenate([v[(v >= low) & (v < high)] for v in values])
                value, larger = _select(own, k - above)
                return value, above + larger
        return None

    def look_again(
        self, blocks: Iterable[torch.Tensor], ks: list[int], pool: ThreadPoolExecutor
    ) -> None:
        """Read all blocks once more to keep the buckets of the (k + 1)-th largest similarities."""
        slots = [self.bucket_of(k)[0] for k in ks]
        self.windows = [(self.edge(slot), self.edge(slot + 1)) for slot in slots]
        self.kept = [[] for _ in slots]
        for block in blocks:
            for kept in pool.map(self._keep_strip, range(self._n_strips()), repeat(block)):
                for own, new in zip(self.kept, kept, strict=True):
                    own += new

    def _keep_strip(self, number: int, block: torch.Tensor) -> list[list[np.ndarray]]:
        probes = self.probes[number * self.rows : (number + 1) * self.rows]
        kept: list[list[np.ndarray]] = [[] for _ in self.windows]
        for start in range(0, len(block), self.columns):
            score = probes @ block[start : start + self.columns].T
            for values, (low, high) in zip(kept, self.windows, strict=True):
                values.append(_between(score, low, high))
        return kept

    def bucket_of(self, k: int) -> tuple[int, int]:
        """The bucket of the (k + 1)-th largest similarity, and how many lie above that bucket."""
        upwards = np.cumsum(self.total_counts()[::-1])[::-1]
        slot = int(np.flatnonzero(upwards > k).max())
        return slot, int(upwards[slot + 1]) if slot + 1 < len(upwards) else 0


class _Scratch:
    """Memory of one thread, used again for every tile."""

    def __init__(self, size: int, device: torch.device) -> None:
        self.score = torch.empty(size, device=device)
        self.work = torch.empty(size, device=device)
        self.slot = torch.empty(size, dtype=torch.int64, device=device)
        self.ones = torch.ones(size, dtype=torch.int32, device=device)
        self.flag = torch.empty(size, dtype=torch.bool, device=device)

    def tile(self, n: int, m: int) -> tuple[torch.Tensor, ...]:
        size = n * m
        score, work, slot = (t[:size].view(n, m) for t in (self.score, self.work, self.slot))
        return score, work, slot, self.ones[:size], self.flag[:size]


def buckets(n_probes: int) -> int:
    """Buckets of a probe, a power of two, so that all of them fit ``HISTOGRAM_BYTES``."""
    most = HISTOGRAM_BYTES // (4 * n_probes)
    return 1 << max(8, min(14, most.bit_length() - 1))


def ordered(scores: torch.Tensor) -> torch.Tensor:
    """Whole numbers from 0 to 2^33 in the order of float32 ``scores``; -0 is 0."""
    bits = scores.contiguous().view(torch.int32).to(torch.int64)
    return torch.where(bits >= 0, bits, -(bits & 0x7FFFFFFF)) + (1 << 31)


def _select(values: np.ndarray, k: int) -> tuple[float, int]:
    """The (k + 1)-th largest value and how many are larger."""
    place = max(0, len(values) - 1 - k)
    value = np.partition(values, place)[place]
    return float(value), int(np.count_nonzero(values > value))


def _places(flag: torch.Tensor) -> torch.Tensor:
    """Where a flag is set; numpy's is several times faster on a processor."""
    if flag.device.type == "cpu":
        return torch.from_numpy(np.flatnonzero(flag.numpy()))
    return torch.nonzero(flag)[:, 0]


def _between(score: torch.Tensor, low: float, high: float) -> np.ndarray:
    """Values in [low, high)."""
    if score.device.type != "cpu":
        return np.asarray(score[(score >= low) & (score < high)].cpu())
    values = score.numpy()
    inside = values >= np.float32(low)
    if high != np.inf:
        inside &= values < np.float32(high)
    return np.asarray(values[inside])
