"""Features in two dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from clmle.figures.theme import GRAY, color, finish, symbol


def embedding_scatter(
    frames: Sequence[tuple[str, np.ndarray]],
    groups: Sequence[str],
    title: str,
    *,
    height: int = 520,
) -> Any:
    """Panels of points side by side, one a frame (title, (n, 2)), colored by group (n,).

    ``customdata`` of every point is its row in the frames, so that a viewer can show more
    of it. Groups called "test image" are gray.
    """
    from plotly.subplots import make_subplots

    values = np.asarray(groups)
    figure = make_subplots(
        rows=1, cols=len(frames), subplot_titles=[name for name, _ in frames],
        horizontal_spacing=0.03,
    )  # fmt: skip
    names = sorted(set(groups), key=natural)
    for panel, (_, points) in enumerate(frames, start=1):
        for i, name in enumerate(names):
            here = np.flatnonzero(values == name)
            figure.add_scattergl(
                x=points[here, 0],
                y=points[here, 1],
                mode="markers",
                name=name,
                legendgroup=name,
                showlegend=panel == 1,
                customdata=here,
                hoverinfo="none",
                marker={
                    "size": 6,
                    "opacity": 0.75,
                    "color": GRAY if name == "test image" else color(i),
                    "symbol": symbol(i),
                },
                row=1,
                col=panel,
            )
    figure = finish(figure, title, "", "", height=height)
    figure.update_xaxes(showticklabels=False, showgrid=False, zeroline=False)
    figure.update_yaxes(showticklabels=False, showgrid=False, zeroline=False)
    figure.update_layout(legend={"y": -0.04}, hovermode="closest", margin={"t": 70})
    return figure


MOST_NAMED = 24  # groups that a legend has room for
OWN = "handed in"  # the group of images that a visitor added: seen above all others
# From blue to vermilion by way of ochre: seen on light and on dark, and by the color-blind.
SCALE = ((0.0, "#56B4E9"), (0.5, "#B8A800"), (1.0, "#D55E00"))


def embedding_map(
    points: np.ndarray,
    title: str,
    *,
    groups: Sequence[str] = (),
    values: Sequence[float] = (),
    of: str = "",
    height: int = 560,
) -> Any:
    """One panel of points (n, 2), colored by group (n,) or by a number each, ``values`` (n,).

    ``of`` says what the numbers are. Images of the group OWN are stars. ``customdata`` of every
    point is its row, by which a viewer can move it to its place in another round, or show its face.
    """
    import plotly.graph_objects as go

    # Lists, not arrays: a viewer reads and moves the points in the browser.
    figure = go.Figure()
    shared: dict[str, Any] = {"mode": "markers", "hoverinfo": "none"}
    size = 6 if len(points) <= 5_000 else 4 if len(points) <= 30_000 else 3
    if len(values):
        # Large numbers last, on top of the others.
        order = np.argsort(np.asarray(values), kind="stable")
        if len(groups):
            order = order[np.asarray(groups)[order] != OWN]
        figure.add_scattergl(
            x=points[order, 0].tolist(), y=points[order, 1].tolist(), customdata=order.tolist(),
            name=of, showlegend=False,
            marker={
                "size": size, "opacity": 0.85, "color": np.asarray(values)[order],
                "colorscale": SCALE,
                "colorbar": {
                    "title": {"text": of, "side": "top"}, "orientation": "h", "y": -0.02,
                    "yanchor": "top", "thickness": 12,
                },
            },
            **shared,
        )  # fmt: skip
    kinds = np.asarray(groups)
    names = sorted(set(groups), key=natural)
    for i, name in enumerate(names):
        own = name == OWN
        if len(values) and not own:
            continue  # they are drawn by their numbers
        here = np.flatnonzero(kinds == name)
        figure.add_scattergl(
            x=points[here, 0].tolist(), y=points[here, 1].tolist(), customdata=here.tolist(),
            name=name, showlegend=len(names) <= MOST_NAMED or own,
            marker={
                "size": 14 if own else size, "opacity": 1.0 if own else 0.75,
                "symbol": "star" if own else symbol(i),
                "color": GRAY if name == "test image" else color(5 if own else i),
            },
            **shared,
        )  # fmt: skip
    figure = finish(figure, title, "", "", height=height)
    hidden = {"showticklabels": False, "showgrid": False, "zeroline": False}
    figure.update_xaxes(**hidden)
    figure.update_yaxes(**hidden)
    figure.update_layout(legend={"y": -0.04}, hovermode="closest", margin={"t": 50})
    return figure


def natural(name: str) -> tuple[bool, bool, tuple[int, ...], str]:
    """cluster 2 before cluster 10, test images last."""
    numbers = tuple(int(p) if p.isdigit() else 0 for p in name.split())
    return name == OWN, name == "test image", numbers, name
