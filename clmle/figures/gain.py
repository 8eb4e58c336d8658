"""Gain of a method on tasks of growing imbalance (Fig. 9 of the paper)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clmle.figures.theme import (
    color,
    finish,
    interval_bars,
    legend_below,
    new_figure,
    zero_line,
)

__all__ = ["gain_by_imbalance"]


def gain_by_imbalance(gains: Mapping[str, Any], title: str) -> Any:
    """Gain on every task, the most balanced on top, one series per baseline.

    Parameters
    ----------
    gains : mapping of str to pandas.DataFrame
        Baseline -> columns ``task``, ``minority`` (fraction of the rarer class), ``gain``,
        ``low`` and ``high`` (NaN where there is no interval).
    title : str

    Returns
    -------
    plotly.graph_objects.Figure

    Examples
    --------
    >>> import pandas
    >>> table = pandas.DataFrame(
    ...     {"task": ["Bald"], "minority": [0.02], "gain": [0.3], "low": [0.2], "high": [0.4]}
    ... )
    >>> gain_by_imbalance({"softmax": table}, "Gain").layout.yaxis.ticktext
    ('Bald, 2.0 %',)
    """
    labels: dict[str, float] = {}
    rows = {}
    for baseline, table in gains.items():
        rows[baseline] = [
            f"{task.replace('_', ' ')}, {100 * minority:.1f} %"
            for task, minority in zip(table["task"], table["minority"], strict=True)
        ]
        labels |= dict(zip(rows[baseline], table["minority"], strict=True))
    order = sorted(labels, key=lambda name: (-labels[name], name))
    figure = new_figure()
    for i, (baseline, table) in enumerate(gains.items()):
        shift = 0.3 * (i - (len(gains) - 1) / 2)
        figure.add_scatter(
            x=table["gain"].tolist(), y=[order.index(row) + shift for row in rows[baseline]],
            mode="markers", name=f"over {baseline}",
            marker={"color": color(i), "size": 9, "symbol": ("circle", "diamond", "square")[i % 3]},
            error_x=interval_bars(table["gain"], table["low"], table["high"]),
        )  # fmt: skip
    finish(figure, title, "gain in balanced accuracy", "", height=150 + 26 * len(order))
    zero_line(figure)
    figure.update_yaxes(
        tickvals=list(range(len(order))), ticktext=order, range=[len(order) - 0.5, -0.5],
        zeroline=False,
    )  # fmt: skip
    return legend_below(figure)
