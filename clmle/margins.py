"""The two margins of Eq. 9: upper bounds as printed (Fig. 4), and repaired.

A margin is a difference of cosines, from 0 to 2. The printed bounds place classes on a
circle; features live on a sphere in R^d, where there is far more room.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from clmle.checks import number, numeric, whole
from clmle.errors import InputError


@dataclass(frozen=True)
class MarginBounds:
    """Upper bounds of a1 (between classes) and a2 (within a class, one for each).

    Made by :func:`margin_bounds`. ``class_counts`` is (C,); ``dim`` is d or None.
    """

    class_counts: np.ndarray
    dim: int | None = None

    @property
    def n_classes(self) -> int:
        return len(self.class_counts)

    @property
    def shares(self) -> np.ndarray:
        """L_c / L, (C,)."""
        shares: np.ndarray = self.class_counts / self.class_counts.sum()
        return shares

    @property
    def between(self) -> float:
        """As printed, cos 0 - cos(2 pi / C). Planar; about 2e-7 for 10,575 classes.

        C = 1 has no other class to be apart from: 0.
        """
        return float(_one_minus_cos(2 * math.pi / self.n_classes)) if self.n_classes > 1 else 0.0

    @property
    def within(self) -> np.ndarray:
        """As printed, cos 0 - cos(2 pi L_c / L), (C,). Falls back to 0 for shares above 1/2."""
        within: np.ndarray = _one_minus_cos(2 * np.pi * self.shares)
        return within

    @property
    def between_sphere(self) -> float:
        """Repaired, C points of S^{d-1} have a pair at cosine at least 1 minus this.

        Exact for d <= 2 (on a circle, the printed one), C <= d + 1 (regular simplex) and
        d + 1 < C <= 2 d (Rankin 1955: 1). Above that the smaller of 1 and the bound of
        disjoint caps by surface (each point owns a cap of half the least angle). It never
        grows with C.

        Raises
        ------
        InputError
            ``dim`` was not given.
        """
        if self.dim is None:
            raise InputError(
                "The bound on a sphere needs the dimension of the features; "
                "call margin_bounds(class_counts, dim=...)."
            )
        return sphere_bound(self.n_classes, self.dim)

    @property
    def within_arc(self) -> np.ndarray:
        """Repaired, the printed arc, but 2 (points half a turn apart) for shares from 1/2 on."""
        return np.where(self.shares >= 0.5, 2.0, self.within)

    def feasible_between(self, n_other_clusters: int, scale: float = 1.0) -> float:
        """Largest a1 at which the hinge of Eq. 9 can reach zero with a sum as denominator.

        bound - log(n_other_clusters) / scale, the sphere's bound where ``dim`` is given,
        else the printed one. It may be negative: then no margin is feasible.
        """
        whole(n_other_clusters, "n_other_clusters", 1)
        number(scale, "scale", above=0)
        bound = self.between if self.dim is None else self.between_sphere
        return bound - math.log(n_other_clusters) / scale


def margin_bounds(class_counts: ArrayLike, dim: int | None = None) -> MarginBounds:
    """Upper bounds of both margins for classes of ``class_counts`` (C,) images.

    ``dim`` is the dimension d of the features, needed by the bound on the sphere.

    Raises
    ------
    InputError
        No class, a negative or non-finite count, no image at all, or ``dim`` below 1.

    References
    ----------
    Section 3.2 and Fig. 4 of the paper. R. A. Rankin, The closest packing of spherical caps
    in n dimensions, Glasgow Math. J. 2 (1955) 139-144.

    Examples
    --------
    >>> bounds = margin_bounds([960, 40], dim=64)
    >>> bounds.between, bounds.between_sphere
    (2.0, 2.0)
    >>> round(bounds.feasible_between(6, scale=1.0), 2)
    0.21
    """
    counts = numeric(class_counts, "class_counts").astype(np.float64)
    if counts.ndim != 1 or len(counts) == 0:
        raise InputError(
            f"class_counts must be a list of counts, one a class, not shape {counts.shape}."
        )
    if not np.isfinite(counts).all() or (counts < 0).any() or counts.sum() == 0:
        raise InputError("class_counts must be finite, not negative, and not all zero.")
    return MarginBounds(counts, None if dim is None else whole(dim, "dim", 1))


def sphere_bound(n_classes: int, dim: int) -> float:
    """Largest possible 1 - cos of the least angle among ``n_classes`` points of S^{dim-1}.

    An upper bound, attained in the cases named at :attr:`MarginBounds.between_sphere`.
    """
    if n_classes <= 1:
        return 0.0
    if dim == 1:
        return 2.0 if n_classes == 2 else 0.0
    if dim == 2:
        return float(_one_minus_cos(2 * math.pi / n_classes))
    if n_classes <= dim + 1:
        return 1 + 1 / (n_classes - 1)
    if n_classes <= 2 * dim:
        return 1.0
    return min(1.0, _cap_bound(n_classes, dim))


def margin_grid(bound: float, n: int = 5) -> np.ndarray:
    """The paper's coarse grid: ``n`` decreasing margins below ``bound``, none of them zero.

    Examples
    --------
    >>> margin_grid(2.0, 3).tolist()
    [1.5, 1.0, 0.5]
    """
    n = whole(n, "n", 1)
    return number(bound, "bound") * np.arange(n, 0, -1) / (n + 1)


def _cap_bound(n_classes: int, dim: int) -> float:
    """1 - cos(theta) where n caps of angular radius theta / 2 just fill the sphere."""
    from scipy.optimize import brentq
    from scipy.special import betainc

    # Share of the sphere covered by a cap of radius r <= pi/2 (Li 2011).
    def excess(log_radius: float) -> float:
        share = 0.5 * betainc((dim - 1) / 2, 0.5, math.sin(math.exp(log_radius)) ** 2)
        return math.log(max(share, 1e-300)) + math.log(n_classes)

    radius = math.exp(brentq(excess, math.log(1e-9), math.log(math.pi / 2)))
    return float(_one_minus_cos(2 * radius))


def _one_minus_cos(angle: Any) -> Any:
    """1 - cos without cancellation at small angles."""
    return (
        2 * np.sin(np.asarray(angle) / 2) ** 2 if np.ndim(angle) else 2 * math.sin(angle / 2) ** 2
    )
