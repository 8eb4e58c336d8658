"""Cost of a method against its gain."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import log
from typing import Any

from clmle.figures.theme import (
    GRAY,
    color,
    finish,
    interval_bars,
    legend_below,
    new_figure,
    zero_line,
)

__all__ = ["cost_and_gain"]

ROOM = 0.3  # fraction of the axis that a name takes
Point = tuple[float, float, float | None, float | None]


def cost_and_gain(
    points: Mapping[str, Point],
    title: str,
    y: str,
    *,
    front: Collection[str] = (),
    reference: str = "",
    x: str = "seconds of a run",
) -> Any:
    """Seconds of a run against the gain over a reference.

    Parameters
    ----------
    points : mapping of str to (seconds, gain, low, high)
        ``low`` and ``high`` are None where there is no interval.
    title, y, x : str
        Title and axis labels.
    front : collection of str
        The Pareto front: no method is both cheaper and better. Its points are joined by a line
        and named where there is room; the others are named on hover.
    reference : str
        The method whose gain is 0.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> points = {"softmax": (10, 0.0, None, None), "clmle": (20, 0.1, 0.05, 0.15)}
    >>> figure = cost_and_gain(points, "Cost", "gain", front=["clmle"], reference="softmax")
    >>> [trace.name for trace in figure.data[1:]]
    ['dominated', 'on the Pareto front']
    """
    figure = new_figure()
    ahead = sorted((n for n in points if n in front), key=lambda n: points[n][0])
    figure.add_scatter(
        x=[points[n][0] for n in ahead], y=[points[n][1] for n in ahead], mode="lines",
        line={"color": color(0), "width": 1.5, "dash": "dot", "shape": "hv"},
        hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    seconds = [p[0] for p in points.values()]
    logarithmic = min(seconds, default=0) > 0 and max(seconds) > 5 * min(seconds)
    written = _named({n: points[n][0] for n in ahead}, logarithmic)
    kinds = [
        ("dominated", [n for n in points if n not in front], GRAY, "circle"),
        ("on the Pareto front", ahead, color(0), "diamond"),
    ]
    for kind, names, ink, mark in kinds:
        if not names:
            continue
        costs, gains, lows, highs = zip(*(points[n] for n in names), strict=True)
        figure.add_scatter(
            x=costs, y=gains, name=kind, marker={"color": ink, "size": 10, "symbol": mark},
            customdata=[f"{n} (reference)" if n == reference else n for n in names],
            text=[n if n in written else "" for n in names], textposition="top center",
            mode="markers+text" if names is ahead else "markers", cliponaxis=False,
            hovertemplate="%{customdata}: %{x:.1f} s, %{y:+.3f}<extra></extra>",
            error_y=interval_bars(gains, lows, highs, 1.2),
        )  # fmt: skip
    finish(figure, title, x, y, height=430)
    zero_line(figure, vertical=False)
    if logarithmic:
        figure.update_xaxes(type="log")
    return legend_below(figure)


def _named(seconds: Mapping[str, float], logarithmic: bool) -> set[str]:
    """Points with room for a name: from the most expensive on, each at a distance to the last."""
    positions = {n: log(s) if logarithmic else s for n, s in seconds.items()}
    span = max(positions.values(), default=0) - min(positions.values(), default=0)
    found: set[str] = set()
    edge = float("inf")
    for name in sorted(positions, key=lambda n: -positions[n]):
        if positions[name] <= edge - ROOM * span:
            found.add(name)
            edge = positions[name]
    return found
