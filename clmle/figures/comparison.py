"""Runs side by side: the figures on test images, and where the mistakes go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clmle.figures.theme import color, finish

SHOWN = {
    "balanced_accuracy": "balanced accuracy",
    "accuracy": "accuracy",
    "average_precision": "average precision",
    "roc_auc": "ROC AUC",
    "mcc": "MCC",
}


def comparison(results: Mapping[str, Mapping[str, Any] | None]) -> Any:
    """Dots of every test figure, one color a run; 95 % interval on balanced accuracy.

    A run without figures yet (None) keeps its color for later.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    n = len(results)
    for i, (name, test) in enumerate(results.items()):
        if test is None:
            continue
        keys = [k for k in SHOWN if test.get(k) is not None]
        low, high = test["interval"]
        value = test["balanced_accuracy"]
        figure.add_scatter(
            x=[test[k] for k in keys],
            y=[len(SHOWN) - list(SHOWN).index(k) + 0.16 * (n / 2 - i) for k in keys],
            name=name,
            mode="markers",
            marker={"color": color(i), "size": 11},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [high - value] + [0] * (len(keys) - 1),
                "arrayminus": [value - low] + [0] * (len(keys) - 1),
            },
            hovertemplate="%{x:.3f}<extra>" + name + "</extra>",
        )
    figure.update_yaxes(
        tickvals=[len(SHOWN) - i for i in range(len(SHOWN))], ticktext=list(SHOWN.values())
    )
    figure.update_xaxes(range=[min(0, *_values(results)) - 0.02, 1.02])
    return finish(figure, "Test images (bar: 95 % interval)", "", "", height=380)


def confusion(matrix: Sequence[Sequence[int]], class_names: Sequence[str], title: str) -> Any:
    """Shares of each true class that were judged as each class; counts in the cells."""
    import plotly.graph_objects as go

    counts = np.asarray(matrix)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = go.Figure(
        go.Heatmap(
            z=share,
            x=list(class_names),
            y=list(class_names),
            text=counts,
            texttemplate="%{text}" if len(counts) <= 12 else None,
            colorscale="Blues",
            zmin=0,
            zmax=1,
            colorbar={"title": "share"},
        )
    )
    figure.update_yaxes(autorange="reversed")
    return finish(figure, title, "judged as", "true class")


def _values(results: Mapping[str, Mapping[str, Any] | None]) -> list[float]:
    return [r[k] for r in results.values() if r for k in SHOWN if r.get(k) is not None]
