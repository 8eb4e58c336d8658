"""What a method gains on tasks of growing imbalance (Fig. 9 of the paper)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clmle.figures.theme import GRAY, color, finish, legend_below


def gain_by_imbalance(gains: Mapping[str, Any], title: str) -> Any:
    """Gain on every task, best balanced on top, one series a baseline.

    ``gains``: name of the baseline -> data frame of task, minority (share), gain, low, high
    (NaN where there is no interval).
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    labels: dict[str, float] = {}
    n = len(gains)
    for table in gains.values():
        for task, minority in zip(table["task"], table["minority"], strict=True):
            labels[_label(task, minority)] = minority
    order = sorted(labels, key=lambda name: (-labels[name], name))
    height = 150 + 26 * len(order)
    for i, (baseline, table) in enumerate(gains.items()):
        places = [
            order.index(_label(t, m)) + 0.3 * (i - (n - 1) / 2)
            for t, m in zip(table["task"], table["minority"], strict=True)
        ]
        figure.add_scatter(
            x=table["gain"].tolist(),
            y=places,
            mode="markers",
            name=f"over {baseline}",
            marker={
                "color": color(i),
                "size": 9,
                "symbol": ("circle", "diamond", "square")[i % 3],
            },
            error_x={
                "type": "data",
                "symmetric": False,
                "array": (table["high"] - table["gain"]).fillna(0).tolist(),
                "arrayminus": (table["gain"] - table["low"]).fillna(0).tolist(),
                "thickness": 1.5,
                "width": 3,
            },
        )
    finish(figure, title, "gain in balanced accuracy", "", height=height)
    figure.add_vline(x=0, line={"color": GRAY, "width": 1.5})
    figure.update_yaxes(
        tickvals=list(range(len(order))), ticktext=order, range=[len(order) - 0.5, -0.5],
        zeroline=False,
    )  # fmt: skip
    return legend_below(figure)


def _label(task: str, minority: float) -> str:
    return f"{task.replace('_', ' ')}, {100 * minority:.1f} %"
