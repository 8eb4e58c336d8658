"""Face identification: closed set (which identity of a gallery) and open set (any of them).

For millions of distractors use :func:`~clmle.metrics.open_set`; :func:`cmc` takes its ranks, too.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from clmle.checks import array_of, names_of, whole
from clmle.errors import InputError
from clmle.metrics.intervals import proportion, wilson
from clmle.metrics.pair_features import unit_rows
from clmle.metrics.roc import allowed, least_pairs

BLOCK = 1 << 24  # similarities in memory
FPIRS = (1e-1, 1e-2, 1e-3)


def cmc(ranks: Any, largest: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative match characteristic: the fraction of probes of rank at most r.

    Parameters
    ----------
    ranks : integer array of shape (n,)
        Rank of the mate of every probe, from 1.
    largest : int, optional
        The last rank of the curve; by default the largest in ``ranks``.

    Returns
    -------
    (ranks (r,), fractions (r,))
        The ranks at which the curve rises, and 1 and ``largest``.

    References
    ----------
    P. J. Grother, P. J. Phillips, *Models of large population recognition performance*, CVPR 2004.

    Examples
    --------
    >>> at, fraction = cmc([1, 1, 3, 10])
    >>> at.tolist(), fraction.tolist()
    ([1, 3, 10], [0.5, 0.75, 1.0])
    """
    r = array_of(ranks, "ranks")
    if r.ndim != 1 or not len(r) or r.dtype.kind not in "iu" or r.min() < 1:
        raise InputError("ranks must be integers (n,) from 1, at least one.")
    ends = [1] if largest is None else [1, whole(largest, "largest", 1)]
    at = np.unique(np.concatenate([r, ends]))
    at = at if largest is None else at[at <= largest]
    return at, np.searchsorted(np.sort(r), at, "right") / len(r)


def identify(
    gallery: Any,
    gallery_identities: Any,
    probes: Any,
    probe_identities: Any,
    *,
    fpirs: Sequence[float] = FPIRS,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Closed-set and open-set identification of probes in a gallery, exactly.

    The similarity of an identity to a probe is that of its most similar gallery image. The rank of
    the true identity is 1 plus the number of others at least as similar: ties count against it.
    Probes without a mate in the gallery are the impostors of the open set: with n of them, a false
    positive identification rate (FPIR) allows floor(FPIR n) whose best match is above the
    threshold, as in :func:`tar_at_far`. TPIR is the fraction of mated probes whose true identity
    is first and above the threshold.

    Parameters
    ----------
    gallery, probes : arrays of shape (g, d) and (p, d)
        Features of any length; similarities are cosines.
    gallery_identities, probe_identities : arrays of shape (g,) and (p,)
        Identity of every row.
    fpirs : sequence of float
        Target FPIRs in (0, 1).
    n_bootstrap, seed : int
        Bootstrap samples over identities, and their seed.

    Returns
    -------
    dict
        ``ranks`` of the mated probes; ``rank_one``, a dict of ``rate``, ``interval`` (Wilson),
        ``identity_interval`` (bootstrap over whole identities) and ``n``; ``tpir_at_fpir``, for
        each target ``fpir``, ``allowed``, ``threshold``, ``tpir``, ``interval`` and ``note``;
        ``n_unmated``.

    References
    ----------
    B. F. Klare et al., *Pushing the frontiers of unconstrained face detection and recognition:
    IARPA Janus Benchmark A*, CVPR 2015.

    Examples
    --------
    >>> found = identify(np.eye(3)[:2], ["ann", "bo"], np.eye(3), ["ann", "bo", "cy"])
    >>> found["rank_one"]["rate"], found["n_unmated"]
    (1.0, 1)
    """
    g, p = unit_rows(gallery, "gallery"), unit_rows(probes, "probes")
    if g.shape[1] != p.shape[1]:
        raise InputError(
            f"gallery and probes must have the same dimension, not {g.shape[1]} and {p.shape[1]}."
        )
    owner = names_of(gallery_identities, "gallery_identities", len(g), "images")
    names = names_of(probe_identities, "probe_identities", len(p), "probes")
    identities, index = np.unique(owner, return_inverse=True)
    order = np.argsort(index, kind="stable")
    starts = np.searchsorted(index[order], np.arange(len(identities)))
    true = np.searchsorted(identities, names).clip(max=len(identities) - 1)
    mated = identities[true] == names
    if not mated.any():
        raise InputError("No probe has a mate in the gallery; use the same names in both.")
    ranks = np.empty(len(p), dtype=np.int64)
    first = np.empty(len(p))
    step = max(1, BLOCK // len(g))
    for start in range(0, len(p), step):
        part = slice(start, start + step)
        best = np.maximum.reduceat(p[part] @ g[order].T, starts, axis=1)
        own = np.take_along_axis(best, true[part, None], axis=1)
        ranks[part] = (best >= own).sum(axis=1)
        first[part] = best.max(axis=1)
    hits = ranks[mated] == 1
    return {
        "ranks": ranks[mated],
        "rank_one": proportion(hits, names[mated], name="rate", n_bootstrap=n_bootstrap, seed=seed),
        "tpir_at_fpir": [_tpir(f, first[mated], hits, first[~mated]) for f in fpirs],
        "n_unmated": int((~mated).sum()),
    }


def _tpir(
    fpir: float, similarity: np.ndarray, hits: np.ndarray, unmated: np.ndarray
) -> dict[str, Any]:
    """The metrics at one target FPIR from the best similarities of mated and unmated probes."""
    k = allowed(fpir, len(unmated))
    row: dict[str, Any] = {"fpir": fpir, "allowed": k, "threshold": None, "tpir": None,
                           "interval": None, "note": ""}  # fmt: skip
    if not k:
        row["note"] = (
            f"FPIR {fpir:g} needs at least {least_pairs(fpir):,} probes without a mate in the "
            f"gallery, and there are {len(unmated):,}."
        )
        return row
    threshold = float(np.sort(unmated)[len(unmated) - 1 - k])
    found = hits & (similarity > threshold)
    return row | {"threshold": threshold, "tpir": float(found.mean()),
                  "interval": wilson(int(found.sum()), len(found))}  # fmt: skip
