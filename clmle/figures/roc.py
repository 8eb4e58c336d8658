"""ROC and precision-recall curves; face verification: TAR against FAR, similarities of pairs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clmle.figures.layout import Figure, finish, interval_bars, legend_below, new_figure
from clmle.figures.theme import GRAY, POWERS, SYMBOLS, UNIT, color, line, numbered

__all__ = ["precision_recall_curves", "roc", "roc_curves", "similarities", "tar_by_far"]

AXES = "false accept rate (FAR)", "true accept rate (TAR)"
Curve = tuple[Sequence[float] | np.ndarray, Sequence[float] | np.ndarray, float]


def roc_curves(curves: Mapping[str, Curve], title: str = "ROC curve") -> Figure:
    """ROC curves of binary classifiers.

    Parameters
    ----------
    curves : mapping of str to (false positive rate (m,), true positive rate (m,), area)
    title : str

    Examples
    --------
    >>> roc_curves({"clmle": ([0, 0.2, 1], [0, 0.9, 1], 0.85)}).data[0].name
    'clmle, ROC AUC 0.850'
    """
    figure = _curves(curves, "ROC AUC", "linear", (0, 1), "chance level")
    x, y = "false positive rate", "true positive rate"
    return legend_below(finish(figure, title, x, y, height=400))


def precision_recall_curves(
    curves: Mapping[str, Curve],
    fraction: float,
    title: str = "Precision and recall",
    *,
    marks: Mapping[str, tuple[float, float]] | None = None,
) -> Figure:
    """Precision-recall curves of binary classifiers.

    Parameters
    ----------
    curves : mapping of str to (recall (m,), precision (m,), average precision)
    fraction : float
        Fraction of positive images: the precision of random scores.
    title : str
    marks : mapping of str to (recall, precision), optional
        Points of single thresholds.

    Examples
    --------
    >>> precision_recall_curves({"clmle": ([0, 1], [1, 0.5], 0.8)}, 0.06).data[1].name
    'chance level, 6.0 %'
    """
    chance = f"chance level, {100 * fraction:.1f} %"
    figure = _curves(curves, "average precision", "vh", (fraction, fraction), chance)
    for i, (name, (recall, precision)) in enumerate((marks or {}).items()):
        figure.add_scatter(
            x=[recall], y=[precision], mode="markers", name=name,
            marker={"color": color(5) if i else GRAY, "size": 13, "symbol": SYMBOLS[i + 1],
                    "line": {"width": 1, "color": "white"}},
        )  # fmt: skip
    return legend_below(finish(figure, title, "recall", "precision", height=400))


def _curves(
    curves: Mapping[str, Curve], area: str, shape: str, ends: tuple[float, float], chance: str
) -> Figure:
    figure = new_figure()
    for i, (name, (x, y, value)) in zip(numbered(curves), curves.items(), strict=True):
        figure.add_scatter(
            x=list(map(float, x)), y=list(map(float, y)), mode="lines",
            name=f"{name}, {area} {value:.3f}", line=line(i, width=2, shape=shape),
        )  # fmt: skip
    figure.add_scatter(
        x=[0, 1], y=list(ends), mode="lines", name=chance, hoverinfo="skip",
        line={"color": GRAY, "dash": "dot", "width": 1.2},
    )  # fmt: skip
    figure.update_xaxes(range=UNIT)
    figure.update_yaxes(range=UNIT)
    return figure


def roc(
    curves: Mapping[str, tuple[Any, Any]],
    published: Mapping[str, tuple[float, float]] | None = None,
    *,
    smallest: float | None = None,
    title: str = "Verification: true accept rate against false accept rate",
) -> Figure:
    """True accept rate against false accept rate on a logarithmic axis, one line per run.

    Parameters
    ----------
    curves : mapping of str to (FAR (n,), TAR (n,))
        Corners of the curve in any order, both from 0 to 1, as
        :func:`clmle.metrics.roc.roc_curve` returns them.
    published : mapping of str to (FAR, TAR), optional
        Published results, drawn as points.
    smallest : float, optional
        Smallest FAR of the axis; by default the smallest that occurs.
    title : str

    Examples
    --------
    >>> figure = roc({"clmle": ([0, 0.01, 1], [0.4, 0.9, 1])}, smallest=1e-3)
    >>> float(figure.data[0].y[0])
    0.4
    """
    figure = new_figure()
    fars = [np.asarray(far, dtype=np.float64) for far, _ in curves.values()]
    fars.append(np.array([far for far, _ in (published or {}).values()]))
    positive = np.concatenate([f[f > 0] for f in fars])
    lowest = smallest or float(positive.min(initial=1e-1))
    for i, (name, (far, tar)) in zip(numbered(curves), curves.items(), strict=True):
        x, y = np.asarray(far, dtype=np.float64), np.asarray(tar, dtype=np.float64)
        order = np.lexsort((y, x))
        x, y = x[order], y[order]
        shown = x >= lowest
        if (x < lowest).any():  # what is accepted at the left end of the axis
            x = np.concatenate([[lowest], x[shown]])
            y = np.concatenate([[y[~shown].max()], y[shown]])
        figure.add_scatter(
            x=x, y=y, name=name, mode="lines", line=line(i, shape="hv"),
            hovertemplate="FAR %{x:.3g}, TAR %{y:.4f}<extra>" + name + "</extra>",
        )  # fmt: skip
    published_points(figure, published, len(curves))
    figure.update_xaxes(range=[np.log10(lowest) - 0.05, 0.02], **POWERS)
    figure.update_yaxes(range=UNIT)
    return legend_below(finish(figure, title, *AXES, height=420))


def published_points(
    figure: Any, points: Mapping[str, tuple[float, float]] | None, first: int
) -> None:
    """Open markers for published results, in the colors from ``first`` on."""
    for j, (name, (x, y)) in enumerate((points or {}).items()):
        figure.add_scatter(
            x=[x], y=[y], name=f"{name} (published)", mode="markers",
            marker={"color": color(first + j), "symbol": f"{SYMBOLS[j % 4]}-open", "size": 11,
                    "line": {"width": 2}},
        )  # fmt: skip


def similarities(
    genuine: Any,
    impostor: Any,
    threshold: float | None = None,
    *,
    marks: Mapping[str, float] | None = None,
    edges: Any = None,
    bins: int = 80,
    title: str = "Similarities of pairs",
) -> Figure:
    """Histograms of the similarities of genuine and impostor pairs.

    Parameters
    ----------
    genuine : (n,) similarities
        Cosines of pairs of one person.
    impostor : (N,) similarities or (B,) counts
        Cosines of pairs of two people; counts per bin if ``edges`` is given.
    threshold : float, optional
        Drawn as a vertical line.
    marks : mapping of str to float, optional
        Similarities of further pairs to mark.
    edges : (B + 1,) array, optional
        Edges of the bins of ``impostor``.
    bins : int
        Bars of each histogram.
    title : str

    Examples
    --------
    >>> [trace.name for trace in similarities([0.8, 0.9], [0.1, 0.2, 0.3], 0.5).data]
    ['one person (2 pairs)', 'two people (3 pairs)']
    """
    g, values = (np.asarray(x, dtype=np.float64) for x in (genuine, impostor))
    weights = np.ones(len(values))
    if edges is not None:
        e, held = np.asarray(edges, dtype=np.float64), values > 0
        values, weights = ((e[:-1] + e[1:]) / 2)[held], values[held]
    ends = np.linspace(min(g.min(), values.min()), max(g.max(), values.max()), bins + 1)
    figure = new_figure()
    kinds = (("one person", g, np.ones(len(g))), ("two people", values, weights))
    for i, (name, similarity, weight) in enumerate(kinds):
        height = np.histogram(similarity, ends, weights=weight)[0] / weight.sum()
        figure.add_bar(
            x=(ends[:-1] + ends[1:]) / 2, y=height, width=ends[1] - ends[0],
            name=f"{name} ({int(weight.sum()):,} pairs)",
            marker={"color": color(i), "opacity": 0.65,
                    "pattern": {"shape": ("", "/")[i], "size": 5}},
        )  # fmt: skip
    figure.update_layout(barmode="overlay", bargap=0)
    lines = [] if threshold is None else [("threshold", threshold, GRAY, 2, "dash")]
    lines += [(name, value, color(5), 3, "solid") for name, value in (marks or {}).items()]
    for name, value, ink, width, dash in lines:
        figure.add_vline(
            x=value, line={"color": ink, "width": width, "dash": dash},
            annotation_text=f"{name} {value:.3f}", annotation_position="top",
        )  # fmt: skip
    y = "fraction of the pairs of a kind"
    return legend_below(finish(figure, title, "similarity (cosine)", y, height=360))


def tar_by_far(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """TAR at target FARs with 95 % intervals, one series per run.

    FARs that the number of pairs cannot resolve are left out. The interval is that over people
    where there is one.

    Parameters
    ----------
    rows : mapping of str to sequence of mappings
        Run -> what :func:`clmle.metrics.roc.tar_at_far` returns.

    Examples
    --------
    >>> rows = [{"far": 0.01, "tar": 0.9, "interval": (0.85, 0.94)}]
    >>> tar_by_far({"clmle": rows}).data[0].y
    (0.9,)
    """
    figure = new_figure()
    series = zip(numbered(rows), rows.items(), strict=True)
    for i, (n, (name, each)) in enumerate(series):
        known = [row for row in each if row["tar"] is not None]
        tars = [row["tar"] for row in known]
        shift = 10 ** (0.06 * (i - (len(rows) - 1) / 2))
        figure.add_scatter(
            x=[row["far"] * shift for row in known], y=tars, name=name, mode="markers",
            marker={"color": color(n), "symbol": SYMBOLS[n % 8], "size": 9},
            error_y=people_bars(tars, known), customdata=[row["far"] for row in known],
            hovertemplate="FAR %{customdata:g}, TAR %{y:.4f}<extra>" + name + "</extra>",
        )  # fmt: skip
    title = "Verification at target FARs (bar: 95 % interval)"
    figure.update_xaxes(**POWERS)
    figure.update_yaxes(range=UNIT)
    return legend_below(finish(figure, title, *AXES, height=380))


def people_bars(values: Sequence[float], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Error bars from each row's interval over people, or over images where there is none."""
    return interval_bars(values, [row.get("identity_interval") or row["interval"] for row in rows])
