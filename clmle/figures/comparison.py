"""Runs and methods compared: metrics on test images, a leaderboard, confusion matrices."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clmle.figures.layout import (
    Figure,
    every_name,
    finish,
    interval_bars,
    legend_below,
    new_figure,
    row_axis,
)
from clmle.figures.theme import GRAY, SYMBOLS, color, numbered

__all__ = ["METRICS", "comparison", "confusion", "leaderboard"]

METRICS = {
    "balanced_accuracy": "balanced accuracy", "accuracy": "accuracy",
    "average_precision": "average precision", "roc_auc": "ROC AUC", "mcc": "MCC",
}  # fmt: skip


def comparison(results: Mapping[str, Mapping[str, Any] | None]) -> Figure:
    """Test metrics of several runs, with the 95 % interval of balanced accuracy.

    Parameters
    ----------
    results : mapping of str to mapping or None
        Run -> ``test`` of its result. A run without a result yet (None) keeps its color.

    Examples
    --------
    >>> test = {"balanced_accuracy": 0.8, "interval": [0.7, 0.88], "accuracy": 0.9}
    >>> comparison({"clmle": test}).data[0].x
    (0.8, 0.9)
    """
    figure = new_figure()
    n = len(results)
    tests = [test for test in results.values() if test]
    rows = [k for k in METRICS if not tests or any(t.get(k) is not None for t in tests)]
    series = zip(numbered(results), results.items(), strict=True)
    for i, (number, (name, test)) in enumerate(series):
        if test is None:
            continue
        keys = [k for k in rows if test.get(k) is not None]
        (low, high), value = test["interval"], test["balanced_accuracy"]
        rest = [0] * (len(keys) - 1)
        figure.add_scatter(
            x=[test[k] for k in keys],
            y=[len(rows) - rows.index(k) + 0.16 * (n / 2 - i) for k in keys],
            name=name, mode="markers",
            marker={"color": color(number), "size": 11, "symbol": SYMBOLS[number % 8]},
            error_x={
                "type": "data", "symmetric": False,
                "array": [high - value, *rest], "arrayminus": [value - low, *rest],
            },
            hovertemplate="%{x:.3f}<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_yaxes(
        tickvals=[len(rows) - i for i in range(len(rows))], ticktext=[METRICS[k] for k in rows]
    )
    values = [t[k] for t in tests for k in rows if t.get(k) is not None]
    figure.update_xaxes(range=[min(0, *values, 0) - 0.02, 1.02])
    return finish(figure, "Test images (bar: 95 % interval)", "", "", height=380)


def confusion(matrix: Sequence[Sequence[int]], class_names: Sequence[str], title: str) -> Figure:
    """Confusion matrix: color is the fraction of the true class, text the number of images.

    Parameters
    ----------
    matrix : (C, C) counts
        True class by row, predicted class by column.
    class_names : sequence of str
    title : str

    Examples
    --------
    >>> confusion([[90, 10], [3, 7]], ["no", "yes"], "Eyeglasses").data[0].z[1].tolist()
    [0.3, 0.7]
    """
    counts = np.asarray(matrix)
    figure = new_figure()
    figure.add_heatmap(
        z=counts / np.maximum(counts.sum(axis=1, keepdims=True), 1),
        x=list(class_names), y=list(class_names), text=counts,
        texttemplate="%{text}" if len(counts) <= 12 else None,
        colorscale=[[0, "#F2F7FB"], [1, "#56B4E9"]], zmin=0, zmax=1,
        textfont={"color": "#000000"}, colorbar={"title": "fraction"},
    )  # fmt: skip
    figure.update_xaxes(**every_name(class_names))
    figure.update_yaxes(autorange="reversed", **every_name(class_names))
    return finish(figure, title, "predicted class", "true class")


def leaderboard(
    seeds: Mapping[str, Sequence[float]],
    intervals: Mapping[str, tuple[float | None, float | None]],
    title: str = "Balanced accuracy of every method",
    *,
    highlight: Sequence[str] = (),
    x: str = "balanced accuracy on test images, mean over tasks",
) -> Figure:
    """One row per method in the order given, the first on top.

    Parameters
    ----------
    seeds : mapping of str to sequence of float
        Method -> metric of every seed.
    intervals : mapping of str to (low, high)
        95 % interval of the mean; (None, None) draws no bar.
    title, x : str
    highlight : sequence of str
        Methods drawn in color; all others are gray.

    Examples
    --------
    >>> figure = leaderboard({"clmle": [0.90, 0.92], "softmax": [0.80]}, {"clmle": (0.85, 0.97)})
    >>> figure.layout.yaxis.tickvals
    ('clmle', 'softmax')
    """
    names = list(seeds)
    figure = new_figure()
    ours = color(next(iter(numbered(highlight)), 0))
    for chosen, ink in ((False, GRAY), (True, ours)):
        rows = [n for n in names if (n in highlight) == chosen]
        means = [sum(seeds[n]) / len(seeds[n]) for n in rows]
        ends = [intervals.get(n, (None, None)) for n in rows]
        shown = not chosen and bool(rows)
        figure.add_scatter(
            x=[v for n in rows for v in seeds[n]], y=[n for n in rows for _ in seeds[n]],
            mode="markers", name="one seed", legendgroup="seed", showlegend=shown,
            marker={"color": ink, "size": 6, "opacity": 0.7, "symbol": "circle-open"},
        )  # fmt: skip
        figure.add_scatter(
            x=means, y=rows, mode="markers", name="mean, 95 % interval over seeds",
            legendgroup="mean", showlegend=shown,
            marker={"color": ink, "size": 9, "symbol": "diamond"},
            error_x=interval_bars(means, ends),
        )  # fmt: skip
    row_axis(figure, names, [f"<b>{n}</b>" if n in highlight else n for n in names])
    found = [v for n in names for v in seeds[n]]
    if len(set(found)) == 1:  # plotly would show a single number from 1 below to 1 above it
        figure.update_xaxes(range=[found[0] - 0.05, found[0] + 0.05])
    return legend_below(finish(figure, title, x, "", height=190 + 20 * len(names)))
