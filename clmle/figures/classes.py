"""How many images each class has (Fig. 6 of the paper)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clmle.figures.theme import color, finish, log_ticks


def class_counts(
    names: Sequence[str],
    counts: Mapping[str, Sequence[int] | np.ndarray],
    title: str = "Images of each class",
) -> Any:
    """Bars of counts (C,) for every key of ``counts`` (for example before and after thinning)."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for i, (label, values) in enumerate(counts.items()):
        figure.add_bar(
            x=list(names),
            y=list(values),
            name=label,
            marker_color=color(i),
            text=[f"{v:,}" for v in values] if len(names) <= 12 else None,
        )
    figure.update_layout(barmode="group")
    return finish(figure, title, "class", "images")


def positive_rates(rates: Mapping[str, float]) -> Any:
    """Share of positives of every attribute, rarest first, in per cent."""
    import plotly.graph_objects as go

    order = sorted(rates, key=lambda name: rates[name])
    values = [100 * rates[name] for name in order]
    figure = go.Figure(
        go.Bar(
            x=values,
            y=[name.replace("_", " ") for name in order],
            orientation="h",
            marker_color=color(0),
            text=[f"{v:.1f} %" for v in values],
            textposition="outside",
            cliponaxis=False,
        )
    )
    figure.update_xaxes(range=[0, max(values, default=1) * 1.18])
    height = 120 + 26 * len(order)
    return finish(figure, "How rare each attribute is", "positive images, %", "", height=height)


def co_occurrence(phi: np.ndarray, names: Sequence[str]) -> Any:
    """Phi (A, A) of every two attributes as a heat map; the diagonal stays empty."""
    import plotly.graph_objects as go

    words = [name.replace("_", " ") for name in names]
    values = np.where(np.eye(len(words), dtype=bool), np.nan, phi)
    most = max(0.1, float(np.nanmax(np.abs(values), initial=0)))
    figure = go.Figure(
        go.Heatmap(
            z=[[None if np.isnan(v) else float(v) for v in row] for row in values],
            x=words, y=words, zmin=-most, zmax=most,
            colorscale=[[0, "#0072B2"], [0.5, "#F2F2F2"], [1, "#D55E00"]],
            colorbar={"title": {"text": "phi"}, "thickness": 12},
            hovertemplate="%{x}, %{y}: %{z:.2f}<extra></extra>",
        )
    )  # fmt: skip
    height = 190 + 22 * len(words)
    finish(figure, "Which attributes are seen together", "", "", height=height)
    figure.update_xaxes(tickangle=-60, showgrid=False)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure


def long_tail(counts: Sequence[int] | np.ndarray) -> Any:
    """Images of each identity, most photographed first, on a logarithmic axis."""
    import plotly.graph_objects as go

    values = np.sort(np.asarray(counts))[::-1]
    figure = go.Figure(
        go.Scatter(
            x=np.arange(1, len(values) + 1), y=values, mode="lines", line={"color": color(0)},
            fill="tozeroy",
        )
    )  # fmt: skip
    figure.update_yaxes(**log_ticks(1, max(2, values.max(initial=1))))
    few = float((values <= 0.47 * values.mean()).mean())
    x = f"identity; {few:.0%} have under half of the mean"
    return finish(figure, "Images of each identity", x, "images")
