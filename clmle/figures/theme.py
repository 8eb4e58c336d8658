"""One look for all figures: colors that the color-blind can tell apart, symbols, dashes, axes."""

import pkgutil
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

# Of classes and of series without a color of their own:
# Okabe and Ito (2008), the yellow darkened; without black, which dark pages would hide.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#B8A800")
# Of methods; none is the color of majority, minority, impostor or genuine neighbor.
METHOD_COLORS = ("#CC79A7", "#56B4E9", "#B8A800", "#9A6324", "#8B6FD6", "#1FA2A2", "#6F7F3F")
METHODS = 100  # number of the first method
CONTROLS = ("clmle, without eq. 9", "clmle, one cluster", "clmle, untrained")  # of the playground
COMMON = (
    *("clmle", "softmax", "oversampling", *CONTROLS),
    *("class-weighting", "clmle-paper", "undersampling", "triplet", "lmle", "sphereface"),
    *("balanced-softmax", "ldam-drw"),
)
TITLES = {
    "a-softmax": "sphereface", "clmle-as-printed": "clmle-paper", "without-eq.-9": CONTROLS[0],
}  # fmt: skip
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
    if number >= METHODS:
        return METHOD_COLORS[(number - METHODS) % len(METHOD_COLORS)]
    return COLORS[number % len(COLORS)]


def class_of(group: str, classes: Sequence[str]) -> int | None:
    """Index of the class that a group of points is, or begins with: "7" or "7, predicted as 1"."""
    if group in classes:
        return classes.index(group)
    begun = [i for i, name in enumerate(classes) if group.startswith(f"{name}, ")]
    return max(begun, key=lambda i: len(classes[i]), default=None)


def line(number: int, **more: Any) -> dict[str, Any]:
    """Color and dash of line ``number``, with further properties."""
    return {"color": color(number), "dash": DASHES[number % len(DASHES)], **more}


def numbered(names: Iterable[str]) -> list[int]:
    """Number of each series: a label that begins with a method has the color of that method.

    Series of one color, such as seeds of a method, differ in dash.
    """
    known = _methods()
    found: list[int] = []
    for i, name in enumerate(names):
        label = name.casefold()
        if label not in known:
            label = re.split(r", | \(| \+ |: ", label)[0].replace(" ", "-")
            label = TITLES.get(label, label)
        number = METHODS + known[label] if label in known else i
        for _ in DASHES:
            if any(line(number) == line(other) for other in found):
                number += len(METHOD_COLORS if label in known else COLORS)
        found.append(number)
    return found


@cache
def _methods() -> dict[str, int]:
    """Every method with its place among the colors: the common ones first."""
    files = pkgutil.iter_modules([str(Path(__file__).parents[1] / "methods")])
    names = sorted(file.name.replace("_", "-") for file in files if file.name[0] != "_")
    return {name: i for i, name in enumerate(dict.fromkeys([*COMMON, *names]))}
