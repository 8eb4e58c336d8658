"""Features projected to two dimensions."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clmle.errors import InputError
from clmle.figures.layout import Figure, finish, new_figure, play_buttons, play_slider
from clmle.figures.theme import BARE, COLORS, GRAY, SYMBOLS, class_of, color

__all__ = ["OWN", "embedding_frames", "embedding_map", "embedding_scatter"]

MOST_NAMED = 24  # groups that a legend has room for
OWN = "uploaded"  # the group of images that a visitor added, drawn above all others
# From blue to vermilion by way of ochre: visible on light and dark, and for the color-blind.
SCALE = ((0.0, "#56B4E9"), (0.5, "#B8A800"), (1.0, "#D55E00"))


def embedding_scatter(
    frames: Sequence[tuple[str, np.ndarray]],
    groups: Sequence[str],
    title: str,
    *,
    classes: Sequence[str] = (),
    height: int = 520,
) -> Figure:
    """Panels of the same points at several moments, colored by group.

    ``customdata`` of every point is its row.

    Parameters
    ----------
    frames : sequence of (title, (n, 2) array)
        One panel each.
    groups : (n,) sequence of str
        Groups of the points; "test image" is gray.
    title : str
    classes : sequence of str
        As in :func:`embedding_map`.
    height : int
        Pixels.

    Examples
    --------
    >>> points = np.zeros((3, 2))
    >>> figure = embedding_scatter([("start", points), ("end", points)], ["a", "b", "a"], "t")
    >>> len(figure.data)
    4
    """
    from plotly.subplots import make_subplots

    figure = make_subplots(
        rows=1, cols=len(frames), subplot_titles=[name for name, _ in frames],
        horizontal_spacing=0.03,
    )  # fmt: skip
    for panel, (_, points) in enumerate(frames, start=1):
        for name, rows, marker in _groups(groups, classes):
            figure.add_scattergl(
                **_at(points, rows), mode="markers", marker=marker, name=name, legendgroup=name,
                showlegend=panel == 1, customdata=rows, hoverinfo="none", row=1, col=panel,
            )  # fmt: skip
    return _finish(figure, title, height, 70)


def embedding_map(
    points: np.ndarray,
    title: str,
    *,
    groups: Sequence[str] = (),
    classes: Sequence[str] = (),
    values: Sequence[float] = (),
    limits: tuple[float, float] | None = None,
    of: str = "",
    height: int = 560,
) -> Figure:
    """One panel of points, colored by group or by a number; ``customdata`` is the row of a point.

    Parameters
    ----------
    points : (n, 2) array
    title : str
    groups : (n,) sequence of str
        Groups of the points; images of the group ``OWN`` are drawn as stars.
    classes : sequence of str
        Classes in the order of their indices: a group that is a class, or begins with its name
        and a comma, has the color of that index in every figure, whichever other groups there are.
    values : (n,) sequence of float
        Numbers that color the points instead of the groups.
    limits : (low, high), optional
        Numbers at the ends of the color scale; by default the smallest and the largest.
    of : str
        Name of the numbers.
    height : int
        Pixels.

    Examples
    --------
    >>> figure = embedding_map(np.zeros((3, 2)), "Features", groups=["b", "a", "b"])
    >>> [trace.name for trace in figure.data]
    ['a', 'b']
    """
    figure = new_figure()
    size = 6 if len(points) <= 5_000 else 4 if len(points) <= 30_000 else 3
    if len(values):
        # Large numbers last, on top of the others.
        order = np.argsort(np.asarray(values), kind="stable")
        if len(groups):
            order = order[np.asarray(groups)[order] != OWN]
        bar = {
            "title": {"text": of, "side": "top"}, "orientation": "h", "y": -0.02, "yanchor": "top",
            "thickness": 12,
        }  # fmt: skip
        figure.add_scattergl(
            **_at(points, order), mode="markers", customdata=order.tolist(), hoverinfo="none",
            name=of, showlegend=False,
            marker={"size": size, "opacity": 0.85, "color": np.asarray(values)[order],
                    "colorscale": SCALE, "colorbar": bar,
                    **(dict(zip(("cmin", "cmax"), limits, strict=True)) if limits else {})},
        )  # fmt: skip
    kinds = _groups(groups, classes, size)
    for name, rows, marker in kinds:
        if len(values) and name != OWN:
            continue  # drawn by their numbers
        figure.add_scattergl(
            **_at(points, rows), mode="markers", customdata=rows.tolist(), hoverinfo="none",
            name=name, showlegend=len(kinds) <= MOST_NAMED or name == OWN, marker=marker,
        )  # fmt: skip
    return _finish(figure, title, height, 50)


def embedding_frames(
    frames: Mapping[str, np.ndarray],
    groups: Sequence[str],
    title: str,
    *,
    classes: Sequence[str] = (),
    prefix: str = "",
    height: int = 620,
) -> Figure:
    """One panel with a slider over the frames, colored by group.

    The axes are the same in all frames, so that only the points move.

    Parameters
    ----------
    frames : mapping of str to (n, 2) array
        For example of :func:`clmle.projection.project_rounds`.
    groups : (n,) sequence of str
    title : str
    classes : sequence of str
        As in :func:`embedding_map`.
    prefix : str
        Written before the name of a frame.
    height : int
        Pixels.

    Examples
    --------
    >>> figure = embedding_frames({"0": np.zeros((2, 2)), "1": np.ones((2, 2))}, ["a", "b"], "t")
    >>> [frame.name for frame in figure.frames]
    ['0', '1']
    """
    for name, points in frames.items():
        if np.shape(points) != (len(groups), 2):
            raise InputError(
                f"The frame {name!r} must be ({len(groups)}, 2), one point for each of the "
                f"{len(groups)} groups, but is {np.shape(points)}."
            )
    if not frames:
        raise InputError("There is no frame to show; give one or more, name -> (n, 2).")
    kinds = _groups(groups, classes)
    first = next(iter(frames.values()))
    figure = new_figure()
    for name, rows, marker in kinds:  # not WebGL, whose points do not move with the frames
        figure.add_scatter(
            **_at(first, rows), mode="markers", name=name, marker=marker, hoverinfo="name"
        )
    figure.frames = [
        {
            "name": name,
            "data": [_at(points, rows) for _, rows, _ in kinds],
            "traces": list(range(len(kinds))),
        }
        for name, points in frames.items()
    ]
    finish(figure, title, "", "", height=height)
    every = np.concatenate(list(frames.values()))
    low, high = every.min(axis=0), every.max(axis=0)
    room = 0.05 * np.maximum(high - low, 1e-6)
    x_range, y_range = np.stack([low - room, high + room], axis=1)
    figure.update_xaxes(range=x_range, **BARE)
    figure.update_yaxes(range=y_range, **BARE)
    figure.update_layout(
        hovermode="closest", margin={"b": 120}, updatemenus=[play_buttons(700)],
        sliders=[play_slider(list(frames), prefix)],
        legend={"yref": "container", "y": 0, "yanchor": "bottom"},
    )  # fmt: skip
    return figure


def _at(points: np.ndarray, rows: np.ndarray) -> dict[str, list[float]]:
    # Lists, not arrays: a viewer reads and moves the points in the browser.
    return dict(zip("xy", points[rows].T.tolist(), strict=True))


def _finish(figure: Any, title: str, height: int, top: int) -> Figure:
    finish(figure, title, "", "", height=height)
    figure.update_xaxes(**BARE)
    figure.update_yaxes(**BARE)
    figure.update_layout(legend={"y": -0.04}, hovermode="closest", margin={"t": top})
    return figure


def _groups(
    groups: Sequence[str], classes: Sequence[str] = (), size: int = 6
) -> list[tuple[str, np.ndarray, dict[str, Any]]]:
    """Every group, by class, then in natural order: its name, its rows, its marker."""
    names = sorted(set(groups), key=_natural)
    own = {name: class_of(name, classes) for name in names}

    def place(name: str) -> int:
        index = own[name]
        return len(classes) if index is None else index

    order = sorted(names, key=place)
    found = []
    for i, name in enumerate(order):
        number = own[name]
        parts = [other for other in order if number is not None and own[other] == number]
        shape = parts.index(name) if parts else 0  # parts of a class differ in symbol
        number = i if number is None else number
        marker: dict[str, Any] = {
            "size": size, "opacity": 0.75,
            "color": GRAY if name == "test image" else color(number),
            "symbol": SYMBOLS[(number // len(COLORS) + shape) % len(SYMBOLS)],
        }  # fmt: skip
        if name == OWN:
            marker = {"color": color(5), "symbol": "star", "size": 14, "opacity": 1.0}
        found.append((name, np.flatnonzero(np.asarray(groups) == name), marker))
    return found


def _natural(name: str) -> tuple[bool, bool, tuple[int, ...], str]:
    """Sorts cluster 2 before cluster 10, test images last."""
    numbers = tuple(int(p) if p.isdigit() else 0 for p in name.split())
    return name == OWN, name == "test image", numbers, name
