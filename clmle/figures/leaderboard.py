"""Methods from best to worst: every seed, the mean and its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clmle.figures.theme import (
    GRAY,
    color,
    finish,
    interval_bars,
    legend_below,
    new_figure,
    row_axis,
)

__all__ = ["leaderboard"]


def leaderboard(
    seeds: Mapping[str, Sequence[float]],
    intervals: Mapping[str, tuple[float | None, float | None]],
    title: str = "Balanced accuracy of every method",
    *,
    highlight: Sequence[str] = (),
    x: str = "balanced accuracy on test images, mean over tasks",
) -> Any:
    """One row per method in the order given, the first on top.

    Parameters
    ----------
    seeds : mapping of str to sequence of float
        Method -> metric of every seed.
    intervals : mapping of str to (low, high)
        95 % interval of the mean; (None, None) draws no bar.
    title, x : str
        Title and label of the horizontal axis.
    highlight : sequence of str
        Methods drawn in color; all others are gray.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> figure = leaderboard({"clmle": [0.90, 0.92], "softmax": [0.80]}, {"clmle": (0.85, 0.97)})
    >>> figure.layout.yaxis.tickvals
    ('clmle', 'softmax')
    """
    names = list(seeds)
    figure = new_figure()
    for chosen, ink in ((False, GRAY), (True, color(0))):
        rows = [n for n in names if (n in highlight) == chosen]
        means = [sum(seeds[n]) / len(seeds[n]) for n in rows]
        ends = [intervals.get(n, (None, None)) for n in rows]
        shown = not chosen and bool(rows)
        figure.add_scatter(
            x=[v for n in rows for v in seeds[n]], y=[n for n in rows for _ in seeds[n]],
            mode="markers", name="one seed", legendgroup="seed", showlegend=shown,
            marker={"color": ink, "size": 6, "opacity": 0.7, "symbol": "circle-open"},
        )  # fmt: skip
        figure.add_scatter(
            x=means, y=rows, mode="markers", name="mean, 95 % interval over seeds",
            legendgroup="mean", showlegend=shown,
            marker={"color": ink, "size": 9, "symbol": "diamond"},
            error_x=interval_bars(means, [low for low, _ in ends], [high for _, high in ends]),
        )  # fmt: skip
    finish(figure, title, x, "", height=150 + 20 * len(names))
    row_axis(figure, names, [f"<b>{n}</b>" if n in highlight else n for n in names])
    found = {v for n in names for v in seeds[n]}
    if len(found) == 1:  # plotly would show a single number from 1 below to 1 above it
        (only,) = found
        figure.update_xaxes(range=[only - 0.05, only + 0.05])
    return legend_below(figure)
