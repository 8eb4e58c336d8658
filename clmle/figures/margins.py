"""Upper bounds of the margins, as printed and corrected, and feasible margins (Fig. 4)."""

from collections.abc import Sequence

import numpy as np

from clmle.figures.layout import Figure, finish, log_ticks, new_figure
from clmle.figures.theme import GRAY, color
from clmle.margins import margin_bounds, sphere_bound

__all__ = ["between_bounds", "feasible_region", "within_bounds"]

PRINTED = {"color": color(5), "dash": "dash"}
DOTTED = {"color": GRAY, "dash": "dot"}


def between_bounds(dim: int, n_classes: int | None = None) -> Figure:
    """Bound on a1 against the number of classes: as printed (a circle) and on the sphere.

    Parameters
    ----------
    dim : int
        Dimension of the features.
    n_classes : int, optional
        Marked by a vertical line.

    Examples
    --------
    >>> [trace.name for trace in between_bounds(64).data]
    ['printed: 1 - cos(2π/C)', 'on the sphere in 64 dimensions']
    """
    classes = np.unique(np.geomspace(2, 100_000, 120).astype(int))
    printed = [margin_bounds(np.ones(c)).between for c in classes]
    sphere = [sphere_bound(int(c), dim) for c in classes]
    figure = new_figure()
    figure.add_scatter(x=classes, y=printed, name="printed: 1 - cos(2π/C)", line=PRINTED)
    name = f"on the sphere in {dim} dimensions"
    figure.add_scatter(x=classes, y=sphere, name=name, line={"color": color(0)})
    if n_classes:
        figure.add_vline(x=n_classes, line=DOTTED)
    figure.update_xaxes(type="log")
    return finish(figure, "Between classes: the largest a1", "classes C", "a1, cosine")


def within_bounds(fractions: Sequence[float] | np.ndarray = ()) -> Figure:
    """Bound on a2 against the fraction of images in a class: as printed, and corrected.

    Parameters
    ----------
    fractions : (C,) array
        Fractions of the classes of a data set, marked by vertical lines.

    Examples
    --------
    >>> len(within_bounds([0.94, 0.06]).layout.shapes)
    2
    """
    x = np.linspace(0, 1, 201)
    printed = 1 - np.cos(2 * np.pi * x)
    arc = np.where(x >= 0.5, 2.0, printed)
    figure = new_figure()
    figure.add_scatter(
        x=x, y=arc, name="corrected: monotone arc", line={"color": color(0), "width": 3}
    )
    figure.add_scatter(x=x, y=printed, name="printed: 1 - cos(2π Lc/L)", line=PRINTED)
    for value in fractions:
        figure.add_vline(x=value, line=DOTTED)
    return finish(figure, "Within a class: the largest a2", "class fraction Lc / L", "a2, cosine")


def feasible_region(
    bound: float,
    n_other: int,
    scale: float | None = None,
    margin: float | None = None,
    *,
    at: float | None = None,
) -> Figure:
    """Largest feasible a1 against the scale s.

    With the sum over K' other clusters in the denominator of Eq. 9 it is
    ``bound - log(K') / s``; with the mean it is ``bound``.

    Parameters
    ----------
    bound : float
        Upper bound of a1, as a difference of cosines.
    n_other : int
        Number K' of other clusters in the denominator.
    scale, margin : float, optional
        Scale and margin of a run, marked by a star.
    at : float, optional
        Scale marked by a vertical line.

    Examples
    --------
    >>> figure = feasible_region(2.0, 6, scale=8.0, margin=0.5)
    >>> figure.data[2].name
    'of the run'
    """
    scales = np.geomspace(0.5, 64, 200)
    limit = bound - np.log(n_other) / scales
    figure = new_figure()
    figure.add_scatter(
        x=scales, y=np.maximum(limit, 0), name=f"sum over {n_other} other clusters",
        line={"color": color(5)}, fill="tozeroy", fillcolor="rgba(213,94,0,0.15)",
    )  # fmt: skip
    figure.add_scatter(
        x=scales, y=np.full(len(scales), bound), name="mean over other clusters",
        line={"color": color(0)},
    )  # fmt: skip
    if scale is not None and margin is not None:
        figure.add_scatter(
            x=[scale], y=[margin], name="of the run", mode="markers",
            marker={"size": 13, "color": color(2), "symbol": "star"},
        )  # fmt: skip
    if at is not None:
        figure.add_vline(x=at, line=DOTTED)
    figure.update_xaxes(**log_ticks(0.5, 64))
    figure.update_yaxes(range=[-0.05, 2.1])
    return finish(figure, "Feasible margins lie below the line", "scale s", "a1, cosine")
