"""Paired differences to one reference: a forest plot with a line at zero."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clmle.figures.theme import GRAY, color, finish, legend_below

Row = tuple[float, float | None, float | None]
KINDS = {  # color and symbol say the same, so that neither is needed
    "interval above 0": (color(2), "triangle-right"),
    "interval holds 0": (GRAY, "circle"),
    "interval below 0": (color(5), "triangle-left"),
    "one seed, no interval": (GRAY, "circle-open"),
}


def differences(rows: Mapping[str, Row], title: str, x: str) -> Any:
    """``rows``: name -> (mean, low, high) of the difference, in the order given, first on top."""
    import plotly.graph_objects as go

    names = list(rows)
    height = 150 + 20 * len(names)
    figure = go.Figure()
    for kind, (ink, mark) in KINDS.items():
        mine = [n for n in names if _kind(rows[n]) == kind]
        if not mine:
            continue
        figure.add_scatter(
            x=[rows[n][0] for n in mine],
            y=mine,
            mode="markers",
            name=kind,
            marker={"color": ink, "size": 10, "symbol": mark},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [_apart(rows[n][2], rows[n][0]) for n in mine],
                "arrayminus": [_apart(rows[n][1], rows[n][0]) for n in mine],
                "thickness": 1.5,
                "width": 3,
            },
        )
    finish(figure, title, x, "", height=height)
    figure.add_vline(x=0, line={"color": GRAY, "width": 1.5})
    figure.update_yaxes(
        categoryorder="array", categoryarray=names, range=[len(names) - 0.5, -0.5],
        tickmode="array", tickvals=names,
    )  # fmt: skip
    return legend_below(figure)


def _kind(row: Row) -> str:
    _, low, high = row
    if low is None or high is None:
        return "one seed, no interval"
    if low > 0:
        return "interval above 0"
    return "interval below 0" if high < 0 else "interval holds 0"


def _apart(end: float | None, mean: float) -> float | None:
    return None if end is None else abs(end - mean)
