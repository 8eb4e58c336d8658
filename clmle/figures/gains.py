"""Gains over a reference: a forest plot, by imbalance (Fig. 9 of the paper), and against cost."""

from collections.abc import Collection, Mapping
from math import log
from typing import Any

from clmle.figures.layout import Figure, finish, interval_bars, legend_below, new_figure, row_axis
from clmle.figures.theme import GRAY, SYMBOLS, ZERO, Row, color, numbered

__all__ = ["cost_and_gain", "differences", "gain_by_imbalance"]

KINDS = {  # color and symbol carry the same information
    "interval above 0": (color(2), "triangle-right"),
    "interval contains 0": (GRAY, "circle"),
    "interval below 0": (color(5), "triangle-left"),
    "no interval": (GRAY, "circle-open"),
}
ROOM = 0.3  # fraction of the axis that a name takes


def differences(rows: Mapping[str, Row], title: str, x: str) -> Figure:
    """Differences with their intervals, in the order given, the first on top.

    Parameters
    ----------
    rows : mapping of str to (mean, low, high)
        ``low`` and ``high`` are None where there is no interval.
    title, x : str

    Examples
    --------
    >>> figure = differences({"no softmax": (-0.1, -0.2, -0.05)}, "Ablation", "difference")
    >>> figure.data[0].name
    'interval below 0'
    """
    figure = new_figure()
    for kind, (ink, mark) in KINDS.items():
        names = [n for n in rows if _kind(rows[n]) == kind]
        if not names:
            continue
        means = [rows[n][0] for n in names]
        figure.add_scatter(
            x=means, y=names, mode="markers", name=kind,
            marker={"color": ink, "size": 10, "symbol": mark},
            error_x=interval_bars(means, [rows[n][1:] for n in names]),
        )  # fmt: skip
    figure.add_vline(x=0, line=ZERO)
    row_axis(figure, list(rows))
    return legend_below(finish(figure, title, x, "", height=150 + 20 * len(rows)))


def _kind(row: Row) -> str:
    _, low, high = row
    if low is None or high is None:
        return "no interval"
    if low > 0:
        return "interval above 0"
    return "interval below 0" if high < 0 else "interval contains 0"


def gain_by_imbalance(gains: Mapping[str, Any], title: str) -> Figure:
    """Gain on every task, the most balanced on top, one series per baseline.

    Parameters
    ----------
    gains : mapping of str to pandas.DataFrame
        Baseline -> columns ``task``, ``minority`` (fraction of the rarer class), ``gain``,
        ``low`` and ``high`` (NaN where there is no interval).
    title : str

    Examples
    --------
    >>> import pandas
    >>> table = pandas.DataFrame(
    ...     {"task": ["Bald"], "minority": [0.02], "gain": [0.3], "low": [0.2], "high": [0.4]}
    ... )
    >>> gain_by_imbalance({"softmax": table}, "Gain").layout.yaxis.ticktext
    ('Bald, 2.0 %',)
    """

    def labels(table: Any) -> list[str]:
        pairs = zip(table["task"], table["minority"], strict=True)
        return [f"{task.replace('_', ' ')}, {100 * minority:.1f} %" for task, minority in pairs]

    minority = {
        label: value
        for table in gains.values()
        for label, value in zip(labels(table), table["minority"], strict=True)
    }
    order = sorted(minority, key=lambda label: (-minority[label], label))
    figure = new_figure()
    inks = map(color, numbered(gains))
    for i, (ink, (baseline, table)) in enumerate(zip(inks, gains.items(), strict=True)):
        shift = 0.3 * (i - (len(gains) - 1) / 2)
        figure.add_scatter(
            x=table["gain"].tolist(), y=[order.index(label) + shift for label in labels(table)],
            mode="markers", name=f"over {baseline}",
            marker={"color": ink, "size": 9, "symbol": SYMBOLS[i % 3]},
            error_x=interval_bars(table["gain"], zip(table["low"], table["high"], strict=True)),
        )  # fmt: skip
    figure.add_vline(x=0, line=ZERO)
    figure.update_yaxes(
        tickvals=list(range(len(order))), ticktext=order, range=[len(order) - 0.5, -0.5],
        zeroline=False,
    )  # fmt: skip
    x = "gain in balanced accuracy"
    return legend_below(finish(figure, title, x, "", height=150 + 26 * len(order)))


def cost_and_gain(
    points: Mapping[str, tuple[float, float, float | None, float | None]],
    title: str,
    y: str,
    *,
    front: Collection[str] = (),
    reference: str = "",
    x: str = "seconds of a run",
) -> Figure:
    """Seconds of a run against the gain over a reference.

    Parameters
    ----------
    points : mapping of str to (seconds, gain, low, high)
        ``low`` and ``high`` are None where there is no interval.
    title, y, x : str
    front : collection of str
        The Pareto front: no method is both cheaper and better. Its points are joined by a line
        and named where there is room; the others are named on hover.
    reference : str
        The method whose gain is 0.

    Examples
    --------
    >>> points = {"softmax": (10, 0.0, None, None), "clmle": (20, 0.1, 0.05, 0.15)}
    >>> figure = cost_and_gain(points, "Cost", "gain", front=["clmle"], reference="softmax")
    >>> [trace.name for trace in figure.data[1:]]
    ['dominated', 'on the Pareto front']
    """
    figure = new_figure()
    ahead = sorted((n for n in points if n in front), key=lambda n: points[n][0])
    figure.add_scatter(
        x=[points[n][0] for n in ahead], y=[points[n][1] for n in ahead], mode="lines",
        line={"color": color(0), "width": 1.5, "dash": "dot", "shape": "hv"},
        hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    seconds = [p[0] for p in points.values()]
    logarithmic = min(seconds, default=0) > 0 and max(seconds) > 5 * min(seconds)
    written = _named({n: points[n][0] for n in ahead}, logarithmic)
    for kind, names, ink, mark in (
        ("dominated", [n for n in points if n not in front], GRAY, "circle"),
        ("on the Pareto front", ahead, color(0), "diamond"),
    ):
        if not names:
            continue
        gains = [points[n][1] for n in names]
        figure.add_scatter(
            x=[points[n][0] for n in names], y=gains, name=kind,
            marker={"color": ink, "size": 10, "symbol": mark},
            customdata=[f"{n} (reference)" if n == reference else n for n in names],
            text=[n if n in written else "" for n in names], textposition="top center",
            mode="markers+text" if names is ahead else "markers", cliponaxis=False,
            hovertemplate="%{customdata}: %{x:.1f} s, %{y:+.3f}<extra></extra>",
            error_y=interval_bars(gains, [points[n][2:] for n in names], 1.2),
        )  # fmt: skip
    figure.add_hline(y=0, line=ZERO)
    if logarithmic:
        figure.update_xaxes(type="log")
    return legend_below(finish(figure, title, x, y, height=430))


def _named(seconds: Mapping[str, float], logarithmic: bool) -> list[str]:
    """Points with room for a name: from the most expensive on, each at a distance to the last."""
    positions = {n: log(s) if logarithmic else s for n, s in seconds.items()}
    room = ROOM * (max(positions.values(), default=0) - min(positions.values(), default=0))
    found: list[str] = []
    for name in sorted(positions, key=lambda n: -positions[n]):
        if not found or positions[name] <= positions[found[-1]] - room:
            found.append(name)
    return found
