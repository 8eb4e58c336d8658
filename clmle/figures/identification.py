"""Identification: the mate's rank, and the first rank as distractors grow in number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clmle.figures.theme import DASHES, SYMBOLS, color, error_bars, finish, legend_below


def cmc_curves(
    curves: Mapping[str, tuple[Any, Any]], *, title: str = "Identification: rank of the mate"
) -> Any:
    """Share of probes whose mate is among the first r, r on a logarithmic axis.

    ``curves``: name -> (ranks (n,), shares (n,)), as :func:`clmle.metrics.identification.cmc`
    gives them.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    for i, (name, (ranks, shares)) in enumerate(curves.items()):
        figure.add_scatter(
            x=np.asarray(ranks), y=np.asarray(shares), name=name, mode="lines",
            line={"color": color(i), "dash": DASHES[i % 4], "shape": "hv"},
            hovertemplate="rank %{x:,}: %{y:.4f}<extra>" + name + "</extra>",
        )  # fmt: skip
    finish(figure, title, "rank", "share of probes found", height=400)
    figure.update_xaxes(type="log", dtick=1, tickformat=",")
    lowest = min((float(np.min(s)) for _, s in curves.values()), default=0.0)
    figure.update_yaxes(range=[max(0.0, lowest - 0.1) - 0.02, 1.02])
    return legend_below(figure)


def rank_one_by_distractors(
    runs: Mapping[str, Sequence[Mapping[str, Any]]],
    published: Mapping[str, tuple[int, float]] | None = None,
    *,
    title: str = "First rank among ever more distractors (band: 95 % interval)",
) -> Any:
    """Rank-1 identification rate against the number of distractors, both as MegaFace has them.

    ``runs``: name -> rows {distractors, share, interval, people_interval}; ``published``: name ->
    (distractors, share), shown as points.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    for i, (name, rows) in enumerate(runs.items()):
        each = sorted(rows, key=lambda row: row["distractors"])
        x = [row["distractors"] for row in each]
        ends = [row.get("people_interval") or row["interval"] for row in each]
        figure.add_scatter(
            x=[*x, *x[::-1]], y=[*(e[1] for e in ends), *(e[0] for e in ends[::-1])],
            fill="toself", fillcolor=color(i), opacity=0.2, line={"width": 0}, hoverinfo="skip",
            showlegend=False, legendgroup=name,
        )  # fmt: skip
        figure.add_scatter(
            x=x, y=[row["share"] for row in each], name=name, legendgroup=name,
            mode="lines+markers", line={"color": color(i), "dash": DASHES[i % 4]},
            marker={"symbol": SYMBOLS[i % 8], "size": 8},
            hovertemplate="%{x:,} distractors: %{y:.4f}<extra>" + name + "</extra>",
        )  # fmt: skip
    for j, (name, (distractors, share)) in enumerate((published or {}).items()):
        figure.add_scatter(
            x=[distractors], y=[share], name=f"{name} (published)", mode="markers",
            marker={"color": color(len(runs) + j), "symbol": f"{SYMBOLS[j % 4]}-open",
                    "size": 11, "line": {"width": 2}},
        )  # fmt: skip
    finish(figure, title, "distractors", "share of probes whose mate is first", height=400)
    figure.update_xaxes(type="log", dtick=1, exponentformat="power")
    figure.update_yaxes(range=[-0.02, 1.02])
    return legend_below(figure)


def accuracy_by_images(runs: Mapping[str, Sequence[Mapping[str, Any]]]) -> Any:
    """Accuracy in the tail, the middle and the head, with 95 % intervals, a series each run.

    ``runs``: name -> what :func:`clmle.metrics.by_frequency.accuracy_by_frequency` returns.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    labels: list[str] = []
    for i, (name, rows) in enumerate(runs.items()):
        own = [_bin_label(row) for row in rows]
        labels += [label for label in own if label not in labels]
        ends = [row.get("people_interval") or row["interval"] for row in rows]
        figure.add_scatter(
            x=[labels.index(label) + 0.1 * (i - (len(runs) - 1) / 2) for label in own],
            y=[row["share"] for row in rows], name=name, mode="lines+markers",
            line={"color": color(i), "dash": DASHES[i % 4]},
            marker={"symbol": SYMBOLS[i % 8], "size": 9},
            error_y=error_bars([row["share"] for row in rows], ends),
            customdata=[[row["n"], row["identities"]] for row in rows],
            hovertemplate="%{y:.3f} of %{customdata[0]:,} images, %{customdata[1]:,} identities"
            "<extra>" + name + "</extra>",
        )  # fmt: skip
    title = "Accuracy by training images of an identity (bar: 95 % interval)"
    finish(figure, title, "training images of an identity", "accuracy", height=380)
    figure.update_xaxes(
        tickvals=list(range(len(labels))),
        ticktext=labels,
        range=[-0.5, len(labels) - 0.5],
        zeroline=False,
    )
    figure.update_yaxes(range=[-0.02, 1.02])
    return legend_below(figure)


def _bin_label(row: Mapping[str, Any]) -> str:
    low, high = row["low"], row["high"]
    return f"{row['name']}: {low:,}" if low == high else f"{row['name']}: {low:,} to {high:,}"
