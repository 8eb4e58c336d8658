"""The live sphere: points, decision regions, clusters and neighbors of several methods at once.

A circle is drawn in rings. From outside in: what the rule decides at each place; the minority;
the majority, spread inwards so that its points can be told apart; the clusters.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from clmle.figures.play import play_buttons, play_slider
from clmle.figures.playground_marks import (
    CLUSTER,
    REGION,
    filled_traces,
    moving_part,
    panel_traces,
    point_traces,
    trace_of,
    trace_places,
)
from clmle.figures.theme import DASHES, GRAY, color

PANEL = 330  # pixels of a panel's height
CURVE = 250


def playground_points(points: np.ndarray, labels: np.ndarray, *, height: int = 330) -> Any:
    """Training points (n, 2) or (n, 3) of both classes, as they are before any training."""
    import plotly.graph_objects as go

    flat = points.shape[1] == 2
    counts = np.bincount(labels, minlength=2)
    layout = _layout(height) | {"title": {"text": f"Training points, {counts[0]} to {counts[1]}"}}
    if flat:
        layout["xaxis"] = _plain_axis()
        layout["yaxis"] = _plain_axis() | {"scaleanchor": "x", "constrain": "domain"}
    else:
        layout["scene"] = _scene()
    traces = filled_traces(points, labels) if flat else point_traces(points, labels, flat)
    return go.Figure({"data": traces, "layout": layout})


def playground_panels(courses: Mapping[str, Any], grid: np.ndarray, **options: Any) -> Any:
    """The figure of :func:`playground_spec`, with buttons and a slider to play its frames."""
    import plotly.graph_objects as go

    return go.Figure(playground_spec(courses, grid, **options))


def playground_spec(
    courses: Mapping[str, Any],
    grid: np.ndarray,
    *,
    selected: int | None = None,
    columns: int | None = None,
) -> dict[str, Any]:
    """Methods side by side, with frames to play; below them balanced accuracy along training.

    ``courses`` are :class:`clmle.playground.Trajectory` by title, of one problem; ``grid`` the places of
    their regions (:func:`clmle.playground.playground_grid`). Lines join training point ``selected`` to
    its nearest neighbors; an arc around its cluster's centroid shows the margin a1. Point ``i``
    of a panel has customdata ``i``. ``layout.meta`` holds what a viewer needs to rearrange the
    panels and to select another point. Plain data, since plotly's own objects of so many traces
    take seconds to make.
    """
    n = len(courses)
    columns = columns or (n if n <= 3 else -(-n // 2))
    rows = -(-n // columns)
    height = rows * PANEL + CURVE + 60
    first = next(iter(courses.values()))
    flat = grid.shape[1] == 2
    panels = range(len(first.frames))
    own = list(courses.values())
    # The legend names a kind of mark once: where the first panel that has it draws it.
    clustered = next((i for i, c in enumerate(own) if c.centroid_classes is not None), 0)
    margined = next((i for i, c in enumerate(own) if c.between_margin is not None), 0)
    kinds = trace_places(flat)
    data: list[dict[str, Any]] = []
    for i, course in enumerate(own):
        for k, trace in enumerate(panel_traces(course, 0, grid, i, flat, selected)):
            drawn_by = (
                margined if k >= kinds["lines"] else clustered if k >= kinds["clusters"] else 0
            )
            shown = i == drawn_by
            data.append(trace | {"showlegend": shown and "name" in trace})
    moving = [*range(len(data)), len(data) + n]
    data += [*_curves(courses), _cursor(first, 0)]
    reached = [(title, c.recall, c.balanced_accuracy) for title, c in courses.items()]
    frames = [
        {
            "name": str(int(first.steps[f])),
            "data": [
                *(
                    moving_part(trace)
                    for i, course in enumerate(own)
                    for trace in panel_traces(course, f, grid, i, flat, selected)
                ),
                moving_part(_cursor(first, f)),
            ],
            "traces": moving,
            "layout": {"annotations": _titles(reached, f, columns, rows, height)},
        }
        for f in panels
    ]
    layout = _layout(height)
    for i in range(n):
        x, y = place(i, columns, rows, height)
        number = "" if i == 0 else str(i + 1)
        if flat:
            layout[f"xaxis{number}"] = _plain_axis() | {"domain": x, "anchor": f"y{number}"}
            layout[f"yaxis{number}"] = _plain_axis() | {
                "domain": y, "anchor": f"x{number}", "scaleanchor": f"x{number}",
                "constrain": "domain",
            }  # fmt: skip
        else:
            layout[f"scene{number}"] = _scene() | {"domain": {"x": x, "y": y}}
    quiet = {"gridcolor": "rgba(128,128,128,0.2)", "zeroline": False, "automargin": True}
    layout |= {
        "xaxis20": quiet | {
            "domain": [0.04, 1], "anchor": "y20", "title": {"text": "step"},
            "range": [0, int(first.steps[-1])], "dtick": 50,
        },
        "yaxis20": quiet | {
            "domain": [0, (CURVE - 60) / height], "anchor": "x20", "range": [0, 1.03],
            "title": {"text": "balanced accuracy"}, "dtick": 0.25, "tickformat": ".0%",
        },
        "annotations": _titles(reached, 0, columns, rows, height),
        "updatemenus": [play_buttons()],
        "sliders": [play_slider([str(int(s)) for s in first.steps], "step ")],
        "meta": _meta(courses, columns, rows, flat),
    }  # fmt: skip
    return {"data": data, "layout": layout, "frames": frames}


def place(i: int, columns: int, rows: int, height: int) -> tuple[list[float], list[float]]:
    """Domain of panel ``i`` across and up, as shares of the figure."""
    row, column = divmod(i, columns)
    gap = 0.012
    bottom = (CURVE + 10) / height
    tall = (1 - bottom) / rows
    top = 1 - row * tall - 42 / height
    across = [column / columns + gap, (column + 1) / columns - gap]
    return across, [top - tall + 46 / height, top]


def _curves(courses: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        trace_of(
            "scatter", x=course.steps, y=course.balanced_accuracy, name=title, mode="lines",
            line={"color": curve_color(i), "dash": DASHES[i % 4], "width": 2.5},
            xaxis="x20", yaxis="y20", legendgroup=title,
            hovertemplate="%{y:.0%} at step %{x}<extra>" + title + "</extra>",
        )
        for i, (title, course) in enumerate(courses.items())
    ]  # fmt: skip


BROWN = "#9A6324"  # a fifth for curves, where the others of the theme have a meaning


def curve_color(i: int) -> str:
    """Color of method ``i``: none that means a class, an impostor or a neighbor."""
    return (color(3), color(4), color(6), GRAY, BROWN)[i % 5]


def _cursor(course: Any, f: int) -> Any:
    step = int(course.frames[f].step)
    return trace_of(
        "scatter", x=[step, step], y=[0, 1.03], mode="lines", line={"color": GRAY, "width": 2},
        xaxis="x20", yaxis="y20", showlegend=False, hoverinfo="skip",
    )  # fmt: skip


def _titles(
    reached: list[tuple[str, np.ndarray, np.ndarray]], f: int, columns: int, rows: int, height: int
) -> list[dict[str, Any]]:
    """Name of every panel, with what the method reaches at this frame."""
    found = []
    for i, (title, recalls, accuracies) in enumerate(reached):
        x, y = place(i, columns, rows, height)
        recall, balanced = recalls[f], accuracies[f]
        found.append(
            {
                "text": f"<b>{title}</b><br>minority found {recall[1]:.0%}, "
                f"balanced accuracy {balanced:.0%}",
                "x": sum(x) / 2, "y": y[1], "xref": "paper", "yref": "paper",
                "xanchor": "center", "yanchor": "bottom", "showarrow": False,
                "font": {"size": 13},
            }
        )  # fmt: skip
    return found


def _meta(courses: Mapping[str, Any], columns: int, rows: int, flat: bool) -> dict[str, Any]:
    """What a viewer needs beyond the traces: how panels lie, and which trace is which."""
    return {
        "panels": len(courses), "columns": columns, "rows": rows,
        "panel": PANEL, "curve": CURVE, "cluster_radius": CLUSTER, **trace_places(flat),
        "margins": [c.between_margin for c in courses.values()],
    }  # fmt: skip


def _layout(height: int) -> dict[str, Any]:
    return {
        "height": height,
        "margin": {"l": 10, "r": 10, "t": 48, "b": 10},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "legend": {
            "orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom",
            "itemsizing": "constant",
        },
        "hovermode": "closest",
        "hoverlabel": {"font": {"size": 12}},
    }  # fmt: skip


def _plain_axis() -> dict[str, Any]:
    reach = REGION + 0.09
    return {
        "showticklabels": False, "showgrid": False, "zeroline": False,
        "range": [-reach, reach], "fixedrange": True,
    }  # fmt: skip


def _scene() -> dict[str, Any]:
    none = {"visible": False, "showbackground": False, "range": [-1.12, 1.12]}
    return {
        "xaxis": none, "yaxis": none, "zaxis": none, "aspectmode": "cube",
        "camera": {"eye": {"x": 1.05, "y": 1.05, "z": 0.55}}, "dragmode": "orbit",
    }  # fmt: skip
