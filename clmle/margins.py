"""Upper bounds of the two margins of Eq. 9: as printed (Fig. 4), and corrected.

A margin is a difference of cosines, from 0 to 2. The printed bounds place classes on a circle;
features lie on a sphere in R^d, where classes can be much farther apart.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from clmle.checks import number, numeric, whole
from clmle.errors import InputError


@dataclass(frozen=True)
class MarginBounds:
    """Upper bounds of a1 (between classes) and of a2 (within a class), from :func:`margin_bounds`.

    Attributes
    ----------
    class_counts : (C,) float64 array
        Images of each class.
    dim : int or None
        Dimension d of the features.
    """

    class_counts: np.ndarray
    dim: int | None = None

    @property
    def n_classes(self) -> int:
        """C."""
        return len(self.class_counts)

    @property
    def proportions(self) -> np.ndarray:
        """L_c / L, (C,)."""
        return np.asarray(self.class_counts / self.class_counts.sum())

    @property
    def between(self) -> float:
        """Bound of a1 as printed, cos 0 - cos(2 pi / C): about 2e-7 for 10,575 classes.

        It holds for features on a circle. A single class has the bound 0.
        """
        return float(_one_minus_cos(2 * math.pi / self.n_classes)) if self.n_classes > 1 else 0.0

    @property
    def within(self) -> np.ndarray:
        """Bound of a2 as printed, cos 0 - cos(2 pi L_c / L), (C,).

        It falls towards 0 for proportions above 1/2.
        """
        return np.asarray(_one_minus_cos(2 * np.pi * self.proportions))

    @property
    def between_sphere(self) -> float:
        """Corrected bound of a1: C points of S^{d-1} have a pair at cosine at least 1 minus this.

        It is exact for d <= 2 (the printed bound), C <= d + 1 (regular simplex) and
        d + 1 < C <= 2 d (1, by Rankin 1955). For larger C it is the smaller of 1 and the bound of
        disjoint caps (each point has a cap of half the smallest angle). It never grows with C.
        """
        if self.dim is None:
            raise InputError(
                "The bound on a sphere needs the dimension of the features; "
                "call margin_bounds(class_counts, dim=...)."
            )
        return sphere_bound(self.n_classes, self.dim)

    @property
    def within_arc(self) -> np.ndarray:
        """Corrected bound of a2, (C,): as printed, but 2 for proportions of 1/2 or more."""
        return np.where(self.proportions >= 0.5, 2.0, self.within)

    def feasible_between(self, n_other_clusters: int, scale: float = 1.0) -> float:
        """Largest a1 at which the hinge of Eq. 9 can reach zero with a sum as denominator.

        bound - log(n_other_clusters) / scale, with the bound on the sphere where ``dim`` is known
        and the printed bound otherwise. No margin is feasible where this is negative.
        """
        whole(n_other_clusters, "n_other_clusters", 1)
        number(scale, "scale", above=0)
        bound = self.between if self.dim is None else self.between_sphere
        return bound - math.log(n_other_clusters) / scale


def margin_bounds(class_counts: ArrayLike, dim: int | None = None) -> MarginBounds:
    """Upper bounds of both margins of Eq. 9.

    Parameters
    ----------
    class_counts : (C,) array
        Images of each class.
    dim : int, optional
        Dimension d of the features, needed by the bound on the sphere.

    Returns
    -------
    MarginBounds

    Raises
    ------
    InputError
        If there is no class or no image, a count is negative or not finite, or ``dim`` is below 1.

    References
    ----------
    Section 3.2 and Fig. 4 of the CLMLE paper. R. A. Rankin, "The closest packing of spherical caps
    in n dimensions", Glasgow Mathematical Journal 2 (1955) 139-144.

    Examples
    --------
    >>> bounds = margin_bounds([50, 30, 20], dim=64)
    >>> round(bounds.between_sphere, 2), bounds.within.round(2).tolist()
    (1.5, [2.0, 1.31, 0.69])
    >>> round(margin_bounds([960, 40], dim=64).feasible_between(6, scale=1.0), 2)
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
    """The bound :attr:`MarginBounds.between_sphere` for ``n_classes`` points of S^{dim-1}."""
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
    """The paper's coarse grid of margins below an upper bound.

    Parameters
    ----------
    bound : float
        Upper bound of the margin, a difference of cosines.
    n : int, default 5
        Number of margins, 1 or more.

    Returns
    -------
    (n,) float64 array
        Equally spaced and decreasing, without the bound and zero.

    References
    ----------
    Section 3.2 of the CLMLE paper.

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

    # Fraction of the sphere covered by a cap of radius r <= pi/2 (Li 2011).
    def excess(log_radius: float) -> float:
        covered = 0.5 * betainc((dim - 1) / 2, 0.5, math.sin(math.exp(log_radius)) ** 2)
        return math.log(max(covered, 1e-300)) + math.log(n_classes)

    radius = math.exp(brentq(excess, math.log(1e-9), math.log(math.pi / 2)))
    return float(_one_minus_cos(2 * radius))


def _one_minus_cos(angle: Any) -> Any:
    """1 - cos without cancellation at small angles."""
    return 2 * np.sin(np.asarray(angle) / 2) ** 2
