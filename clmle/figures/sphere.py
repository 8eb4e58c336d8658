"""The live sphere: points, decision regions, clusters and neighbours of several methods at once.

A circle is drawn in rings. From outside in: what the rule decides at each place; the minority;
the majority, spread inwards so that its points can be told apart; the clusters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clmle.figures.theme import DASHES, GREY, colour

CLASSES = ("majority", "minority")
INKS = (colour(0), colour(1))
IMPOSTOR, GENUINE = colour(5), colour(2)
REGION, MINORITY, CLUSTER = 1.22, 1.06, 0.58  # radii of the rings
PANEL = 330  # pixels of a panel's height
CURVE = 250


def sphere_points(points: np.ndarray, labels: np.ndarray, *, height: int = 330) -> Any:
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
    return go.Figure({"data": _points(points, labels, flat), "layout": layout})


def sphere_panels(courses: Mapping[str, Any], grid: np.ndarray, **options: Any) -> Any:
    """The figure of :func:`sphere_spec`, with buttons and a slider to play its frames."""
    import plotly.graph_objects as go

    return go.Figure(sphere_spec(courses, grid, **options))


def sphere_spec(
    courses: Mapping[str, Any],
    grid: np.ndarray,
    *,
    selected: int | None = None,
    columns: int | None = None,
) -> dict[str, Any]:
    """Methods side by side, with frames to play; below them balanced accuracy along training.

    ``courses`` are :class:`clmle.sphere.Course` by title, of one problem; ``grid`` the places of
    their regions (:func:`clmle.sphere.sphere_grid`). Lines join training point ``selected`` to
    its nearest neighbours; an arc around its cluster's centroid shows the margin a1. Point ``i``
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
    kinds = _meta_places(flat)
    data: list[dict[str, Any]] = []
    for i, course in enumerate(own):
        for k, trace in enumerate(_panel(course, 0, grid, i, flat, selected)):
            drawn_by = (
                margined if k >= kinds["lines"] else clustered if k >= kinds["clusters"] else 0
            )
            shown = i == drawn_by
            data.append(trace | {"showlegend": shown and "name" in trace})
    moving = [*range(len(data)), len(data) + n]
    data += [*_curves(courses), _cursor(first, 0)]
    frames = [
        {
            "name": str(int(first.steps[f])),
            "data": [
                *(
                    _moved(trace)
                    for i, course in enumerate(own)
                    for trace in _panel(course, f, grid, i, flat, selected)
                ),
                _moved(_cursor(first, f)),
            ],
            "traces": moving,
            "layout": {"annotations": _titles(courses, f, columns, rows, height)},
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
        "annotations": _titles(courses, 0, columns, rows, height),
        "updatemenus": [_buttons()],
        "sliders": [_slider(first.steps)],
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


# --- parts ------------------------------------------------------------------------------------


def _panel(
    course: Any, f: int, grid: np.ndarray, i: int, flat: bool, selected: int | None
) -> list[Any]:
    """Traces of one method at one frame: always as many, in the same order."""
    frame = course.frames[f]
    where: dict[str, Any] = (
        {"xaxis": f"x{i + 1}" if i else "x", "yaxis": f"y{i + 1}" if i else "y"}
        if flat
        else {"scene": f"scene{i + 1}" if i else "scene"}
    )
    traces = [
        *_regions(frame.regions, grid, flat),
        *_points(frame.features, course.labels, flat),
        *_clusters(course, frame, flat),
        *_selection(course, frame, flat, selected),
    ]
    return [trace | where for trace in traces]


def _trace(kind: str, **values: Any) -> dict[str, Any]:
    return {"type": kind, **values}


def _points(points: np.ndarray, labels: np.ndarray, flat: bool) -> list[Any]:
    places = _places(points, labels)
    traces = []
    for c, name in enumerate(CLASSES):
        here = np.flatnonzero(labels == c)
        marker = {
            "color": INKS[c],
            "size": (4, 9)[c] if flat else (2.2, 5)[c],
            "symbol": ("circle", "diamond")[c],
            "opacity": (0.7, 1.0)[c],
            "line": {"width": (0, 1)[c] if flat else 0, "color": "rgba(60,60,60,0.9)"},
        }
        facts = {
            "mode": "markers", "name": name, "marker": marker, "customdata": here.astype(np.int16),
            "hovertemplate": f"{name} %{{customdata}}<extra></extra>", "legendgroup": name,
        }  # fmt: skip
        at = places[here]
        if flat:
            traces.append(_trace("scatter", x=at[:, 0], y=at[:, 1], **facts))
        else:
            traces.append(_trace("scatter3d", x=at[:, 0], y=at[:, 1], z=at[:, 2], **facts))
    return traces


def _moved(trace: dict[str, Any]) -> dict[str, Any]:
    """What of a trace changes from frame to frame."""
    changing = ("surfacecolor",) if trace["type"] == "surface" else ("x", "y", "z")
    return {k: trace[k] for k in ("type", *changing) if k in trace}


def _regions(regions: np.ndarray, grid: np.ndarray, flat: bool) -> list[Any]:
    if not flat:
        side = int(np.sqrt(len(grid) * 2))  # n + 1 around, n / 2 + 1 from pole to pole
        around = next(k for k in range(side - 2, side + 3) if len(grid) == k * ((k - 1) // 2 + 1))
        x, y, z = (grid[:, k].reshape(-1, around) for k in range(3))
        judged = regions.reshape(-1, around).astype(np.float32)
        return [
            _trace(
                "surface", x=x, y=y, z=z, surfacecolor=judged,
                cmin=0, cmax=1, colorscale=[[0, _pale(INKS[0])], [1, _pale(INKS[1])]],
                showscale=False, opacity=1, hoverinfo="skip",
                lighting={"ambient": 0.85, "diffuse": 0.25, "specular": 0},
            )
        ]  # fmt: skip
    traces = []
    half = np.pi / len(grid)
    angle = np.arctan2(grid[:, 1], grid[:, 0])
    for c, name in enumerate(CLASSES):
        # Each place is the arc half-way to its neighbours; None parts the arcs.
        mine = angle[regions == c]
        ends = np.stack([mine - half, mine, mine + half, np.full(len(mine), np.nan)], axis=1)
        at = REGION * np.stack([np.cos(ends), np.sin(ends)]).reshape(2, -1).astype(np.float32)
        traces.append(
            _trace(
                "scatter", x=at[0], y=at[1], mode="lines", name=f"judged {name}", hoverinfo="skip",
                line={"color": INKS[c], "width": 9}, opacity=0.8, legendgroup=f"judged {name}",
            )
        )  # fmt: skip
    return traces


def _clusters(course: Any, frame: Any, flat: bool) -> list[Any]:
    traces = []
    for c, name in enumerate(CLASSES):
        mine = np.empty((0, frame.features.shape[1]), np.float32)
        if frame.centroids is not None:
            mine = frame.centroids[course.centroid_classes == c]
        label = f"{name} cluster"
        facts = {
            "mode": "markers", "name": label, "legendgroup": label,
            "hovertemplate": f"centroid of a {label}<extra></extra>",
        }  # fmt: skip
        symbol = ("circle-open", "diamond-open")[c]
        if flat:
            at = (CLUSTER - 0.11 * (c == 0)) * mine
            marker = {"size": 10, "symbol": symbol, "color": INKS[c], "line": {"width": 2}}
            traces.append(_trace("scatter", x=at[:, 0], y=at[:, 1], marker=marker, **facts))
        else:
            at = 1.06 * mine
            marker = {"size": 7, "symbol": symbol, "color": INKS[c]}
            traces.append(
                _trace("scatter3d", x=at[:, 0], y=at[:, 1], z=at[:, 2], marker=marker, **facts)
            )
    return traces


def _selection(course: Any, frame: Any, flat: bool, row: int | None) -> list[Any]:
    """Lines from a point to its neighbours, of other classes and of its own; its margin."""
    places = _places(frame.features, course.labels)
    lines: list[np.ndarray] = [np.empty((0, places.shape[1]))] * 3
    if row is not None:
        near = frame.neighbours[row]
        other = course.labels[near] != course.labels[row]
        lines[:2] = [_chords(places[row], places[near[kind]]) for kind in (other, ~other)]
        if frame.centroids is not None and course.between_margin:
            centre = frame.centroids[frame.clusters[row]]
            lines[2] = _cap(centre, float(np.arccos(1 - course.between_margin)))
    kinds = (
        ("impostor neighbours", IMPOSTOR, "solid", 2.5),
        ("neighbours of its class", GENUINE, "solid", 2.5),
        ("margin a1 around its cluster", GREY, "dot", 3),
    )
    traces = []
    for at, (name, ink, dash, width) in zip(lines, kinds, strict=True):
        facts: dict[str, Any] = {
            "mode": "lines", "name": name, "legendgroup": name, "hoverinfo": "skip",
            "line": {"color": ink, "width": width if flat else 2 * width, "dash": dash},
        }  # fmt: skip
        if flat:
            traces.append(_trace("scatter", x=at[:, 0], y=at[:, 1], **facts))
        else:
            traces.append(_trace("scatter3d", x=at[:, 0], y=at[:, 1], z=at[:, 2], **facts))
    return traces


def _places(points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Where unit points (n, d) are drawn: in rings of a circle, or just above a sphere."""
    if points.shape[1] == 3:
        radius = np.where(labels == 0, 1.01, 1.03)
    else:
        # The same depth for a point in every frame: it moves along the circle only.
        depth = np.random.default_rng(0).uniform(0.70, 0.98, len(points))
        radius = np.where(labels == 0, depth, MINORITY)
    return (points * radius[:, None]).astype(np.float32)


def _chords(start: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Lines from one place to several, parted by NaN."""
    gap = np.full(ends.shape, np.nan)
    return np.stack([np.broadcast_to(start, ends.shape), ends, gap], axis=1).reshape(-1, len(start))


def _cap(centre: np.ndarray, angle: float) -> np.ndarray:
    """The places at ``angle`` from a unit centre: an arc through it, or a circle around it."""
    turn = np.linspace(-1, 1, 41)
    if len(centre) == 2:
        at = np.arctan2(centre[1], centre[0]) + angle * turn
        return CLUSTER * np.column_stack([np.cos(at), np.sin(at)])
    helper = np.eye(3)[np.abs(centre).argmin()]
    u = np.cross(centre, helper)
    u /= np.linalg.norm(u)
    v = np.cross(centre, u)
    around = np.outer(np.cos(np.pi * turn), u) + np.outer(np.sin(np.pi * turn), v)
    return 1.03 * (np.cos(angle) * centre + np.sin(angle) * around)


def _curves(courses: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        _trace(
            "scatter", x=course.steps, y=course.balanced_accuracy, name=title, mode="lines",
            line={"color": curve_colour(i), "dash": DASHES[i % 4], "width": 2.5},
            xaxis="x20", yaxis="y20", legendgroup=title,
            hovertemplate="%{y:.0%} at step %{x}<extra>" + title + "</extra>",
        )
        for i, (title, course) in enumerate(courses.items())
    ]  # fmt: skip


def curve_colour(i: int) -> str:
    """Colour of method ``i``: none of the two that mean a class."""
    return (colour(2), colour(3), colour(5), GREY, colour(4), colour(6))[i % 6]


def _cursor(course: Any, f: int) -> Any:
    step = int(course.frames[f].step)
    return _trace(
        "scatter", x=[step, step], y=[0, 1.03], mode="lines", line={"color": GREY, "width": 2},
        xaxis="x20", yaxis="y20", showlegend=False, hoverinfo="skip",
    )  # fmt: skip


def _titles(
    courses: Mapping[str, Any], f: int, columns: int, rows: int, height: int
) -> list[dict[str, Any]]:
    """Name of every panel, with what the method reaches at this frame."""
    found = []
    for i, (title, course) in enumerate(courses.items()):
        x, y = place(i, columns, rows, height)
        recall, balanced = course.recall[f], course.balanced_accuracy[f]
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
        "panel": PANEL, "curve": CURVE, "cluster_radius": CLUSTER, **_meta_places(flat),
        "margins": [c.between_margin for c in courses.values()],
    }  # fmt: skip


def _meta_places(flat: bool) -> dict[str, int]:
    """Where among the traces of a panel its kinds begin, and how many there are."""
    regions = 2 if flat else 1
    return {
        "points": regions, "clusters": regions + 2, "lines": regions + 4, "per_panel": regions + 7,
    }  # fmt: skip


def _buttons() -> dict[str, Any]:
    still = {"mode": "immediate", "transition": {"duration": 0}}
    play = still | {"frame": {"duration": 120, "redraw": True}, "fromcurrent": True}
    return {
        "type": "buttons", "direction": "left", "x": 0, "y": -0.04, "xanchor": "left",
        "yanchor": "top", "showactive": False, "pad": {"t": 30},
        "buttons": [
            {"label": "Play", "method": "animate", "args": [None, play]},
            {"label": "Pause", "method": "animate",
             "args": [[None], still | {"frame": {"duration": 0, "redraw": False}}]},
        ],
    }  # fmt: skip


def _slider(steps: Sequence[int] | np.ndarray) -> dict[str, Any]:
    jump = {"mode": "immediate", "frame": {"duration": 0, "redraw": True},
            "transition": {"duration": 0}}  # fmt: skip
    return {
        "x": 0.2, "len": 0.8, "y": -0.04, "pad": {"t": 30}, "currentvalue": {"prefix": "step "},
        "steps": [
            {"label": str(int(s)), "method": "animate", "args": [[str(int(s))], jump]}
            for s in steps
        ],
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


def _pale(ink: str) -> str:
    """``ink`` half-way to white: points of the same class stay visible on it."""
    parts = [int(ink[i : i + 2], 16) for i in (1, 3, 5)]
    return "rgb({},{},{})".format(*((p + 255) // 2 for p in parts))
