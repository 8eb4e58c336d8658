"""What a method costs against what it gains."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from clmle.figures.theme import GREY, colour, finish, legend_below

Point = tuple[float, float, float | None, float | None]


def cost_and_gain(
    points: Mapping[str, Point],
    title: str,
    y: str,
    *,
    front: Collection[str] = (),
    reference: str = "",
    x: str = "seconds of a run",
) -> Any:
    """``points``: name -> (seconds, gain, low, high); None, None draws no bar.

    Names in ``front`` (nothing is both cheaper and better) are written beside their points and
    joined by a line; the others are told by hovering. ``reference`` is where gain is 0.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    ahead = sorted((n for n in points if n in front), key=lambda n: points[n][0])
    figure.add_scatter(
        x=[points[n][0] for n in ahead],
        y=[points[n][1] for n in ahead],
        mode="lines",
        line={"color": colour(0), "width": 1.5, "dash": "dot", "shape": "hv"},
        hoverinfo="skip",
        showlegend=False,
    )
    kinds = [
        ("another does more for less", [n for n in points if n not in front], GREY, "circle"),
        ("nothing is cheaper and better", ahead, colour(0), "diamond"),
    ]
    for kind, names, ink, mark in kinds:
        if not names:
            continue
        figure.add_scatter(
            x=[points[n][0] for n in names],
            y=[points[n][1] for n in names],
            text=[f"{n} (reference)" if n == reference else n for n in names],
            mode="markers+text" if names is ahead else "markers",
            textposition="top center",
            cliponaxis=False,
            name=kind,
            marker={"color": ink, "size": 10, "symbol": mark},
            hovertemplate="%{text}: %{x:.1f} s, %{y:+.3f}<extra></extra>",
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [_apart(points[n][3], points[n][1]) for n in names],
                "arrayminus": [_apart(points[n][2], points[n][1]) for n in names],
                "thickness": 1.2,
                "width": 3,
            },
        )
    finish(figure, title, x, y, height=430)
    figure.add_hline(y=0, line={"color": GREY, "width": 1.2})
    seconds = [p[0] for p in points.values() if p[0] > 0]
    if seconds and max(seconds) > 5 * min(seconds):
        figure.update_xaxes(type="log")
    return legend_below(figure)


def _apart(end: float | None, mean: float) -> float | None:
    return None if end is None else abs(end - mean)
