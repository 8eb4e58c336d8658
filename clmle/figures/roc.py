"""Verification: TAR against FAR, and where genuine and impostor similarities lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clmle.figures.theme import DASHES, GRAY, SYMBOLS, color, error_bars, finish, legend_below

Curve = tuple[Any, Any]


def roc(
    curves: Mapping[str, Curve],
    published: Mapping[str, tuple[float, float]] | None = None,
    *,
    smallest: float | None = None,
    title: str = "Verification: true accepts at each rate of false accepts",
) -> Any:
    """TAR against FAR, on a logarithmic axis, a line for each run.

    Parameters
    ----------
    curves : name -> (FAR (n,), TAR (n,)), both from 0 to 1
        Corners of the curve, in any order, as ``roc_curve`` and ``OpenSet.roc`` give them.
    published : name -> (FAR, TAR), shown as points
    smallest : the axis' smallest FAR; by default the smallest that occurs
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    points = published or {}
    fars = [np.asarray(far, dtype=np.float64) for far, _ in curves.values()]
    fars.append(np.array([far for far, _ in points.values()]))
    positive = np.concatenate([f[f > 0] for f in fars])
    lowest = smallest or float(positive.min(initial=1e-1))
    for i, (name, (far, tar)) in enumerate(curves.items()):
        x, y = np.asarray(far, dtype=np.float64), np.asarray(tar, dtype=np.float64)
        order = np.lexsort((y, x))
        x, y = x[order], y[order]
        shown = x >= lowest
        if (x < lowest).any():  # what is accepted at the axis' left end
            x = np.concatenate([[lowest], x[shown]])
            y = np.concatenate([[y[~shown].max()], y[shown]])
        figure.add_scatter(
            x=x, y=y, name=name, mode="lines",
            line={"color": color(i), "dash": DASHES[i % 4], "shape": "hv"},
            hovertemplate="FAR %{x:.3g}, TAR %{y:.4f}<extra>" + name + "</extra>",
        )  # fmt: skip
    for j, (name, (at, value)) in enumerate(points.items()):
        figure.add_scatter(
            x=[at], y=[value], name=f"{name} (published)", mode="markers",
            marker={"color": color(len(curves) + j), "symbol": f"{SYMBOLS[j % 4]}-open",
                    "size": 11, "line": {"width": 2}},
        )  # fmt: skip
    finish(figure, title, "false accept rate (FAR)", "true accept rate (TAR)", height=420)
    figure.update_xaxes(
        type="log", range=[np.log10(lowest) - 0.05, 0.02], dtick=1, exponentformat="power"
    )
    figure.update_yaxes(range=[-0.02, 1.02])
    return legend_below(figure)


def similarities(
    genuine: Any,
    impostor: Any,
    threshold: float | None = None,
    *,
    marks: Mapping[str, float] | None = None,
    edges: Any = None,
    bins: int = 80,
    title: str = "Similarities of pairs",
) -> Any:
    """How genuine and impostor similarities lie, as shares of each kind, with the threshold.

    Parameters
    ----------
    genuine, impostor : (n,), (N,) similarities
        With ``edges`` (B + 1,) ``impostor`` holds counts (B,) from each edge to the next.
    marks : name -> similarity of a pair to be seen among them
    """
    import plotly.graph_objects as go

    g = np.asarray(genuine, dtype=np.float64)
    counts = np.asarray(impostor, dtype=np.float64)
    if edges is None:
        places, weights = counts, np.ones(len(counts))
    else:
        e = np.asarray(edges, dtype=np.float64)
        held = counts > 0
        places, weights = ((e[:-1] + e[1:]) / 2)[held], counts[held]
    ends = np.linspace(min(g.min(), places.min()), max(g.max(), places.max()), bins + 1)
    figure = go.Figure()
    middles, width = (ends[:-1] + ends[1:]) / 2, ends[1] - ends[0]
    for i, (name, values, weight) in enumerate(
        (("one person", g, np.ones(len(g))), ("two people", places, weights))
    ):
        share = np.histogram(values, ends, weights=weight)[0] / weight.sum()
        figure.add_bar(
            x=middles, y=share, width=width, name=f"{name} ({int(weight.sum()):,} pairs)",
            marker={"color": color(i), "opacity": 0.65,
                    "pattern": {"shape": ("", "/")[i], "size": 5}},
        )  # fmt: skip
    figure.update_layout(barmode="overlay", bargap=0)
    finish(figure, title, "similarity (cosine)", "share of the pairs of a kind", height=360)
    if threshold is not None:
        figure.add_vline(
            x=threshold, line={"color": GRAY, "width": 2, "dash": "dash"},
            annotation_text=f"threshold {threshold:.3f}", annotation_position="top",
        )  # fmt: skip
    for name, value in (marks or {}).items():
        figure.add_vline(
            x=value, line={"color": color(5), "width": 3}, annotation_text=f"{name} {value:.3f}",
            annotation_position="top",
        )  # fmt: skip
    return legend_below(figure)


def tar_by_far(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> Any:
    """TAR at target FARs with 95 % intervals, a series each run; unresolved FARs stay empty.

    ``rows``: name -> what ``tar_at_far`` returns. The bar is the interval over people where there
    is one.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    for i, (name, each) in enumerate(rows.items()):
        known = [row for row in each if row["tar"] is not None]
        ends = [row.get("people_interval") or row["interval"] for row in known]
        shift = 10 ** (0.06 * (i - (len(rows) - 1) / 2))
        figure.add_scatter(
            x=[row["far"] * shift for row in known], y=[row["tar"] for row in known], name=name,
            mode="markers", marker={"color": color(i), "symbol": SYMBOLS[i % 8], "size": 9},
            error_y=error_bars([row["tar"] for row in known], ends),
            customdata=[row["far"] for row in known],
            hovertemplate="FAR %{customdata:g}, TAR %{y:.4f}<extra>" + name + "</extra>",
        )  # fmt: skip
    title = "Verification at target FARs (bar: 95 % interval)"
    finish(figure, title, "false accept rate (FAR)", "true accept rate (TAR)", height=380)
    figure.update_xaxes(type="log", dtick=1, exponentformat="power")
    figure.update_yaxes(range=[-0.02, 1.02])
    return legend_below(figure)
