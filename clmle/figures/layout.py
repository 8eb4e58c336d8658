"""What all figures share: their making, margins, legend, error bars, ticks and play buttons.

Backgrounds are transparent and inks are mid-tones, so that a figure can be read on light and on
dark pages. Every figure starts with :func:`new_figure` and ends with :func:`finish`.
"""

import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from clmle.figures.theme import GRID

if TYPE_CHECKING:
    from plotly.graph_objects import Figure as Figure
else:
    Figure = "plotly.graph_objects.Figure"  # plotly is imported when the first figure is made

__all__ = ["title_of"]

STILL = {"mode": "immediate", "transition": {"duration": 0}}  # of frames
MOST_NAMES = 60  # along an axis
TITLE_WIDTH = 46  # characters of a title's line on a screen of 390 pixels


def new_figure(*traces: Any) -> Figure:
    """A plotly figure; plotly is imported when the first one is made."""
    import plotly.graph_objects as go

    return go.Figure(list(traces))


def interval_bars(
    values: Iterable[float], intervals: Iterable[tuple[Any, Any]], thickness: float = 1.5
) -> dict[str, Any]:
    """Error bars of ``intervals`` (low, high) around ``values``; None or NaN draws no bar."""
    lengths = [
        [None if end is None or math.isnan(end) else abs(end - value) for end in ends]
        for value, ends in zip(values, intervals, strict=True)
    ]
    return {
        "type": "data", "symmetric": False, "thickness": thickness, "width": 3,
        "array": [high for _, high in lengths], "arrayminus": [low for low, _ in lengths],
    }  # fmt: skip


def row_axis(figure: Any, names: Sequence[str], texts: Sequence[str] = ()) -> None:
    """One row for each of ``names`` along the vertical axis, the first on top."""
    figure.update_yaxes(
        categoryorder="array", categoryarray=list(names), range=[len(names) - 0.5, -0.5],
        tickmode="array", tickvals=list(names), **({"ticktext": list(texts)} if texts else {}),
    )  # fmt: skip


def every_name(names: Sequence[str]) -> dict[str, Any]:
    """An axis of names: none is read as a number, and up to ``MOST_NAMES`` none is left out."""
    return {"type": "category"} | ({"dtick": 1} if len(names) <= MOST_NAMES else {})


def legend_below(figure: Any) -> Figure:
    """Move the legend to the bottom, clear of the axis whatever the height of the figure."""
    figure.update_layout(
        legend={"yref": "container", "y": 0, "yanchor": "bottom"}, margin={"b": 84}, showlegend=True
    )
    return figure


def layout(height: int, top: int = 48) -> dict[str, Any]:
    """The layout that all figures share; ``top`` is the margin for the title, in pixels."""
    return {
        "height": height, "margin": {"l": 10, "r": 10, "t": top, "b": 10},
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)",
        "hoverlabel": {"font": {"size": 12}},
    }  # fmt: skip


def finish(figure: Any, title: str, x: str, y: str, *, height: int = 340) -> Figure:
    """Set title, axis labels and margins; a long title is broken into lines that fit a phone."""
    lines = textwrap.wrap(title, TITLE_WIDTH, break_on_hyphens=False) or [""]
    more = 20 * (len(lines) - 1)
    figure.update_layout(
        title={"text": "<br>".join(lines), "font": {"size": 15}, "x": 0, "xanchor": "left"},
        legend={"orientation": "h", "y": -0.25, "x": 0, "yanchor": "top"},
        **layout(height + more, 48 + more),
    )
    axes = {"automargin": True, "gridcolor": GRID, "zerolinecolor": "rgba(128,128,128,0.35)"}
    figure.update_xaxes(title_text=x, **axes)
    figure.update_yaxes(title_text=y, **axes)
    return figure


def log_ticks(low: float, high: float) -> dict[str, Any]:
    """Ticks at 1, 2 and 5 of every power of ten, in full; plotly would write 2 for 200."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    values = [m * 10.0**p for p in powers for m in (1, 2, 5)]
    shown = [v for v in values if low <= v <= high]
    return {"type": "log", "tickvals": shown, "ticktext": [f"{v:,.10g}" for v in shown]}


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


def title_of(figure: Any) -> str:
    """Return the title of a figure in one line.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure

    Returns
    -------
    str

    Examples
    --------
    >>> import plotly.graph_objects as go
    >>> title_of(go.Figure(layout={"title": {"text": "Loss<br>of a run"}}))
    'Loss of a run'
    """
    return (figure.layout.title.text or "").replace("<br>", " ")
