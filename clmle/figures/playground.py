"""The playground: points, decision regions, clusters and neighbors of several methods.

A circle is drawn in rings. From outside in: the predicted class at each angle; the minority; the
majority, spread over several radii so that its points can be distinguished; the centroids.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clmle.figures.layout import (
    Figure,
    finish,
    layout,
    new_figure,
    play_buttons,
    play_slider,
    row_axis,
)
from clmle.figures.playground_marks import (
    CLUSTER,
    REGION,
    filled_traces,
    moving_part,
    panel_traces,
    point_traces,
    scatter,
    trace_positions,
)
from clmle.figures.theme import BARE, GRAY, GRID, color, line, numbered
from clmle.text import counted

__all__ = ["playground_draws", "playground_panels", "playground_points", "playground_spec"]

PANEL = 330  # pixels of a panel's height
CURVE = 250
GAP = 0.012


def playground_points(points: np.ndarray, labels: np.ndarray, *, height: int = 330) -> Figure:
    """Training points of both classes before any training.

    Parameters
    ----------
    points : (n, 2) or (n, 3) array
        Unit rows.
    labels : (n,) array
        0 majority, 1 minority.
    height : int
        Pixels.

    Examples
    --------
    >>> playground_points(np.eye(2), np.array([0, 1])).layout.title.text
    'Training points: 1 majority, 1 minority'
    """
    import plotly.graph_objects as go

    flat = points.shape[1] == 2
    counts = np.bincount(labels, minlength=2)
    title = f"Training points: {counts[0]} majority, {counts[1]} minority"
    look = _layout(height) | {"title": {"text": title}}
    if flat:
        look["xaxis"] = _plain_axis()
        look["yaxis"] = _plain_axis() | {"scaleanchor": "x", "constrain": "domain"}
    else:
        look["scene"] = _scene()
    traces = filled_traces(points, labels) if flat else point_traces(points, labels)
    return go.Figure({"data": traces, "layout": look})


def playground_draws(values: Mapping[str, Sequence[float]]) -> Figure:
    """Balanced accuracy of every draw of points, a row for each method, with mean and range.

    Parameters
    ----------
    values : mapping of str to sequence of float
        Title of a method -> balanced accuracy of each draw.

    Examples
    --------
    >>> playground_draws({"softmax": [0.5, 0.75]}).layout.yaxis.ticktext
    ('softmax: 62 %, 50 to 75 % (2 draws)',)
    """
    names = {
        title: f"{title}: {100 * np.mean(own):.0f} %, {100 * min(own):.0f} to "
        f"{100 * max(own):.0f} % ({counted(len(own), 'draw')})"
        for title, own in values.items()
        if own
    }
    figure = new_figure()
    for number, title in zip(numbered(names), names, strict=True):
        own = list(values[title])
        marks = {"color": color(number), "size": 10, "opacity": 0.7}
        figure.add_scatter(
            x=own, y=[title] * len(own), mode="markers", marker=marks, showlegend=False,
            hovertemplate="%{x:.0%}<extra></extra>",
        )  # fmt: skip
        figure.add_scatter(
            x=[float(np.mean(own))], y=[title], mode="markers", showlegend=False, hoverinfo="skip",
            marker={"symbol": "line-ns-open", "size": 20, "color": color(number)},
        )  # fmt: skip
    title = "Balanced accuracy of each draw: mean, range"
    finish(figure, title, "balanced accuracy", "", height=150 + 44 * len(names))
    figure.update_xaxes(range=[0.3, 1.02], tickformat=".0%")
    row_axis(figure, list(names), list(names.values()))
    return figure


def playground_panels(trajectories: Mapping[str, Any], grid: np.ndarray, **options: Any) -> Figure:
    """The figure of :func:`playground_spec`, with buttons and a slider to play its frames.

    Parameters
    ----------
    trajectories, grid, **options
        As for :func:`playground_spec`.

    Examples
    --------
    >>> from clmle.playground import PlaygroundProblem, playground_grid, train_trajectory
    >>> trajectory = train_trajectory(PlaygroundProblem(modes=1), "softmax")
    >>> len(playground_panels({"softmax": trajectory}, playground_grid(2)).frames)
    41
    """
    import plotly.graph_objects as go

    return go.Figure(playground_spec(trajectories, grid, **options))


def playground_spec(
    trajectories: Mapping[str, Any],
    grid: np.ndarray,
    *,
    selected: int | None = None,
    columns: int | None = None,
) -> dict[str, Any]:
    """Panels of methods with frames to play, and balanced accuracy during training below.

    Parameters
    ----------
    trajectories : mapping of str to clmle.playground.Trajectory
        Title -> trajectory, all of one problem.
    grid : (g, d) array
        :func:`clmle.playground.playground_grid`, the points of the decision regions.
    selected : int, optional
        Training point that is joined to its nearest neighbors; an arc around the centroid of
        its cluster shows the margin a1.
    columns : int, optional
        Panels in a row.

    Returns
    -------
    dict
        ``data``, ``layout`` and ``frames`` as plain data, because plotly's objects take seconds
        to make. Point ``i`` of a panel has customdata ``i``; ``layout.meta`` holds what a viewer
        needs to rearrange the panels and to select another point.

    Examples
    --------
    >>> from clmle.playground import PlaygroundProblem, playground_grid, train_trajectory
    >>> trajectory = train_trajectory(PlaygroundProblem(modes=1), "softmax")
    >>> playground_spec({"softmax": trajectory}, playground_grid(2))["layout"]["meta"]["panels"]
    1
    """
    titles, own = list(trajectories), list(trajectories.values())
    n, first, flat = len(own), own[0], grid.shape[1] == 2
    columns = columns or (n if n <= 3 else -(-n // 2))
    rows = -(-n // columns)
    height = rows * PANEL + CURVE + 60
    domains = [_domain(i, columns, rows, height) for i in range(n)]
    metrics = [(t.recall, t.balanced_accuracy) for t in own]

    def annotations(f: int) -> list[dict[str, Any]]:
        return [
            {
                "text": f"<b>{title}</b><br>minority recall {recall[f, 1]:.0%}, "
                f"balanced accuracy {balanced[f]:.0%}",
                "x": sum(x) / 2, "y": y[1], "xref": "paper", "yref": "paper",
                "xanchor": "center", "yanchor": "bottom", "showarrow": False,
                "font": {"size": 13},
            }
            for title, (recall, balanced), (x, y) in zip(titles, metrics, domains, strict=True)
        ]  # fmt: skip

    def panels(f: int) -> list[list[dict[str, Any]]]:
        return [panel_traces(t, f, grid, i, selected) for i, t in enumerate(own)]

    # The legend names a kind of mark once: where the first panel that has it draws it.
    clustered = next((i for i, t in enumerate(own) if t.centroid_classes is not None), 0)
    margined = next((i for i, t in enumerate(own) if t.between_margin is not None), 0)
    kinds = trace_positions(flat)
    data: list[dict[str, Any]] = []
    for i, panel in enumerate(panels(0)):
        for k, trace in enumerate(panel):
            clusters, lines = k >= kinds["clusters"], k >= kinds["lines"]
            shown_by = margined if lines else clustered if clusters else 0
            data.append(trace | {"showlegend": i == shown_by and "name" in trace})
    moving = [*range(len(data)), len(data) + n]
    data += [*_curves(trajectories), _cursor(first, 0)]
    frames = [
        {
            "name": str(int(first.steps[f])),
            "data": [
                moving_part(t) for t in [*(t for p in panels(f) for t in p), _cursor(first, f)]
            ],
            "traces": moving,
            "layout": {"annotations": annotations(f)},
        }
        for f in range(len(first.frames))
    ]
    quiet = {"gridcolor": GRID, "zeroline": False, "automargin": True}
    look = _layout(height) | _panel_axes(domains, flat) | {
        "xaxis20": quiet | {
            "domain": [0.04, 1], "anchor": "y20", "title": {"text": "step"},
            "range": [0, int(first.steps[-1])], "dtick": 50,
        },
        "yaxis20": quiet | {
            "domain": [0, (CURVE - 60) / height], "anchor": "x20", "range": [0, 1.03],
            "title": {"text": "balanced accuracy"}, "dtick": 0.25, "tickformat": ".0%",
        },
        "annotations": annotations(0),
        "updatemenus": [play_buttons()],
        "sliders": [play_slider([str(int(s)) for s in first.steps], "step ")],
        "meta": {
            "panels": n, "columns": columns, "rows": rows, "panel": PANEL, "curve": CURVE,
            "cluster_radius": CLUSTER, "margins": [t.between_margin for t in own], **kinds,
        },
    }  # fmt: skip
    return {"data": data, "layout": look, "frames": frames}


def _panel_axes(domains: list[Any], flat: bool) -> dict[str, Any]:
    """Axes of every panel, or its scene in three dimensions."""
    axes = {}
    for i, (x, y) in enumerate(domains):
        number = "" if i == 0 else str(i + 1)
        if flat:
            axes[f"xaxis{number}"] = _plain_axis() | {"domain": x, "anchor": f"y{number}"}
            axes[f"yaxis{number}"] = _plain_axis() | {
                "domain": y, "anchor": f"x{number}", "scaleanchor": f"x{number}",
                "constrain": "domain",
            }  # fmt: skip
        else:
            axes[f"scene{number}"] = _scene() | {"domain": {"x": x, "y": y}}
    return axes


def _domain(i: int, columns: int, rows: int, height: int) -> tuple[list[float], list[float]]:
    """Domain of panel ``i`` across and up, as fractions of the figure."""
    row, column = divmod(i, columns)
    tall = (1 - (CURVE + 10) / height) / rows
    top = 1 - row * tall - 42 / height
    across = [column / columns + GAP, (column + 1) / columns - GAP]
    return across, [top - tall + 46 / height, top]


def _curves(trajectories: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Balanced accuracy during training, in the colors of the methods."""
    return [
        scatter(
            np.column_stack([t.steps, t.balanced_accuracy]), name=title, mode="lines",
            line=line(number, width=2.5),
            xaxis="x20", yaxis="y20", legendgroup=title,
            hovertemplate="%{y:.0%} at step %{x}<extra>" + title + "</extra>",
        )
        for number, (title, t) in zip(numbered(trajectories), trajectories.items(), strict=True)
    ]  # fmt: skip


def _cursor(trajectory: Any, f: int) -> dict[str, Any]:
    """A vertical line at the step of frame ``f``."""
    step = int(trajectory.frames[f].step)
    return {
        "type": "scatter", "x": [step, step], "y": [0, 1.03], "mode": "lines",
        "line": {"color": GRAY, "width": 2}, "xaxis": "x20", "yaxis": "y20", "showlegend": False,
        "hoverinfo": "skip",
    }  # fmt: skip


def _layout(height: int) -> dict[str, Any]:
    return layout(height) | {
        "legend": {
            "orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom",
            "itemsizing": "constant",
        },
        "hovermode": "closest",
    }  # fmt: skip


def _plain_axis() -> dict[str, Any]:
    reach = REGION + 0.09
    return BARE | {"range": [-reach, reach], "fixedrange": True}


def _scene() -> dict[str, Any]:
    none = {"visible": False, "showbackground": False, "range": [-1.12, 1.12]}
    return {
        "xaxis": none, "yaxis": none, "zaxis": none, "aspectmode": "cube",
        "camera": {"eye": {"x": 1.05, "y": 1.05, "z": 0.55}}, "dragmode": "orbit",
    }  # fmt: skip
