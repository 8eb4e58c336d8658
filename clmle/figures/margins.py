"""The margins' upper bounds, as printed and repaired, and which margins can be met."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clmle.figures.theme import color, finish, log_ticks
from clmle.margins import margin_bounds, sphere_bound


def between_bounds(dim: int, n_classes: int | None = None) -> Any:
    """Bound on a1 against the number of classes: printed (a circle) and on the sphere."""
    import plotly.graph_objects as go

    classes = np.unique(np.geomspace(2, 100_000, 120).astype(int))
    printed = [margin_bounds(np.ones(c)).between for c in classes]
    sphere = [sphere_bound(int(c), dim) for c in classes]
    figure = go.Figure()
    figure.add_scatter(
        x=classes, y=printed, name="printed: 1 - cos(2π/C)",
        line={"color": color(5), "dash": "dash"},
    )  # fmt: skip
    figure.add_scatter(
        x=classes, y=sphere, name=f"on the sphere in {dim} dimensions", line={"color": color(0)}
    )
    if n_classes:
        figure.add_vline(x=n_classes, line={"color": "#8C8C8C", "dash": "dot"})
    figure.update_xaxes(type="log")
    return finish(figure, "Between classes: the largest a1", "classes C", "a1, cosine")


def within_bounds(shares: Sequence[float] | np.ndarray = ()) -> Any:
    """Bound on a2 against a class's share: printed, and monotone."""
    import plotly.graph_objects as go

    share = np.linspace(0, 1, 201)
    printed = 1 - np.cos(2 * np.pi * share)
    arc = np.where(share >= 0.5, 2.0, printed)
    figure = go.Figure()
    figure.add_scatter(
        x=share, y=arc, name="repaired: monotone arc", line={"color": color(0), "width": 3}
    )
    figure.add_scatter(
        x=share, y=printed, name="printed: 1 - cos(2π Lc/L)",
        line={"color": color(5), "dash": "dash"},
    )  # fmt: skip
    for value in shares:
        figure.add_vline(x=value, line={"color": "#8C8C8C", "dash": "dot"})
    return finish(figure, "Within a class: the largest a2", "share of the class Lc / L", "a2")


def feasible_region(
    bound: float,
    n_other: int,
    scale: float | None = None,
    margin: float | None = None,
    *,
    at: float | None = None,
) -> Any:
    """Largest a1 that the hinge can meet, against the scale s: with the sum, with the mean.

    With a sum over K' other clusters in the denominator it is bound - log(K') / s. A star marks
    the ``scale`` and ``margin`` of a run; a dotted line the scale ``at``.
    """
    import plotly.graph_objects as go

    scales = np.geomspace(0.5, 64, 200)
    limit = bound - np.log(n_other) / scales
    figure = go.Figure()
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
        figure.add_vline(x=at, line={"color": "#8C8C8C", "dash": "dot"})
    figure.update_xaxes(**log_ticks(0.5, 64))
    figure.update_yaxes(range=[-0.05, 2.1])
    return finish(figure, "Margins that can be met lie below the line", "scale s", "a1, cosine")
