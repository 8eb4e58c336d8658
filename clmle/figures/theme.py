"""One look for all figures: colors that the color-blind can tell apart, symbols, dashes, axes."""

from typing import Any

# Okabe and Ito (2008), the yellow darkened; without black, which dark pages would hide.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A800")
SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x", "cross", "star", "pentagon")
GRAY = "#8C8C8C"
GRID = "rgba(128,128,128,0.2)"
# Axes without numbers and grid, as coordinates of a projection have no meaning.
BARE = {"showticklabels": False, "showgrid": False, "zeroline": False}
UNIT = (-0.02, 1.02)  # range of an axis from 0 to 1, with a little room
POWERS = {"type": "log", "dtick": 1, "exponentformat": "power"}  # an axis of powers of ten
ZERO = {"color": GRAY, "width": 1.5}  # line at zero
Row = tuple[float, float | None, float | None]  # mean, low, high
DASHES = ("solid", "dash", "dot", "dashdot")


def color(number: int) -> str:
    """Color of series ``number``; the colors repeat after the last."""
    return COLORS[number % len(COLORS)]


def line(number: int, **more: Any) -> dict[str, Any]:
    """Color and dash of line ``number``, with further properties."""
    return {"color": color(number), "dash": DASHES[number % len(DASHES)], **more}
