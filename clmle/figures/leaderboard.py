"""Methods from best to worst: a dot a seed, the mean and its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clmle.figures.theme import GRAY, color, finish, legend_below

Interval = tuple[float | None, float | None]


def leaderboard(
    seeds: Mapping[str, Sequence[float]],
    intervals: Mapping[str, Interval],
    title: str = "Balanced accuracy of every method",
    *,
    highlight: Sequence[str] = (),
    x: str = "balanced accuracy on test images, mean over tasks",
) -> Any:
    """Rows in the order given, first on top; ``highlight`` in color, all others in gray.

    ``seeds`` holds the figure of every seed; ``intervals`` (low, high) is drawn around its
    mean, or left out where it is (None, None).
    """
    import plotly.graph_objects as go

    names = list(seeds)
    height = 150 + 20 * len(names)
    figure = go.Figure()
    for chosen, ink in ((False, GRAY), (True, color(0))):
        rows = [n for n in names if (n in highlight) == chosen]
        means = {n: sum(seeds[n]) / len(seeds[n]) for n in rows}
        reach = {n: _reach(means[n], intervals.get(n, (None, None))) for n in rows}
        figure.add_scatter(
            x=[v for n in rows for v in seeds[n]],
            y=[n for n in rows for _ in seeds[n]],
            mode="markers",
            name="one seed",
            legendgroup="seed",
            showlegend=not chosen and bool(rows),
            marker={"color": ink, "size": 6, "opacity": 0.7, "symbol": "circle-open"},
        )
        figure.add_scatter(
            x=[means[n] for n in rows],
            y=rows,
            mode="markers",
            name="mean, 95 % interval over seeds",
            legendgroup="mean",
            showlegend=not chosen and bool(rows),
            marker={"color": ink, "size": 9, "symbol": "diamond"},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [reach[n][1] for n in rows],
                "arrayminus": [reach[n][0] for n in rows],
                "thickness": 1.5,
                "width": 3,
            },
        )
    finish(figure, title, x, "", height=height)
    # One row a name, whichever trace it is in.
    figure.update_yaxes(
        categoryorder="array", categoryarray=names, range=[len(names) - 0.5, -0.5],
        tickmode="array", tickvals=names, ticktext=[_bold(n, n in highlight) for n in names],
    )  # fmt: skip
    found = {v for n in names for v in seeds[n]}
    if len(found) == 1:  # plotly would show one number from 1 below to 1 above it
        (only,) = found
        figure.update_xaxes(range=[only - 0.05, only + 0.05])
    return legend_below(figure)


def _reach(mean: float, interval: Interval) -> Interval:
    """How far the interval goes below and above the mean; None draws no bar."""
    low, high = interval
    return (None, None) if low is None or high is None else (mean - low, high - mean)


def _bold(name: str, yes: bool) -> str:
    return f"<b>{name}</b>" if yes else name
