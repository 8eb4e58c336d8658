"""One look for all figures: colors that the color-blind can tell apart, quiet axes.

Backgrounds are transparent and inks are mid-tones, so that a figure sits on light and dark.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Any

# Okabe and Ito (2008), the yellow darkened; without black, which dark pages would swallow.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A800")
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x", "cross", "star", "pentagon")
GRAY = "#8C8C8C"
# Where lines of a figure differ in kind, not only in color.
DASHES = ("solid", "dash", "dot", "dashdot")
TITLE_WIDTH = 46  # letters of a title's line on the narrowest screen, 390 pixels


def color(number: int) -> str:
    """Color of series ``number``, again from the start after the last."""
    return COLORS[number % len(COLORS)]


def symbol(number: int) -> str:
    """Marker that changes when the colors start again."""
    return SYMBOLS[(number // len(COLORS)) % len(SYMBOLS)]


def error_bars(values: Sequence[float], intervals: Sequence[Sequence[float]]) -> dict[str, Any]:
    """Bars from the low to the high end of each value's interval."""
    pairs = list(zip(values, intervals, strict=True))
    return {
        "type": "data", "symmetric": False, "thickness": 1.5, "width": 3,
        "array": [high - value for value, (_, high) in pairs],
        "arrayminus": [value - low for value, (low, _) in pairs],
    }  # fmt: skip


def legend_below(figure: Any) -> Any:
    """The legend at the very bottom, clear of the axis however low or high the figure is."""
    figure.update_layout(
        legend={"yref": "container", "y": 0, "yanchor": "bottom"}, margin={"b": 84}, showlegend=True
    )
    return figure


def finish(figure: Any, title: str, x: str, y: str, *, height: int = 340) -> Any:
    """Title, axis labels and margins that every figure has.

    A long title is broken into lines that a phone has room for.
    """
    lines = textwrap.wrap(title, TITLE_WIDTH) or [""]
    more = 20 * (len(lines) - 1)
    figure.update_layout(
        title={"text": "<br>".join(lines), "font": {"size": 15}, "x": 0, "xanchor": "left"},
        height=height + more,
        margin={"l": 10, "r": 10, "t": 48 + more, "b": 10},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": -0.25, "x": 0, "yanchor": "top"},
        hoverlabel={"font": {"size": 12}},
    )
    grid = {"gridcolor": "rgba(128,128,128,0.2)", "zerolinecolor": "rgba(128,128,128,0.35)"}
    figure.update_xaxes(title_text=x, automargin=True, **grid)
    figure.update_yaxes(title_text=y, automargin=True, **grid)
    return figure


def log_ticks(low: float, high: float) -> dict[str, Any]:
    """Numbers in full at 1, 2 and 5 of every power of ten; plotly would write 2 for 200."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [m * 10.0**p for p in powers for m in (1, 2, 5)]
    places = [v for v in values if low <= v <= high]
    return {"type": "log", "tickvals": places, "ticktext": [f"{v:,.10g}" for v in places]}


def title_of(figure: Any) -> str:
    """The title in one line."""
    return (figure.layout.title.text or "").replace("<br>", " ")
