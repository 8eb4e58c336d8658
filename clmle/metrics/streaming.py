"""Exact verification and identification against millions of distractors in one pass.

The MegaFace protocol: every probe is compared with the other images of its identity, its mates, and
with every distractor. 4,000 probes and a million distractors are 4 billion impostor pairs. They are
counted while they are computed; only the similarities near a threshold are stored (see
``clmle/metrics/_counter.py``).
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch

from clmle.checks import names_of
from clmle.errors import InputError
from clmle.metrics._blocks import blocks, checked, unit_tensor
from clmle.metrics._counter import Counter
from clmle.metrics._thresholds import keep_for, predicted_windows, tar_rows
from clmle.metrics.intervals import fraction_over_identities, proportion
from clmle.metrics.roc import FARS, eer
from clmle.threads import one_thread_each

SIZES = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
BLOCK = 16_384  # distractors at a time


@dataclass(frozen=True)
class OpenSetMetrics:
    """Exact metrics of probes against distractors.

    Attributes
    ----------
    tar_at_far : list of dict
        As of :func:`tar_at_far`.
    rank_one : list of dict
        For each number of ``distractors``: ``rate``, ``interval`` (Wilson), ``identity_interval``
        (bootstrap over whole identities) and ``n``.
    ranks : dict of int to array of shape (G,)
        Number of distractors -> rank of every mate.
    probe, mate : arrays of shape (G,)
        Rows of each ordered pair of images of one identity.
    genuine : array of shape (G / 2,)
        Similarities of these pairs, each pair once.
    edges, impostors : arrays of shape (B + 1,) and (B,)
        Number of impostor pairs between successive similarities.
    roc : array of shape (2, B + 1)
        FAR and TAR at each edge, both exact.
    auc, auc_error, eer : float
        From the buckets; ``auc`` is exact up to ``auc_error``.
    n_distractors, n_impostor, passes : int
        Number of distractors read, of impostor pairs, and of passes over the distractors.
    seconds : float
        Duration.
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
    seconds: float
    passes: int

    def summary(self) -> dict[str, Any]:
        """The metrics as plain numbers, for JSON."""
        arrays = ("ranks", "probe", "mate", "genuine", "edges", "impostors", "roc")
        found = {name: value for name, value in vars(self).items() if name not in arrays}
        return found | {"n_genuine": len(self.genuine)}


def open_set(
    probes: Any,
    identities: Any,
    distractors: Any,
    *,
    fars: Sequence[float] = FARS,
    sizes: Sequence[int] = SIZES,
    device: str | torch.device | None = None,
    block: int = BLOCK,
    tile: tuple[int, int] = (250, 4096),
    progress: Callable[[int, int], None] | None = None,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> OpenSetMetrics:
    """TAR at FAR and the rank of every mate among distractors, exactly, in one pass.

    Similarities are cosines in float32; the metrics of these similarities are exact. Two images of
    one identity are a genuine pair; a probe and a distractor are an impostor pair. The rank of a
    mate is 1 plus the number of distractors at least as similar to the probe: ties count against
    it.

    Parameters
    ----------
    probes : array or tensor of shape (P, d)
        Features of any length.
    identities : array of shape (P,)
        Identity of each probe; at least one must have two images.
    distractors : array, tensor or np.memmap of shape (M, d)
        In random order, since ``sizes`` take the first 10, 100, ... of them.
    fars : sequence of float
        Target FARs in (0, 1).
    sizes : sequence of int
        Numbers of distractors at which ranks are taken; always also all of them.
    device : str or torch.device, optional
        By default the GPU if there is one.
    block, tile : int, (int, int)
        Distractors at a time; probes and distractors of one matrix product.
    progress : callable, optional
        Called after every block with the number of distractors read and M.
    n_bootstrap, seed : int
        Bootstrap samples over identities, and their seed.

    Returns
    -------
    OpenSetMetrics

    Notes
    -----
    The thresholds of FARs up to KEEP / (P M) are among the largest similarities, which are stored.
    For a larger FAR the range of its threshold is predicted from a sample, and the similarities in
    it are stored. If the prediction fails, the distractors are read a second time. Memory: about
    0.6 GB, and 4 bytes for each stored similarity.

    References
    ----------
    I. Kemelmacher-Shlizerman et al., *The MegaFace benchmark: 1 million faces for recognition at
    scale* (CVPR 2016).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> identities = np.repeat(np.arange(5), 2)
    >>> probes = np.eye(5)[identities] + 0.1 * rng.normal(size=(10, 5))
    >>> found = open_set(probes, identities, rng.normal(size=(1000, 5)), fars=[1e-2])
    >>> found.n_impostor, len(found.genuine), sorted(found.ranks)
    (10000, 5, [10, 100, 1000])
    """
    began = time.monotonic()
    device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    units, names = _checked_probes(probes, identities, device)
    probe, mate = _mate_pairs(names)
    score = _pair_scores(units, probe, mate)
    distractors = checked(distractors, units.shape[1])
    total = len(distractors)
    cuts = sorted({int(s) for s in sizes if 0 < s < total})
    keep = keep_for(fars, len(units) * total)
    windows = predicted_windows(units, distractors, fars, keep, seed)
    on_gpu = device.type == "cuda"
    rows, columns = (1000, block) if on_gpu else tile
    threads = 1 if on_gpu else torch.get_num_threads()
    counter = Counter(units, probe, score, keep=keep, windows=windows, rows=rows,
                      columns=min(columns, block), threads=threads)  # fmt: skip
    ranks: dict[int, np.ndarray] = {}
    with one_thread_each(threads) as pool:
        again = partial(blocks, distractors, block, cuts, device)
        for rows_ in again():
            counter.add(rows_, pool)
            if counter.seen in cuts:
                ranks[counter.seen] = counter.ranks()
            if progress is not None:
                progress(counter.seen, total)
        ranks[counter.seen] = counter.ranks()
        once = probe < mate
        tars, passes = tar_rows(counter, fars, score[once], again, pool)
    for row in tars:
        if row["tar"] is not None:
            row["identity_interval"] = fraction_over_identities(
                score[once] > row["threshold"], names[probe[once]],
                n_bootstrap=n_bootstrap, seed=seed,
            )  # fmt: skip
    return OpenSetMetrics(
        tar_at_far=tars,
        rank_one=[
            {"distractors": size}
            | proportion(r == 1, names[probe], name="rate", n_bootstrap=n_bootstrap, seed=seed)
            for size, r in ranks.items()
        ],
        ranks=ranks, probe=probe, mate=mate, genuine=score[once],
        **_curve(counter, score[once]),
        n_distractors=counter.seen, n_impostor=counter.seen * len(units),
        seconds=time.monotonic() - began, passes=passes,
    )  # fmt: skip


def _checked_probes(
    probes: Any, identities: Any, device: torch.device
) -> tuple[torch.Tensor, np.ndarray]:
    shape = tuple(getattr(probes, "shape", np.shape(probes)))
    if len(shape) != 2 or 0 in shape:
        raise InputError(f"probes must be (P, d), at least one, but are {shape}.")
    names = names_of(identities, "identities", shape[0], "probes")
    return unit_tensor(probes, device, "probes", range(shape[0])), names


def _mate_pairs(names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows (probe, mate) of all ordered pairs of images of one identity."""
    index = np.unique(names, return_inverse=True)[1]
    order = np.argsort(index, kind="stable")
    pairs = []
    for rows in np.split(order, np.flatnonzero(np.diff(index[order])) + 1):
        probe, mate = np.repeat(rows, len(rows)), np.tile(rows, len(rows))
        pairs.append(np.stack([probe, mate])[:, probe != mate])
    probe, mate = np.concatenate(pairs, axis=1)
    if not len(probe):
        raise InputError("No identity has two images among the probes; give at least one pair.")
    return probe, mate


def _pair_scores(units: torch.Tensor, probe: np.ndarray, mate: np.ndarray) -> np.ndarray:
    """Similarities (G,), identical for both orders of a pair."""
    scores = np.empty(len(probe), dtype=np.float32)
    first, second = np.minimum(probe, mate), np.maximum(probe, mate)
    for start in range(0, len(probe), 8192):
        part = slice(start, start + 8192)
        rows = [torch.from_numpy(r[part]).to(units.device) for r in (first, second)]
        scores[part] = (units[rows[0]] * units[rows[1]]).sum(dim=1).cpu()
    return scores


def _curve(counter: Counter, genuine: np.ndarray) -> dict[str, Any]:
    """The impostors in buckets, the exact ROC curve at their edges, and areas from them."""
    counts = counter.total_counts()
    edges = np.array([counter.edge(slot) for slot in range(len(counts) + 1)])
    at_or_above = np.append(np.cumsum(counts[::-1])[::-1], 0)
    far = at_or_above / at_or_above[0]
    ordered = np.sort(genuine.astype(np.float64))
    tar = 1 - np.searchsorted(ordered, edges, "left") / len(ordered)
    slot = np.searchsorted(edges, ordered, "right") - 1
    own = counts[slot] / at_or_above[0]
    below = 1 - far[slot]
    return {
        "edges": edges, "impostors": counts, "roc": np.stack([far, tar]),
        "auc": float((below + own / 2).mean()), "auc_error": float((own / 2).mean()),
        "eer": eer(far[::-1], tar[::-1]),
    }  # fmt: skip
