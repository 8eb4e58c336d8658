"""Buttons and slider of a figure with frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

STILL = {"mode": "immediate", "transition": {"duration": 0}}


def play_buttons(duration: int = 120) -> dict[str, Any]:
    """Play and Pause for ``layout.updatemenus``; ``duration`` of a frame in milliseconds."""
    play = STILL | {"frame": {"duration": duration, "redraw": True}, "fromcurrent": True}
    pause = STILL | {"frame": {"duration": 0, "redraw": False}}
    return {
        "type": "buttons", "direction": "left", "x": 0, "y": -0.04, "xanchor": "left",
        "yanchor": "top", "showactive": False, "pad": {"t": 30},
        "buttons": [
            {"label": "Play", "method": "animate", "args": [None, play]},
            {"label": "Pause", "method": "animate", "args": [[None], pause]},
        ],
    }  # fmt: skip


def play_slider(names: Sequence[str], prefix: str = "") -> dict[str, Any]:
    """A slider over the frames ``names`` for ``layout.sliders``."""
    jump = STILL | {"frame": {"duration": 0, "redraw": True}}
    return {
        "x": 0.2, "len": 0.8, "y": -0.04, "pad": {"t": 30}, "currentvalue": {"prefix": prefix},
        "steps": [
            {"label": name, "method": "animate", "args": [[name], jump]} for name in names
        ],
    }  # fmt: skip
