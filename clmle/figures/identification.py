"""Face identification: rank of the mate, and rank 1 against the number of distractors."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clmle.figures.layout import Figure, finish, legend_below, new_figure
from clmle.figures.roc import people_bars, published_points
from clmle.figures.theme import POWERS, SYMBOLS, UNIT, color, line, numbered

__all__ = ["accuracy_by_images", "cmc_curves", "rank_one_by_distractors"]


def cmc_curves(
    curves: Mapping[str, tuple[Any, Any]], *, title: str = "Identification: rank of the mate"
) -> Figure:
    """Cumulative match characteristic: fraction of probes whose mate is among the first r.

    Parameters
    ----------
    curves : mapping of str to (ranks (n,), fractions (n,))
        As :func:`clmle.metrics.identification.cmc` returns them.
    title : str

    Examples
    --------
    >>> cmc_curves({"clmle": ([1, 10], [0.8, 0.95])}).data[0].y.tolist()
    [0.8, 0.95]
    """
    figure = new_figure()
    for i, (name, (ranks, fractions)) in zip(numbered(curves), curves.items(), strict=True):
        figure.add_scatter(
            x=np.asarray(ranks), y=np.asarray(fractions), name=name, mode="lines",
            line=line(i, shape="hv"),
            hovertemplate="rank %{x:,}: %{y:.4f}<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_xaxes(type="log", dtick=1, tickformat=",")
    lowest = min((float(np.min(s)) for _, s in curves.values()), default=0.0)
    figure.update_yaxes(range=[max(0.0, lowest - 0.1) - 0.02, 1.02])
    return legend_below(finish(figure, title, "rank", "fraction of probes found", height=400))


def rank_one_by_distractors(
    runs: Mapping[str, Sequence[Mapping[str, Any]]],
    published: Mapping[str, tuple[int, float]] | None = None,
    *,
    title: str = "Rank-1 identification rate (band: 95 % interval)",
) -> Figure:
    """Rank-1 identification rate against the number of distractors, as in MegaFace.

    Parameters
    ----------
    runs : mapping of str to sequence of mappings
        Run -> rows with ``distractors``, ``rate``, ``interval`` and ``identity_interval``.
    published : mapping of str to (distractors, rate), optional
        Published results, drawn as points.
    title : str

    Examples
    --------
    >>> rows = [{"distractors": 100, "rate": 0.9, "interval": (0.8, 0.95)}]
    >>> rank_one_by_distractors({"clmle": rows}).data[1].x
    (100,)
    """
    figure = new_figure()
    for i, (name, rows) in zip(numbered(runs), runs.items(), strict=True):
        each = sorted(rows, key=lambda row: row["distractors"])
        x = [row["distractors"] for row in each]
        ends = [row.get("identity_interval") or row["interval"] for row in each]
        figure.add_scatter(
            x=[*x, *x[::-1]], y=[*(e[1] for e in ends), *(e[0] for e in ends[::-1])],
            fill="toself", fillcolor=color(i), opacity=0.2, line={"width": 0}, hoverinfo="skip",
            showlegend=False, legendgroup=name,
        )  # fmt: skip
        figure.add_scatter(
            x=x, y=[row["rate"] for row in each], name=name, legendgroup=name,
            mode="lines+markers", line=line(i), marker={"symbol": SYMBOLS[i % 8], "size": 8},
            hovertemplate="%{x:,} distractors: %{y:.4f}<extra>" + name + "</extra>",
        )  # fmt: skip
    published_points(figure, published, len(runs))
    figure.update_xaxes(**POWERS)
    figure.update_yaxes(range=UNIT)
    y = "fraction of probes whose mate is first"
    return legend_below(finish(figure, title, "distractors", y, height=400))


def accuracy_by_images(runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """Accuracy on identities with few, some and many training images, with 95 % intervals.

    Parameters
    ----------
    runs : mapping of str to sequence of mappings
        Run -> what :func:`clmle.metrics.by_frequency.accuracy_by_frequency` returns.

    Examples
    --------
    >>> row = {"name": "tail", "low": 1, "high": 9, "accuracy": 0.7, "interval": (0.6, 0.8),
    ...        "n": 50, "identities": 20}
    >>> accuracy_by_images({"clmle": [row]}).layout.xaxis.ticktext
    ('tail: 1 to 9',)
    """
    figure = new_figure()
    labels: list[str] = []
    series = zip(numbered(runs), runs.items(), strict=True)
    for i, (number, (name, rows)) in enumerate(series):
        own = [_bin_label(row) for row in rows]
        labels += [label for label in own if label not in labels]
        values = [row["accuracy"] for row in rows]
        figure.add_scatter(
            x=[labels.index(label) + 0.1 * (i - (len(runs) - 1) / 2) for label in own],
            y=values, name=name, mode="lines+markers", line=line(number),
            marker={"symbol": SYMBOLS[number % 8], "size": 9}, error_y=people_bars(values, rows),
            customdata=[[row["n"], row["identities"]] for row in rows],
            hovertemplate="%{y:.3f} of %{customdata[0]:,} images, %{customdata[1]:,} identities"
            "<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_xaxes(
        tickvals=list(range(len(labels))), ticktext=labels, range=[-0.5, len(labels) - 0.5],
        zeroline=False,
    )  # fmt: skip
    figure.update_yaxes(range=UNIT)
    title = "Accuracy by training images of an identity (bar: 95 % interval)"
    x = "training images of an identity"
    return legend_below(finish(figure, title, x, "accuracy", height=380))


def _bin_label(row: Mapping[str, Any]) -> str:
    low, high = row["low"], row["high"]
    return f"{row['name']}: {low:,}" if low == high else f"{row['name']}: {low:,} to {high:,}"
