"""The same points in two dimensions at several moments of training, to be played."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clmle.errors import InputError
from clmle.figures.embedding import natural
from clmle.figures.play import play_buttons, play_slider
from clmle.figures.theme import color, finish, symbol


def embedding_frames(
    frames: Mapping[str, np.ndarray],
    groups: Sequence[str],
    title: str,
    *,
    prefix: str = "",
    height: int = 620,
) -> Any:
    """One panel with a slider over ``frames`` (name -> (n, 2)), colored by group (n,).

    The axes are the same in all frames, so that what moves is the points. ``prefix`` is said
    before a frame's name. Frames of :func:`clmle.projection.project_rounds` lie as close to each
    other as they can.

    Raises
    ------
    InputError
        No frame, or one that is not (n, 2).
    """
    import plotly.graph_objects as go

    kinds = np.asarray(groups)
    for name, points in frames.items():
        if np.shape(points) != (len(kinds), 2):
            raise InputError(
                f"The frame {name!r} must be ({len(kinds)}, 2), a place for each of the "
                f"{len(kinds)} groups, but is {np.shape(points)}."
            )
    if not frames:
        raise InputError("There is no frame to show; give one or more, name -> (n, 2).")
    rows = {g: np.flatnonzero(kinds == g) for g in sorted(set(groups), key=natural)}
    first = next(iter(frames.values()))
    # Not WebGL: its points do not move with the frames everywhere.
    figure = go.Figure(
        data=[
            go.Scatter(
                x=first[here, 0].tolist(), y=first[here, 1].tolist(), mode="markers", name=group,
                marker={"size": 6, "opacity": 0.75, "color": color(i), "symbol": symbol(i)},
                hoverinfo="name",
            )
            for i, (group, here) in enumerate(rows.items())
        ],
        frames=[
            go.Frame(
                name=name,
                data=[{"x": p[r, 0].tolist(), "y": p[r, 1].tolist()} for r in rows.values()],
                traces=list(range(len(rows))),
            )
            for name, p in frames.items()
        ],
    )  # fmt: skip
    finish(figure, title, "", "", height=height)
    everything = np.concatenate(list(frames.values()))
    low, high = everything.min(axis=0), everything.max(axis=0)
    room = 0.05 * np.maximum(high - low, 1e-6)
    hidden = {"showticklabels": False, "showgrid": False, "zeroline": False}
    figure.update_xaxes(range=[low[0] - room[0], high[0] + room[0]], **hidden)
    figure.update_yaxes(range=[low[1] - room[1], high[1] + room[1]], **hidden)
    figure.update_layout(
        hovermode="closest",
        updatemenus=[play_buttons(700)],
        sliders=[play_slider(list(frames), prefix)],
        legend={"yref": "container", "y": 0, "yanchor": "bottom"},
        margin={"b": 120},
    )
    return figure
