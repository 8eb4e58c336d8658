"""How well scores rank the images of one class: ROC and precision-recall curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clmle.figures.theme import GRAY, finish, legend_below, line, new_figure, unit_axis

__all__ = ["precision_recall_curves", "roc_curves"]

Curve = tuple[Sequence[float] | np.ndarray, Sequence[float] | np.ndarray, float]


def roc_curves(curves: Mapping[str, Curve], title: str = "ROC curve") -> Any:
    """ROC curves of binary classifiers.

    Parameters
    ----------
    curves : mapping of str to (false positive rate (m,), true positive rate (m,), area)
    title : str

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> roc_curves({"clmle": ([0, 0.2, 1], [0, 0.9, 1], 0.85)}).data[0].name
    'clmle, ROC AUC 0.850'
    """
    figure = _curves(curves, "ROC AUC", "linear", (0, 1), "chance level")
    finish(figure, title, "false positive rate", "true positive rate", height=400)
    return legend_below(figure)


def precision_recall_curves(
    curves: Mapping[str, Curve], fraction: float, title: str = "Precision and recall"
) -> Any:
    """Precision-recall curves of binary classifiers.

    Parameters
    ----------
    curves : mapping of str to (recall (m,), precision (m,), average precision)
    fraction : float
        Fraction of positive images: the precision of random scores.
    title : str

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> precision_recall_curves({"clmle": ([0, 1], [1, 0.5], 0.8)}, 0.06).data[1].name
    'chance level, 6.0 %'
    """
    chance = f"chance level, {100 * fraction:.1f} %"
    figure = _curves(curves, "average precision", "vh", (fraction, fraction), chance)
    finish(figure, title, "recall", "precision", height=400)
    return legend_below(figure)


def _curves(
    curves: Mapping[str, Curve], area: str, shape: str, ends: tuple[float, float], chance: str
) -> Any:
    figure = new_figure()
    for i, (name, (x, y, value)) in enumerate(curves.items()):
        figure.add_scatter(
            x=list(map(float, x)), y=list(map(float, y)), mode="lines",
            name=f"{name}, {area} {value:.3f}", line=line(i, width=2, shape=shape),
        )  # fmt: skip
    figure.add_scatter(
        x=[0, 1], y=list(ends), mode="lines", name=chance, hoverinfo="skip",
        line={"color": GRAY, "dash": "dot", "width": 1.2},
    )  # fmt: skip
    unit_axis(figure, "x", "y")
    return figure
