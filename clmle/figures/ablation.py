"""One or two settings varied, all else equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clmle.figures.theme import DASHES, SYMBOLS, color, finish, legend_below

FIGURE = "balanced accuracy on test images"


def one_factor(seeds: Mapping[float, Sequence[float]], title: str, x: str, y: str = FIGURE) -> Any:
    """Dots of every seed and a line through the means, against the value of one setting.

    ``seeds``: value -> figure of every seed. The axis is logarithmic where values span a
    decade or more.
    """
    return factor_lines({"": seeds}, title, x, y)


def factor_lines(
    series: Mapping[str, Mapping[float, Sequence[float]]], title: str, x: str, y: str = FIGURE
) -> Any:
    """As :func:`one_factor`, with a line for each of several methods (or other settings)."""
    import plotly.graph_objects as go

    figure = go.Figure()
    values = sorted({v for points in series.values() for v in points})
    for i, (name, points) in enumerate(series.items()):
        at, mark = sorted(points), SYMBOLS[i % len(SYMBOLS)]
        figure.add_scatter(
            x=[v for v in at for _ in points[v]],
            y=[s for v in at for s in points[v]],
            mode="markers",
            name=name or "one seed",
            showlegend=not name,
            marker={"color": color(i), "size": 7, "opacity": 0.5, "symbol": mark + "-open"},
        )
        figure.add_scatter(
            x=at,
            y=[float(np.mean(points[v])) for v in at],
            mode="lines+markers",
            name=name or "mean",
            line={"color": color(i), "dash": DASHES[(i // 2) % 4], "width": 2},
            marker={"size": 8, "symbol": mark},
        )
    height = 380
    finish(figure, title, x, y, height=height)
    if values and values[0] > 0 and values[-1] >= 10 * values[0]:
        figure.update_xaxes(type="log")
    figure.update_xaxes(tickvals=values, ticktext=[f"{v:g}" for v in values])
    return legend_below(figure)


def two_factors(
    means: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    title: str,
    x: str = "",
    y: str = "",
    spreads: np.ndarray | None = None,
) -> Any:
    """Means (rows, columns) as a heat map, number and spread over seeds in every cell."""
    import plotly.graph_objects as go

    text = [
        [
            _cell(means[i, j], None if spreads is None else spreads[i, j])
            for j in range(len(columns))
        ]
        for i in range(len(rows))
    ]
    figure = go.Figure(
        go.Heatmap(
            z=[[float(v) if np.isfinite(v) else None for v in row] for row in means],
            x=[str(c) for c in columns],
            y=[str(r) for r in rows],
            text=text,
            texttemplate="%{text}",
            colorscale="Cividis",
            colorbar={"title": "", "thickness": 14},
            xgap=2,
            ygap=2,
        )
    )
    finish(figure, title, x, y, height=170 + 58 * len(rows))
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(type="category")
    return figure


def _cell(mean: float, spread: float | None) -> str:
    if not np.isfinite(mean):
        return ""
    plus = "" if spread is None or not np.isfinite(spread) else f" ± {spread:.3f}"
    return f"{mean:.3f}{plus}"
