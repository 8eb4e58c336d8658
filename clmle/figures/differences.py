"""Paired differences from one reference: a forest plot with a line at zero."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clmle.figures.theme import (
    GRAY,
    color,
    finish,
    interval_bars,
    legend_below,
    new_figure,
    row_axis,
    zero_line,
)

__all__ = ["differences"]

Row = tuple[float, float | None, float | None]
KINDS = {  # color and symbol carry the same information
    "interval above 0": (color(2), "triangle-right"),
    "interval contains 0": (GRAY, "circle"),
    "interval below 0": (color(5), "triangle-left"),
    "one seed, no interval": (GRAY, "circle-open"),
}


def differences(rows: Mapping[str, Row], title: str, x: str) -> Any:
    """Differences with their intervals, in the order given, the first on top.

    Parameters
    ----------
    rows : mapping of str to (mean, low, high)
        ``low`` and ``high`` are None where there is one seed only.
    title, x : str
        Title and label of the horizontal axis.

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> figure = differences({"no softmax": (-0.1, -0.2, -0.05)}, "Ablation", "difference")
    >>> figure.data[0].name
    'interval below 0'
    """
    figure = new_figure()
    for kind, (ink, mark) in KINDS.items():
        names = [n for n in rows if _kind(rows[n]) == kind]
        if not names:
            continue
        means, lows, highs = zip(*(rows[n] for n in names), strict=True)
        figure.add_scatter(
            x=means, y=names, mode="markers", name=kind,
            marker={"color": ink, "size": 10, "symbol": mark},
            error_x=interval_bars(means, lows, highs),
        )  # fmt: skip
    finish(figure, title, x, "", height=150 + 20 * len(rows))
    zero_line(figure)
    row_axis(figure, list(rows))
    return legend_below(figure)


def _kind(row: Row) -> str:
    _, low, high = row
    if low is None or high is None:
        return "one seed, no interval"
    if low > 0:
        return "interval above 0"
    return "interval below 0" if high < 0 else "interval contains 0"
