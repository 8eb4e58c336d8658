"""A page in Markdown with its figures, and how numbers are written on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from clmle.figures.theme import title_of
from clmle.studies.statistics import Difference


class Page:
    """Lines of Markdown, and the figures they show: file name -> plotly figure."""

    def __init__(self) -> None:
        self.blocks: list[str] = []
        self.figures: dict[str, Any] = {}

    def heading(self, text: str, level: int = 2) -> None:
        self.blocks.append(f"{'#' * level} {text}")

    def text(self, *sentences: str) -> None:
        """One paragraph of the sentences that are not empty."""
        words = " ".join(s for s in sentences if s)
        if words:
            self.blocks.append(words)

    def items(self, lines: Sequence[str]) -> None:
        """A list, a line each."""
        if lines:
            self.blocks.append("\n".join(f"- {line}" for line in lines))

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """First column to the left, all others to the right."""
        ruler = ["---", *["---:"] * (len(columns) - 1)]
        lines = [[_cell(c) for c in row] for row in (columns, *rows)]
        lines.insert(1, ruler)
        self.blocks.append("\n".join(f"| {' | '.join(line)} |" for line in lines))

    def figure(self, name: str, figure: Any, caption: str) -> None:
        """A figure, to be written as figures/``name``.svg, and its caption below."""
        self.figures[f"{name}.svg"] = figure
        self.blocks.append(f"![{title_of(figure)}](figures/{name}.svg)\n\n*{caption}*")

    def markdown(self) -> str:
        return "\n\n".join(self.blocks) + "\n"


def number(value: float | None, digits: int = 3) -> str:
    """0.912; a dash where there is none."""
    if value is None or math.isnan(value):
        return "–"
    return f"{value:.{digits}f}"


def signed(value: float | None, digits: int = 3) -> str:
    """+0.012 or −0.003."""
    if value is None or math.isnan(value):
        return "–"
    return f"{value:+.{digits}f}".replace("-", "−")


def with_spread(mean: float, spread: float) -> str:
    """0.912 ± 0.004, or the mean alone where there is one seed."""
    return number(mean) if math.isnan(spread) else f"{number(mean)} ± {number(spread)}"


def interval(low: float | None, high: float | None) -> str:
    """−0.002 to +0.010."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return "no interval, one seed"
    return f"{signed(low)} to {signed(high)}"


def difference_text(d: Difference | None) -> str:
    """+0.004 (−0.002 to +0.010), in a table."""
    if d is None:
        return "–"
    return signed(d.mean) if d.low is None else f"{signed(d.mean)} ({interval(d.low, d.high)})"


def counted(n: int, one: str, many: str = "") -> str:
    """1 seed, 5 seeds."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def listed(names: Sequence[Any]) -> str:
    """a, b and c; nothing of nothing."""
    words = [str(n) for n in names]
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def _cell(text: str) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")
