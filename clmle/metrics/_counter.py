"""Exact counts over all probe x distractor similarities, without storing or sorting them.

Each similarity s is in bucket floor(s B / 2) of its probe. B is a power of two, so that scaling by
it is exact; the probes are scaled once. A scattered addition counts the similarities in each
bucket. The counts give the number of similarities above every bucket. Inside a bucket:

- ranks: similarities in a bucket with a mate of the same probe are compared with the mate;
- thresholds: the largest similarities, and those in buckets that may contain a threshold, are
  stored.

A table marks both kinds of buckets. They contain a small fraction of all similarities, so that a
pass takes little longer than its matrix product.
"""

import queue
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

LARGEST = 1 << 24  # integers that float32 represents exactly
MOST_BUCKETS = 1 << 12  # of one probe: the buckets in use fit the cache of a core
TABLE_BYTES = 1 << 28
WINDOW_VALUES = 1 << 27  # similarities stored in windows, at most
MATE, TOP, WINDOW = 1, 2, 4
Window = tuple[float, float]  # [low, high) at edges of buckets: similarities in it are stored


class Counter:
    """Counts of unit ``probes`` (P, d) against blocks, ranks of mates, and the stored values."""

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
        device = probes.device
        self.n_probes, self.keep = len(probes), keep
        self.half = buckets(len(probes)) // 2
        self.stride = 2 * self.half + 2  # rounding may exceed -1 and 1
        self.scaled = probes * self.half
        self.rows = max(1, min(rows, len(probes), LARGEST // self.stride))
        self.columns = columns
        self.counts = torch.zeros(len(probes) * self.stride, dtype=torch.int32, device=device)
        self.marks = torch.full_like(self.counts, TOP, dtype=torch.uint8)
        self.seen = 0
        self.low = -np.inf  # scaled, as all similarities of this class
        self.top: list[np.ndarray] = []
        self.place_windows(windows)
        self._place_mates(mate_probe, mate_score)
        self._scratch: queue.SimpleQueue[_Scratch] = queue.SimpleQueue()
        for _ in range(threads):
            self._scratch.put(_Scratch(self.rows * columns, device))

    def place_windows(self, windows: list[Window]) -> None:
        """Store similarities in ``windows`` from now on, and drop those of earlier windows."""
        self.windows, self.kept = windows, list[np.ndarray]()
        table = self.marks.view(self.n_probes, self.stride)
        table &= 255 - WINDOW
        for low, high in windows:
            table[:, self._slot(low) : self._slot(high)] |= WINDOW

    def _slot(self, similarity: float) -> int:
        return int(np.clip(np.floor(similarity * self.half) + self.half + 1, 0, self.stride))

    def _place_mates(self, probe: np.ndarray, score: np.ndarray) -> None:
        device = self.scaled.device
        s = torch.from_numpy(score.astype(np.float32)).to(device) * self.half
        rows = torch.from_numpy(probe.astype(np.int64)).to(device)
        key = (rows << 33) + ordered(s)
        self.order = torch.argsort(key)
        self.mate_key = key[self.order]
        slot = torch.floor(s).to(torch.int64) + self.half + 1
        self.mate_slot = (rows * self.stride + slot)[self.order]
        self.marks[self.mate_slot] |= MATE
        # Similarities in the bucket of mate j, at or above it and below the next mate.
        self.between = torch.zeros(len(s), dtype=torch.int64, device=device)
        self.mate_probe = np.sort(probe)

    def mates_of(self, first: int, n: int) -> slice:
        """The mates of ``n`` probes from row ``first``."""
        return slice(*(int(i) for i in np.searchsorted(self.mate_probe, [first, first + n])))

    def add(self, block: torch.Tensor, pool: ThreadPoolExecutor) -> None:
        """Count one block (m, d) at unit length against all probes."""
        for top, kept in pool.map(lambda first: self._strip(first, block), self.strips()):
            self.top += top
            self.kept += kept
        self.seen += len(block)
        if sum(map(len, self.top)) > 2 * self.keep:
            self._trim()
        if sum(map(len, self.kept)) > WINDOW_VALUES:  # a wrong prediction: drop them
            self.place_windows([])

    def strips(self) -> range:
        """First probes of the strips; each strip is counted by one thread."""
        return range(0, self.n_probes, self.rows)

    def _strip(self, first: int, block: torch.Tensor) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Count a strip of probes against the block in tiles; values for top and windows."""
        probes = self.scaled[first : first + self.rows]
        n = len(probes)
        own = slice(first * self.stride, (first + n) * self.stride)
        counts, marks = self.counts[own], self.marks[own]
        offset = torch.arange(n, dtype=torch.float32, device=block.device)[:, None]
        offset = offset * self.stride + (self.half + 1)
        top, kept = [], []
        scratch = self._scratch.get()
        try:
            for start in range(0, len(block), self.columns):
                part = block[start : start + self.columns]
                score, work, slot, ones, mark, flag = scratch.tile(n, len(part))
                torch.mm(probes, part.T, out=score)
                torch.floor(score, out=work).add_(offset)
                slot.copy_(work)
                flat = slot.view(-1)
                counts.scatter_add_(0, flat, ones)
                torch.index_select(marks, 0, flat, out=mark)
                marked = _indices(torch.ne(mark, 0, out=flag))
                if len(marked):
                    mark, values = mark[marked], score.view(-1)[marked]
                    mates = torch.nonzero(mark & MATE)[:, 0]
                    self._compare(values[mates], flat[marked[mates]], first, n)
                    top.append(_array(values[((mark & TOP) > 0) & (values >= self.low)]))
                    kept.append(_array(values[(mark & WINDOW) > 0]))
        finally:
            self._scratch.put(scratch)
        return top, kept

    def _compare(self, score: torch.Tensor, slot: torch.Tensor, first: int, n: int) -> None:
        """Count similarities in the bucket of a mate at the next mate below them."""
        mates = self.mates_of(first, n)
        row = torch.div(slot, self.stride, rounding_mode="floor") + first
        key = (row << 33) + ordered(score)
        below = torch.searchsorted(self.mate_key[mates], key, right=True) - 1
        same = below >= 0
        below, slot = below[same], slot[same] + first * self.stride
        below = below[self.mate_slot[mates][below] == slot]
        self.between[mates] += torch.bincount(below, minlength=mates.stop - mates.start)

    def _trim(self) -> None:
        """Drop all but the ``keep`` largest; later values must be above them."""
        values = np.concatenate(self.top)
        place = len(values) - self.keep
        values = np.partition(values, place)[place:]
        self.low = float(np.nextafter(values[0], np.float32(np.inf)))
        self.top = [values]
        table = self.marks.view(self.n_probes, self.stride)
        table[:, : self._slot(self.low / self.half)] &= 255 - TOP

    def total_counts(self) -> np.ndarray:
        """Similarities of all probes in every bucket, (B + 2,)."""
        parts = [c.sum(dim=0, dtype=torch.int64) for c in self._by_probe().split(256)]
        return _array(torch.stack(parts).sum(dim=0))

    def _by_probe(self) -> torch.Tensor:
        return self.counts.view(self.n_probes, self.stride)

    def edge(self, slot: int) -> float:
        """The lowest similarity of a bucket."""
        return (slot - 1 - self.half) / self.half

    def ranks(self) -> np.ndarray:
        """For every mate, in the given order: 1 + the similarities of its probe at or above it."""
        above = torch.empty_like(self.between)
        for first in range(0, self.n_probes, 256):
            counts = self._by_probe()[first : first + 256]
            mates = self.mates_of(first, 256)
            upto = torch.cumsum(counts, dim=1, dtype=torch.int32).view(-1)
            above[mates] = self.seen - upto[self.mate_slot[mates] - first * self.stride].long()
        # A mate is also below the similarities counted at higher mates of its bucket.
        total = torch.cumsum(self.between.flip(0), 0).flip(0)
        last = torch.searchsorted(self.mate_slot, self.mate_slot, right=True)
        beyond = torch.cat([total, total.new_zeros(1)])[last]
        ranks = torch.empty_like(above)
        ranks[self.order] = 1 + above + total - beyond
        return _array(ranks)

    def largest(self, k: int) -> tuple[float, int] | None:
        """The (k + 1)-th largest similarity and the number of larger ones; None if not stored."""
        if k < min(self.keep, self.seen * self.n_probes):
            value, larger = _select(np.concatenate(self.top), k)
            return value / self.half, larger
        slot, above = self.bucket_of(k)
        low, high = self.edge(slot), self.edge(slot + 1)
        if not any(start <= low and high <= end for start, end in self.windows):
            return None
        ends = low * self.half, high * self.half
        own = np.concatenate([v[(v >= ends[0]) & (v < ends[1])] for v in self.kept])
        value, larger = _select(own, k - above)
        return value / self.half, above + larger

    def bucket_of(self, k: int) -> tuple[int, int]:
        """The bucket of the (k + 1)-th largest similarity, and the number above that bucket."""
        at_or_above = np.append(np.cumsum(self.total_counts()[::-1])[::-1], 0)
        slot = int(np.flatnonzero(at_or_above > k).max())
        return slot, int(at_or_above[slot + 1])

    def second_pass(
        self, blocks: Iterable[torch.Tensor], ks: list[int], pool: ThreadPoolExecutor
    ) -> None:
        """Read all blocks again to store the buckets of the (k + 1)-th largest similarities."""
        slots = {self.bucket_of(k)[0] for k in ks}
        self.place_windows([(self.edge(slot), self.edge(slot + 1)) for slot in slots])
        for block in blocks:
            for kept in pool.map(lambda first, b=block: self._keep_strip(first, b), self.strips()):
                self.kept += kept

    def _keep_strip(self, first: int, block: torch.Tensor) -> list[np.ndarray]:
        probes, kept = self.scaled[first : first + self.rows], []
        ends = [(low * self.half, high * self.half) for low, high in self.windows]
        for start in range(0, len(block), self.columns):
            score = probes @ block[start : start + self.columns].T
            kept += [_array(score[(score >= low) & (score < high)]) for low, high in ends]
        return kept


class _Scratch:
    """Memory of one thread, reused for every tile."""

    def __init__(self, size: int, device: torch.device) -> None:
        self.score = torch.empty(size, device=device)
        self.work = torch.empty(size, device=device)
        self.slot = torch.empty(size, dtype=torch.int64, device=device)
        self.ones = torch.ones(size, dtype=torch.int32, device=device)
        self.mark = torch.empty(size, dtype=torch.uint8, device=device)
        self.flag = torch.empty(size, dtype=torch.bool, device=device)

    def tile(self, n: int, m: int) -> tuple[torch.Tensor, ...]:
        size = n * m
        score, work, slot = (t[:size].view(n, m) for t in (self.score, self.work, self.slot))
        return score, work, slot, self.ones[:size], self.mark[:size], self.flag[:size]


def buckets(n_probes: int) -> int:
    """Buckets of a probe, a power of two; those of all probes fit into ``TABLE_BYTES``."""
    most = TABLE_BYTES // (4 * n_probes)
    return max(1 << 8, min(MOST_BUCKETS, 1 << (most.bit_length() - 1)))


def ordered(scores: torch.Tensor) -> torch.Tensor:
    """Integers from 0 to 2^33 in the order of float32 ``scores``; -0 is 0."""
    bits = scores.contiguous().view(torch.int32).to(torch.int64)
    return torch.where(bits >= 0, bits, -(bits & 0x7FFFFFFF)) + (1 << 31)


def _select(values: np.ndarray, k: int) -> tuple[float, int]:
    """The (k + 1)-th largest value and the number of larger ones."""
    place = max(0, len(values) - 1 - k)
    value = np.partition(values, place)[place]
    return float(value), int(np.count_nonzero(values > value))


def _indices(flag: torch.Tensor) -> torch.Tensor:
    """Indices of set flags; on a CPU NumPy finds them several times faster."""
    if flag.device.type == "cpu":
        return torch.from_numpy(np.flatnonzero(flag.numpy()))
    return torch.nonzero(flag)[:, 0]


def _array(values: torch.Tensor) -> np.ndarray:
    return np.asarray(values.cpu())
