"""What a method costs against what it gains."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import log
from typing import Any

from clmle.figures.theme import GRAY, color, finish, legend_below

ROOM = 0.3  # share of the axis that a name takes
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

    Points in ``front`` (nothing is both cheaper and better) are joined by a line and named where
    there is room; the others are told by hovering. ``reference`` is where gain is 0.
    """
    import plotly.graph_objects as go

    figure = go.Figure()
    ahead = sorted((n for n in points if n in front), key=lambda n: points[n][0])
    figure.add_scatter(
        x=[points[n][0] for n in ahead],
        y=[points[n][1] for n in ahead],
        mode="lines",
        line={"color": color(0), "width": 1.5, "dash": "dot", "shape": "hv"},
        hoverinfo="skip",
        showlegend=False,
    )
    wide = _wide(points)
    written = _named({n: points[n][0] for n in ahead}, wide)
    kinds = [
        ("another does more for less", [n for n in points if n not in front], GRAY, "circle"),
        ("nothing is cheaper and better", ahead, color(0), "diamond"),
    ]
    for kind, names, ink, mark in kinds:
        if not names:
            continue
        figure.add_scatter(
            x=[points[n][0] for n in names],
            y=[points[n][1] for n in names],
            customdata=[f"{n} (reference)" if n == reference else n for n in names],
            text=[n if n in written else "" for n in names],
            mode="markers+text" if names is ahead else "markers",
            textposition="top center",
            cliponaxis=False,
            name=kind,
            marker={"color": ink, "size": 10, "symbol": mark},
            hovertemplate="%{customdata}: %{x:.1f} s, %{y:+.3f}<extra></extra>",
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
    figure.add_hline(y=0, line={"color": GRAY, "width": 1.2})
    if wide:
        figure.update_xaxes(type="log")
    return legend_below(figure)


def _wide(points: Mapping[str, Point]) -> bool:
    """Whether seconds span so much that their axis is logarithmic."""
    seconds = [p[0] for p in points.values()]
    return min(seconds, default=0) > 0 and max(seconds) > 5 * min(seconds)


def _named(seconds: Mapping[str, float], logarithmic: bool) -> set[str]:
    """Names with room beside their points: from the dearest on, each a good way from the last."""
    places = {n: log(s) if logarithmic else s for n, s in seconds.items()}
    span = max(places.values(), default=0) - min(places.values(), default=0)
    found: set[str] = set()
    edge = float("inf")
    for name in sorted(places, key=lambda n: -places[n]):
        if places[name] <= edge - ROOM * span:
            found.add(name)
            edge = places[name]
    return found


def _apart(end: float | None, mean: float) -> float | None:
    return None if end is None else abs(end - mean)
