"""The marks of one panel of the live sphere: regions, points, clusters, neighbors, margin."""

from __future__ import annotations

from typing import Any

import numpy as np

from clmle.figures.theme import GRAY, color

CLASSES = ("majority", "minority")
INKS = (color(0), color(1))
IMPOSTOR, GENUINE = color(5), color(2)
EDGE = "rgb(60,60,60)"
REGION, MINORITY, CLUSTER = 1.22, 1.06, 0.58  # radii of the rings


def panel_traces(
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
        *point_traces(frame.features, course.labels, flat),
        *_clusters(course, frame, flat),
        *_selection(course, frame, flat, selected),
    ]
    return [trace | where for trace in traces]


def trace_of(kind: str, **values: Any) -> dict[str, Any]:
    return {"type": kind, **values}


def point_traces(points: np.ndarray, labels: np.ndarray, flat: bool) -> list[Any]:
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
            traces.append(trace_of("scatter", x=at[:, 0], y=at[:, 1], **facts))
        else:
            traces.append(trace_of("scatter3d", x=at[:, 0], y=at[:, 1], z=at[:, 2], **facts))
    return traces


def filled_traces(points: np.ndarray, labels: np.ndarray) -> list[Any]:
    """The points (n, 2) of each class as one filled path: dots, and diamonds with a dark edge.

    A browser takes 0.1 s to style a thousand marks one by one, a few milliseconds for a path.
    """
    places = _places(points, labels)
    traces = []
    for c, corners, radius, ink in (
        (0, 8, 0.018, INKS[0]), (1, 4, 0.042, EDGE), (1, 4, 0.034, INKS[1]),
    ):  # fmt: skip
        here = np.flatnonzero(labels == c)
        angle = np.linspace(0, 2 * np.pi, corners + 1)
        ring = np.stack([np.cos(angle), np.sin(angle)], axis=1) * radius
        outline = places[here, None] + np.concatenate([ring, np.full((1, 2), np.nan)])
        x, y = outline.reshape(-1, 2).astype(np.float32).T
        reported = {
            "name": CLASSES[c], "hoveron": "points",
            "customdata": np.repeat(here, corners + 2).astype(np.int16),
            "hovertemplate": f"{CLASSES[c]} %{{customdata}}<extra></extra>",
        }  # fmt: skip
        quiet = {"showlegend": False, "hoverinfo": "skip"}
        traces.append(
            trace_of(
                "scatter", x=x, y=y, mode="none", fill="toself", fillcolor=ink,
                opacity=(0.7, 1.0)[c], legendgroup=CLASSES[c], **(quiet if ink == EDGE else reported),
            )
        )  # fmt: skip
    return traces


def moving_part(trace: dict[str, Any]) -> dict[str, Any]:
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
            trace_of(
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
        # Each place is the arc half-way to its neighbors; None parts the arcs.
        mine = angle[regions == c]
        ends = np.stack([mine - half, mine, mine + half, np.full(len(mine), np.nan)], axis=1)
        at = REGION * np.stack([np.cos(ends), np.sin(ends)]).reshape(2, -1).astype(np.float32)
        traces.append(
            trace_of(
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
            traces.append(trace_of("scatter", x=at[:, 0], y=at[:, 1], marker=marker, **facts))
        else:
            at = 1.06 * mine
            marker = {"size": 7, "symbol": symbol, "color": INKS[c]}
            traces.append(
                trace_of("scatter3d", x=at[:, 0], y=at[:, 1], z=at[:, 2], marker=marker, **facts)
            )
    return traces


def _selection(course: Any, frame: Any, flat: bool, row: int | None) -> list[Any]:
    """Lines from a point to its neighbors, of other classes and of its own; its margin."""
    places = _places(frame.features, course.labels)
    lines: list[np.ndarray] = [np.empty((0, places.shape[1]))] * 3
    if row is not None:
        near = frame.neighbors[row]
        other = course.labels[near] != course.labels[row]
        lines[:2] = [_chords(places[row], places[near[kind]]) for kind in (other, ~other)]
        if frame.centroids is not None and course.between_margin:
            center = frame.centroids[frame.clusters[row]]
            lines[2] = _cap(center, float(np.arccos(1 - course.between_margin)))
    kinds = (
        ("impostor neighbors", IMPOSTOR, "solid", 2.5),
        ("neighbors of its class", GENUINE, "solid", 2.5),
        ("margin a1 around its cluster", GRAY, "dot", 3),
    )
    traces = []
    for at, (name, ink, dash, width) in zip(lines, kinds, strict=True):
        facts: dict[str, Any] = {
            "mode": "lines", "name": name, "legendgroup": name, "hoverinfo": "skip",
            "line": {"color": ink, "width": width if flat else 2 * width, "dash": dash},
        }  # fmt: skip
        if flat:
            traces.append(trace_of("scatter", x=at[:, 0], y=at[:, 1], **facts))
        else:
            traces.append(trace_of("scatter3d", x=at[:, 0], y=at[:, 1], z=at[:, 2], **facts))
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


def _cap(center: np.ndarray, angle: float) -> np.ndarray:
    """The places at ``angle`` from a unit center: an arc through it, or a circle around it."""
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


def trace_places(flat: bool) -> dict[str, int]:
    """Where among the traces of a panel its kinds begin, and how many there are."""
    regions = 2 if flat else 1
    return {
        "points": regions, "clusters": regions + 2, "lines": regions + 4, "per_panel": regions + 7,
    }  # fmt: skip


def _pale(ink: str) -> str:
    """``ink`` half-way to white: points of the same class stay visible on it."""
    parts = [int(ink[i : i + 2], 16) for i in (1, 3, 5)]
    return "rgb({},{},{})".format(*((p + 255) // 2 for p in parts))
