"""Verification and identification against millions of distractors in one pass, exactly.

MegaFace's protocol (I. Kemelmacher-Shlizerman et al., 2016): every probe is compared with other
images of the same person, its mates, and with every distractor. 4,000 probes and a million
distractors are 4 billion impostor pairs; they are counted as they are computed, none is stored
beyond the few that may decide (see ``clmle/metrics/_counter.py``).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch

from clmle.checks import array_of
from clmle.errors import InputError
from clmle.metrics._blocks import Source, unit_tensor
from clmle.metrics._counter import Counter
from clmle.metrics._thresholds import foresee, keep_for, tar_rows
from clmle.metrics.intervals import fraction_over_identities, wilson
from clmle.metrics.roc import FARS, eer
from clmle.threads import one_thread_each

SIZES = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
BLOCK = 16_384  # distractors at a time


@dataclass(frozen=True)
class OpenSet:
    """Exact figures of probes against distractors.

    ``tar_at_far`` is a list as of :func:`~clmle.metrics.roc.tar_at_far` with, for each target,
    ``exact`` and ``bounds``: where an iterator's first block misled and the threshold is
    known to a bucket only, the TAR lies between the bounds. ``rank_one``: for every number of
    distractors {distractors, share, interval (Wilson), people_interval, n}. ``ranks``: number of
    distractors -> rank of every mate (G,), with ``probe`` and ``mate`` (G,) their rows.
    ``genuine`` (pairs,) similarities, each pair once. ``edges`` (B + 1,) and ``impostors`` (B,):
    how many impostor pairs lie from each edge to the next. ``roc``: FAR and TAR (2, B + 1), both
    exact, of accepting from each edge on.
    ``auc``, ``auc_error``, ``eer``: from those buckets, ``auc`` right to within ``auc_error``.
    """

    tar_at_far: list[dict[str, Any]]
    rank_one: list[dict[str, Any]]
    ranks: dict[int, np.ndarray] = field(repr=False)
    probe: np.ndarray = field(repr=False)
    mate: np.ndarray = field(repr=False)
    genuine: np.ndarray = field(repr=False)
    edges: np.ndarray = field(repr=False)
    impostors: np.ndarray = field(repr=False)
    roc: np.ndarray = field(repr=False)
    auc: float
    auc_error: float
    eer: float
    n_distractors: int
    n_impostor: int
    stopped: bool
    seconds: float
    passes: int

    def summary(self) -> dict[str, Any]:
        """The figures as plain numbers, for JSON."""
        return {
            "tar_at_far": self.tar_at_far, "rank_one": self.rank_one, "auc": self.auc,
            "auc_error": self.auc_error, "eer": self.eer, "n_genuine": len(self.genuine),
            "n_impostor": self.n_impostor, "n_distractors": self.n_distractors,
            "stopped": self.stopped, "seconds": self.seconds, "passes": self.passes,
        }  # fmt: skip


def open_set(
    probes: Any,
    people: Any,
    distractors: Any,
    *,
    fars: Sequence[float] = FARS,
    sizes: Sequence[int] = SIZES,
    n_distractors: int | None = None,
    device: str | torch.device | None = None,
    block: int = BLOCK,
    tile: tuple[int, int] = (250, 4096),
    progress: Callable[[int, int], None] | None = None,
    stop: Callable[[], bool] | None = None,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> OpenSet:
    """TAR at FAR and the rank of every mate among distractors, exact, in one pass over them.

    Similarities are cosines in float32: whatever the length of the features, and "exact"
    is meant of the similarities so computed. Two images of one person are a genuine pair; a
    probe with a distractor is an impostor pair. The rank of a mate is 1 plus the distractors that
    are as similar to the probe or more: ties count against it.

    Parameters
    ----------
    probes : (P, d) array or tensor
    people : (P,) who is on each probe; someone must have two images
    distractors : (M, d) array, tensor or np.memmap, or an iterator of such blocks (m, d)
        In the order in which ``sizes`` take the first 10, 100, ...: shuffle them beforehand.
    fars : targets in (0, 1)
    sizes : numbers of distractors at which ranks are taken; all of them always are
    n_distractors : int, optional
        M of an iterator, for the progress and to check it.
    device : by default the GPU where there is one
    block, tile : distractors at a time; probes and distractors of one matrix product
    progress : called with (distractors done, M, or 0 where unknown) after every block
    stop : asked after every block; true ends the pass, with figures of what was seen

    Raises
    ------
    InputError
        Shapes that differ, NaN, rows of zeros (named by number), nobody with two images.

    Notes
    -----
    The thresholds of FARs up to KEEP / (P M) come from the largest similarities, always exact.
    For larger ones the part that may hold the threshold is foreseen from a sample and kept;
    should the sample have misled, an array is read a second time, and an iterator's result says
    so and gives bounds. Memory: about 0.6 GB and 4 bytes for each similarity kept.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> people = np.repeat(np.arange(5), 2)
    >>> probes = np.eye(5)[people] + 0.1 * rng.normal(size=(10, 5))
    >>> found = open_set(probes, people, rng.normal(size=(1000, 5)), fars=[1e-2])
    >>> found.n_impostor, len(found.genuine), sorted(found.ranks)
    (10000, 5, [10, 100, 1000])
    """
    began = time.monotonic()
    device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    units, names = _checked_probes(probes, people, device)
    probe, mate = _mate_pairs(names)
    score = _pair_scores(units, probe, mate)
    source = Source(distractors, units.shape[1], device, n_distractors)
    total = source.total
    cuts = sorted({int(s) for s in sizes if s > 0 and (total is None or s < total)})
    if total is not None and total >= 1 << 31:
        raise InputError(
            f"{total:,} distractors are more than the {1 << 31:,} that can be counted."
        )
    expected = None if total is None else len(units) * total
    keep = keep_for(fars, expected)
    windows = foresee(units, source, fars, keep, expected, seed)
    on_gpu = device.type == "cuda"
    rows, columns = (1000, block) if on_gpu else tile
    threads = 1 if on_gpu else torch.get_num_threads()
    counter = Counter(units, probe, score, keep=keep, windows=windows, rows=rows,
                      columns=min(columns, block), threads=threads)  # fmt: skip
    ranks: dict[int, np.ndarray] = {}
    stopped = False
    with one_thread_each(threads) as pool:
        for rows_ in source.blocks(block, cuts):
            counter.add(rows_, pool)
            if counter.seen in cuts:
                ranks[counter.seen] = counter.ranks()
            if progress is not None:
                progress(counter.seen, total or 0)
            if stop is not None and stop() and counter.seen != total:
                stopped = True
                break
        if not counter.seen:
            raise InputError("There is no distractor; give at least one block of them.")
        ranks[counter.seen] = counter.ranks()
        once = probe < mate
        again = partial(source.blocks, block, cuts) if source.again and not stopped else None
        tars, passes = tar_rows(counter, fars, score[once], again, pool)
    for row in tars:
        if row["tar"] is not None:
            row["people_interval"] = fraction_over_identities(
                score[once] > row["threshold"], names[probe[once]],
                n_bootstrap=n_bootstrap, seed=seed,
            )  # fmt: skip
    return OpenSet(
        tar_at_far=tars,
        rank_one=[
            _rank_one(size, r, names[probe], n_bootstrap, seed) for size, r in ranks.items()
        ],
        ranks=ranks, probe=probe, mate=mate, genuine=score[once],
        **_curve(counter, score[once]),
        n_distractors=counter.seen, n_impostor=counter.seen * len(units),
        stopped=stopped, seconds=time.monotonic() - began, passes=passes,
    )  # fmt: skip


def _checked_probes(
    probes: Any, people: Any, device: torch.device
) -> tuple[torch.Tensor, np.ndarray]:
    shape = tuple(getattr(probes, "shape", np.shape(probes)))
    if len(shape) != 2 or 0 in shape:
        raise InputError(f"probes must be (P, d), at least one, but are {shape}.")
    names = array_of(people, "people")
    if names.shape != shape[:1]:
        raise InputError(
            f"people must name one for each of {shape[0]:,} probes, not {names.shape}."
        )
    return unit_tensor(probes, device, "probes", range(shape[0])), names


def _mate_pairs(names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows (probe, mate) of all ordered pairs of images of one person."""
    index = np.unique(names, return_inverse=True)[1]
    order = np.argsort(index, kind="stable")
    pairs = []
    for rows in np.split(order, np.flatnonzero(np.diff(index[order])) + 1):
        probe, mate = np.repeat(rows, len(rows)), np.tile(rows, len(rows))
        pairs.append(np.stack([probe, mate])[:, probe != mate])
    probe, mate = np.concatenate(pairs, axis=1)
    if not len(probe):
        raise InputError("Nobody has two images among the probes, so that there is no mate.")
    return probe, mate


def _pair_scores(units: torch.Tensor, probe: np.ndarray, mate: np.ndarray) -> np.ndarray:
    """Similarities (G,); both orders of a pair have the same one."""
    scores = np.empty(len(probe), dtype=np.float32)
    first, second = np.minimum(probe, mate), np.maximum(probe, mate)
    for start in range(0, len(probe), 8192):
        part = slice(start, start + 8192)
        rows = [torch.from_numpy(r[part]).to(units.device) for r in (first, second)]
        scores[part] = (units[rows[0]] * units[rows[1]]).sum(dim=1).cpu()
    return scores


def _rank_one(
    size: int, ranks: np.ndarray, people: np.ndarray, n_bootstrap: int, seed: int
) -> dict[str, Any]:
    hits = ranks == 1
    return {
        "distractors": size,
        "share": float(hits.mean()),
        "interval": wilson(int(hits.sum()), len(hits)),
        "people_interval": fraction_over_identities(
            hits, people, n_bootstrap=n_bootstrap, seed=seed
        ),
        "n": len(hits),
    }


def _curve(counter: Counter, genuine: np.ndarray) -> dict[str, Any]:
    """Buckets of impostors, the exact curve at their edges, and areas from them."""
    counts = counter.total_counts()
    edges = np.array([counter.edge(slot) for slot in range(len(counts) + 1)])
    upwards = np.append(np.cumsum(counts[::-1])[::-1], 0)
    far = upwards / upwards[0]
    ordered = np.sort(genuine.astype(np.float64))
    tar = 1 - np.searchsorted(ordered, edges, "left") / len(ordered)
    slot = np.searchsorted(edges, ordered, "right") - 1
    own = counts[slot] / upwards[0]
    below = 1 - far[slot]
    return {
        "edges": edges,
        "impostors": counts,
        "roc": np.stack([far, tar]),
        "auc": float((below + own / 2).mean()),
        "auc_error": float((own / 2).mean()),
        "eer": eer(far[::-1], tar[::-1]),
    }
