"""Face identification: who of a gallery is it (closed set), and is it any of them (open set)?

Against a million distractors use :func:`~clmle.metrics.streaming.open_set`, whose ranks go into
:func:`cmc` too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clmle.checks import array_of, whole
from clmle.errors import InputError
from clmle.metrics.intervals import fraction_over_identities, wilson
from clmle.metrics.pair_features import unit_rows
from clmle.metrics.roc import allowed

BLOCK = 1 << 24  # similarities at a time
FPIRS = (1e-1, 1e-2, 1e-3)


def cmc(ranks: Any, largest: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative match characteristic: share of probes whose mate has a rank of at most r.

    Parameters
    ----------
    ranks : (n,) whole numbers from 1
    largest : int, optional
        The curve's last rank; by default the largest that occurs.

    Returns
    -------
    (ranks (r,), shares (r,)) : the ranks where the curve rises, with 1 and ``largest``

    Examples
    --------
    >>> at, share = cmc([1, 1, 3, 10])
    >>> at.tolist(), share.tolist()
    ([1, 3, 10], [0.5, 0.75, 1.0])
    """
    r = array_of(ranks, "ranks")
    if r.ndim != 1 or not len(r) or r.dtype.kind not in "iu" or r.min() < 1:
        raise InputError("ranks must be whole numbers (n,) from 1, at least one.")
    ends = [1] if largest is None else [1, whole(largest, "largest", 1)]
    at = np.unique(np.concatenate([r, ends]))
    at = at if largest is None else at[at <= largest]
    return at, np.searchsorted(np.sort(r), at, "right") / len(r)


def identify(
    gallery: Any,
    gallery_people: Any,
    probes: Any,
    probe_people: Any,
    *,
    fpirs: Sequence[float] = FPIRS,
    n_bootstrap: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Closed-set and open-set identification of probes in a gallery, exactly.

    A person's similarity to a probe is that of their most similar gallery image. The rank of
    the true person is 1 plus the others who are as similar or more: ties count against it.
    Probes of nobody in the gallery are impostors of the open set: with n of them an FPIR allows
    floor(FPIR n) whose first match lies above the threshold, as for
    :func:`~clmle.metrics.roc.tar_at_far`; TPIR is the share of mated probes whose true
    person is first and above it.

    Parameters
    ----------
    gallery, probes : (g, d), (p, d); cosine is taken
    gallery_people, probe_people : (g,), (p,)
    fpirs : targets of false positives among probes of nobody in the gallery

    Returns
    -------
    dict
        ranks (of mated probes), rank_one {share, interval, people_interval, n}, tpir_at_fpir (for
        each: fpir, allowed, threshold, tpir, interval, note), n_unmated.

    Raises
    ------
    InputError
        Shapes that differ, NaN, rows of zeros, no probe of anybody in the gallery.

    Examples
    --------
    >>> found = identify(np.eye(3)[:2], ["ann", "bo"], np.eye(3), ["ann", "bo", "cy"])
    >>> found["rank_one"]["share"], found["n_unmated"]
    (1.0, 1)
    """
    g, p = unit_rows(gallery, "gallery"), unit_rows(probes, "probes")
    if g.shape[1] != p.shape[1]:
        raise InputError(f"gallery and probes must be of one d, not {g.shape[1]} and {p.shape[1]}.")
    owner, names = (
        array_of(gallery_people, "gallery_people"),
        array_of(probe_people, "probe_people"),
    )
    for who, rows, what in ((owner, g, "gallery_people"), (names, p, "probe_people")):
        if who.shape != (len(rows),):
            raise InputError(f"{what} must name one for each of {len(rows):,}, not {who.shape}.")
    people, index = np.unique(owner, return_inverse=True)
    order = np.argsort(index, kind="stable")
    starts = np.searchsorted(index[order], np.arange(len(people)))
    place = np.searchsorted(people, names).clip(max=len(people) - 1)
    mated = people[place] == names
    if not mated.any():
        raise InputError("No probe shows anybody in the gallery; give both the same names.")
    ranks = np.empty(len(p), dtype=np.int64)
    first = np.empty(len(p))
    step = max(1, BLOCK // len(g))
    for start in range(0, len(p), step):
        part = slice(start, start + step)
        best = np.maximum.reduceat(p[part] @ g[order].T, starts, axis=1)
        own = np.take_along_axis(best, place[part, None], axis=1)
        ranks[part] = (best >= own).sum(axis=1)
        first[part] = best.max(axis=1)
    hits = ranks[mated] == 1
    return {
        "ranks": ranks[mated],
        "rank_one": {
            "share": float(hits.mean()),
            "interval": wilson(int(hits.sum()), len(hits)),
            "people_interval": fraction_over_identities(
                hits, names[mated], n_bootstrap=n_bootstrap, seed=seed
            ),
            "n": len(hits),
        },
        "tpir_at_fpir": [_tpir(f, first[mated], hits, first[~mated]) for f in fpirs],
        "n_unmated": int((~mated).sum()),
    }


def _tpir(fpir: float, similarity: np.ndarray, hits: np.ndarray, others: np.ndarray) -> Any:
    k = allowed(fpir, len(others))
    row: dict[str, Any] = {"fpir": fpir, "allowed": k, "threshold": None, "tpir": None,
                           "interval": None, "note": ""}  # fmt: skip
    if not k:
        row["note"] = (
            f"FPIR {fpir:g} needs at least {int(np.ceil(1 / fpir)):,} probes of nobody in the "
            f"gallery, and there are {len(others):,}."
        )
        return row
    threshold = float(np.sort(others)[len(others) - 1 - k])
    found = hits & (similarity > threshold)
    return row | {"threshold": threshold, "tpir": float(found.mean()),
                  "interval": wilson(int(found.sum()), len(found))}  # fmt: skip
