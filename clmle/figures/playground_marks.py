"""The marks of one panel of the playground: regions, points, clusters, neighbors, margin."""

from typing import Any

import numpy as np

from clmle.figures.theme import GRAY, color

CLASSES = ("majority", "minority")
INKS = (color(0), color(1))
IMPOSTOR, GENUINE = color(5), color(2)
EDGE = "rgb(60,60,60)"
REGION, MINORITY, CLUSTER = 1.22, 1.06, 0.58  # radii of the rings


def panel_traces(
    trajectory: Any, f: int, grid: np.ndarray, i: int, selected: int | None
) -> list[Any]:
    """Traces of panel ``i`` at frame ``f``: always as many, in the same order."""
    frame = trajectory.frames[f]
    number = str(i + 1) if i else ""
    axes = {"xaxis": f"x{number}", "yaxis": f"y{number}"}
    where = axes if grid.shape[1] == 2 else {"scene": f"scene{number}"}
    traces = [
        *_regions(frame.regions, grid),
        *point_traces(frame.features, trajectory.labels),
        *_clusters(trajectory, frame),
        *_selection(trajectory, frame, selected),
    ]
    return [trace | where for trace in traces]


def trace_positions(flat: bool) -> dict[str, int]:
    """Where among the traces of a panel its kinds begin, and how many there are."""
    regions = 2 if flat else 1
    return {
        "points": regions, "clusters": regions + 2, "lines": regions + 4, "per_panel": regions + 7,
    }  # fmt: skip


def moving_part(trace: dict[str, Any]) -> dict[str, Any]:
    """What of a trace changes from frame to frame."""
    changing = ("surfacecolor",) if trace["type"] == "surface" else ("x", "y", "z")
    return {k: trace[k] for k in ("type", *changing) if k in trace}


def scatter(at: np.ndarray, **values: Any) -> dict[str, Any]:
    """A trace through the points (n, 2) or (n, 3); plain data, as plotly's objects are slow."""
    kind = "scatter3d" if at.shape[1] == 3 else "scatter"
    return {
        "type": kind,
        **{axis: at[:, k] for k, axis in enumerate("xyz"[: at.shape[1]])},
    } | values


def point_traces(points: np.ndarray, labels: np.ndarray) -> list[Any]:
    """The points (n, d) of each class as single marks; customdata is the row."""
    places, flat = _positions(points, labels), points.shape[1] == 2
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
        traces.append(
            scatter(
                places[here], mode="markers", name=name, marker=marker, legendgroup=name,
                customdata=here.astype(np.int16),
                hovertemplate=f"{name} %{{customdata}}<extra></extra>",
            )
        )  # fmt: skip
    return traces


def filled_traces(points: np.ndarray, labels: np.ndarray) -> list[Any]:
    """The points (n, 2) of each class as one filled path, which a browser draws fast."""
    places = _positions(points, labels)
    traces = []
    for c, corners, radius, ink in (
        (0, 8, 0.018, INKS[0]), (1, 4, 0.042, EDGE), (1, 4, 0.034, INKS[1]),
    ):  # fmt: skip
        here = np.flatnonzero(labels == c)
        angle = np.linspace(0, 2 * np.pi, corners + 1)
        ring = np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius
        outline = places[here, None] + np.concatenate([ring, np.full((1, 2), np.nan)])
        named = {
            "name": CLASSES[c], "hoveron": "points",
            "customdata": np.repeat(here, corners + 2).astype(np.int16),
            "hovertemplate": f"{CLASSES[c]} %{{customdata}}<extra></extra>",
        }  # fmt: skip
        unnamed = {"showlegend": False, "hoverinfo": "skip"}
        traces.append(
            scatter(
                outline.reshape(-1, 2).astype(np.float32), mode="none", fill="toself",
                fillcolor=ink, opacity=(0.7, 1.0)[c], legendgroup=CLASSES[c],
                **(unnamed if ink == EDGE else named),
            )
        )  # fmt: skip
    return traces


def _regions(regions: np.ndarray, grid: np.ndarray) -> list[Any]:
    if grid.shape[1] == 3:
        side = int(np.sqrt(len(grid) * 2))  # n + 1 around, n / 2 + 1 from pole to pole
        around = next(k for k in range(side - 2, side + 3) if len(grid) == k * ((k - 1) // 2 + 1))
        x, y, z = (grid[:, k].reshape(-1, around) for k in range(3))
        # Half-way to white, so that points of the same class stay visible.
        pale = [[(int(ink[i : i + 2], 16) + 255) // 2 for i in (1, 3, 5)] for ink in INKS]
        return [
            {
                "type": "surface", "x": x, "y": y, "z": z,
                "surfacecolor": regions.reshape(-1, around).astype(np.float32),
                "cmin": 0, "cmax": 1, "showscale": False, "opacity": 1, "hoverinfo": "skip",
                "colorscale": [[c, "rgb({},{},{})".format(*parts)] for c, parts in enumerate(pale)],
                "lighting": {"ambient": 0.85, "diffuse": 0.25, "specular": 0},
            }
        ]  # fmt: skip
    traces = []
    half = np.pi / len(grid)
    angle = np.arctan2(grid[:, 1], grid[:, 0])
    for c, name in enumerate(CLASSES):
        # Each point of the grid is an arc half-way to its neighbors; NaN separates the arcs.
        mine = angle[regions == c]
        ends = np.stack([mine - half, mine, mine + half, np.full(len(mine), np.nan)], axis=1)
        at = REGION * np.stack([np.cos(ends), np.sin(ends)], axis=-1).reshape(-1, 2)
        label = f"predicted {name}"
        traces.append(
            scatter(
                at.astype(np.float32), mode="lines", name=label, legendgroup=label, opacity=0.8,
                hoverinfo="skip", line={"color": INKS[c], "width": 9},
            )
        )  # fmt: skip
    return traces


def _clusters(trajectory: Any, frame: Any) -> list[Any]:
    dim = frame.features.shape[1]
    traces = []
    for c, name in enumerate(CLASSES):
        mine = np.empty((0, dim), np.float32)
        if frame.centroids is not None:
            mine = frame.centroids[trajectory.centroid_classes == c]
        label = f"{name} cluster"
        marker: dict[str, Any] = {
            "size": 10 if dim == 2 else 7, "symbol": ("circle-open", "diamond-open")[c],
            "color": INKS[c],
        }  # fmt: skip
        if dim == 2:
            marker["line"] = {"width": 2}
        radius = CLUSTER - 0.11 * (c == 0) if dim == 2 else 1.06
        traces.append(
            scatter(
                radius * mine, mode="markers", name=label, legendgroup=label, marker=marker,
                hovertemplate=f"centroid of a {label}<extra></extra>",
            )
        )  # fmt: skip
    return traces


def _selection(trajectory: Any, frame: Any, row: int | None) -> list[Any]:
    """Lines from a point to its neighbors of other classes and of the same class; its margin."""
    places = _positions(frame.features, trajectory.labels)
    lines: list[np.ndarray] = [np.empty((0, places.shape[1]))] * 3
    if row is not None:
        near = frame.neighbors[row]
        other = trajectory.labels[near] != trajectory.labels[row]
        lines[:2] = [_chords(places[row], places[near[kind]]) for kind in (other, ~other)]
        if frame.centroids is not None and trajectory.between_margin:
            center = frame.centroids[frame.clusters[row]]
            lines[2] = _cap(center, float(np.arccos(1 - trajectory.between_margin)))
    kinds = (
        ("impostor neighbors", IMPOSTOR, "solid", 2.5),
        ("neighbors of the same class", GENUINE, "solid", 2.5),
        ("margin a1 around its cluster", GRAY, "dot", 3),
    )
    thicker = places.shape[1] - 1
    return [
        scatter(
            at, mode="lines", name=name, legendgroup=name, hoverinfo="skip",
            line={"color": ink, "width": thicker * width, "dash": dash},
        )
        for at, (name, ink, dash, width) in zip(lines, kinds, strict=True)
    ]  # fmt: skip


def _positions(points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Where unit points (n, d) are drawn: in rings of a circle, or just above a sphere."""
    if points.shape[1] == 3:
        radius = np.where(labels == 0, 1.01, 1.03)
    else:
        # The same radius for a point in every frame: it moves along the circle only.
        depth = np.random.default_rng(0).uniform(0.70, 0.98, len(points))
        radius = np.where(labels == 0, depth, MINORITY)
    return (points * radius[:, None]).astype(np.float32)


def _chords(start: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Lines from one position to several, separated by NaN."""
    gap = np.full(ends.shape, np.nan)
    return np.stack([np.broadcast_to(start, ends.shape), ends, gap], axis=1).reshape(-1, len(start))


def _cap(center: np.ndarray, angle: float) -> np.ndarray:
    """Points at ``angle`` from a unit center: the ends of an arc, or a circle on the sphere."""
    turn = np.linspace(-1, 1, 41)
    if len(center) == 2:
        at = np.arctan2(center[1], center[0]) + angle * turn
        return CLUSTER * np.column_stack([np.cos(at), np.sin(at)])
    helper = np.eye(3)[np.abs(center).argmin()]
    u = np.cross(center, helper)
    u /= np.linalg.norm(u)
    v = np.cross(center, u)
    around = np.outer(np.cos(np.pi * turn), u) + np.outer(np.sin(np.pi * turn), v)
    line: np.ndarray = 1.03 * (np.cos(angle) * center + np.sin(angle) * around)
    return line
