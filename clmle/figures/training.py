"""How fast methods learn: a validation figure against iterations (Fig. 3 of the paper)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clmle.figures.theme import DASHES, GRAY, color, finish, legend_below


def training_curves(
    curves: Mapping[str, tuple[Sequence[float] | np.ndarray, np.ndarray]],
    title: str,
    *,
    level: float | None = None,
    reached: Mapping[str, float] | None = None,
    y: str = "balanced accuracy on validation images",
) -> Any:
    """Mean over seeds and a band of one standard deviation, one color and dash a method.

    ``curves``: name -> (iterations (n,), values (seeds, n)). ``level`` is drawn across, and
    ``reached`` (name -> iterations) marked on it.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    for i, (name, (steps, values)) in enumerate(curves.items()):
        mean = values.mean(axis=0)
        if len(values) > 1:
            spread = values.std(axis=0, ddof=1)
            figure.add_scatter(
                x=[float(v) for v in (*steps, *steps[::-1])],
                y=[float(v) for v in (*(mean + spread), *(mean - spread)[::-1])],
                fill="toself",
                fillcolor=_faint(color(i)),
                line={"width": 0},
                hoverinfo="skip",
                showlegend=False,
                mode="lines",
            )
        figure.add_scatter(
            x=[float(v) for v in steps],
            y=mean.tolist(),
            name=name,
            mode="lines+markers",
            line={"color": color(i), "dash": DASHES[i % 4], "width": 2},
            marker={"size": 5},
        )
    if level is not None:
        figure.add_hline(y=level, line={"color": GRAY, "dash": "dot", "width": 1.5})
    for i, name in enumerate(curves):
        if level is None or name not in (reached or {}):
            continue
        figure.add_scatter(
            x=[(reached or {})[name]],
            y=[level],
            mode="markers+text",
            text=[f"{(reached or {})[name]:.0f}"],
            textposition="top left" if i % 2 else "bottom right",
            textfont={"color": color(i)},
            marker={"color": color(i), "size": 12, "symbol": "star"},
            showlegend=False,
        )
    finish(figure, title, "iterations", y, height=420)
    return legend_below(figure)


def _faint(ink: str) -> str:
    """The color, an eighth opaque."""
    red, green, blue = (int(ink[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.13)"
