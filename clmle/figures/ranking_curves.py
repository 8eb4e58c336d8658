"""How well scores rank the images of one class before all others: ROC and precision-recall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clmle.figures.theme import DASHES, GRAY, color, finish, legend_below

Curve = tuple[Sequence[float] | np.ndarray, Sequence[float] | np.ndarray, float]


def roc_curves(curves: Mapping[str, Curve], title: str = "ROC curve") -> Any:
    """``curves``: name -> (false positive rate (m,), true positive rate (m,), area)."""
    figure = _lines(curves, "ROC AUC")
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", name="by chance", hoverinfo="skip",
        line={"color": GRAY, "dash": "dot", "width": 1.2},
    )  # fmt: skip
    finish(figure, title, "false positive rate", "true positive rate", height=400)
    return legend_below(_unit(figure))


def precision_recall_curves(
    curves: Mapping[str, Curve], share: float, title: str = "Precision and recall"
) -> Any:
    """``curves``: name -> (recall (m,), precision (m,), average precision); ``share`` of positives.

    The share is what a judge by chance reaches: the rarer the class, the lower.
    """
    figure = _lines(curves, "average precision", "vh")
    figure.add_scatter(
        x=[0, 1], y=[share, share], mode="lines", name=f"by chance, {100 * share:.1f} %",
        hoverinfo="skip", line={"color": GRAY, "dash": "dot", "width": 1.2},
    )  # fmt: skip
    finish(figure, title, "recall", "precision", height=400)
    return legend_below(_unit(figure))


def _lines(curves: Mapping[str, Curve], area: str, shape: str = "linear") -> Any:
    import plotly.graph_objects as go

    figure = go.Figure()
    for i, (name, (x, y, value)) in enumerate(curves.items()):
        figure.add_scatter(
            x=list(map(float, x)),
            y=list(map(float, y)),
            mode="lines",
            name=f"{name}, {area} {value:.3f}",
            line={"color": color(i), "dash": DASHES[i % 4], "width": 2, "shape": shape},
        )
    return figure


def _unit(figure: Any) -> Any:
    figure.update_xaxes(range=[-0.02, 1.02])
    figure.update_yaxes(range=[-0.02, 1.02])
    return figure
