"""A page in Markdown with its figures, and the format of numbers."""

import math
from collections.abc import Sequence
from typing import Any

from clmle.figures.layout import title_of
from clmle.studies.statistics import Difference
from clmle.text import counted


class Page:
    """Blocks of Markdown, and the figures of the page: file name -> plotly figure."""

    def __init__(self, title: str) -> None:
        self.blocks: list[str] = [f"# {title}"]
        self.figures: dict[str, Any] = {}

    def heading(self, text: str, level: int = 2) -> None:
        self.blocks.append(f"{'#' * level} {text}")

    def text(self, *sentences: str) -> None:
        """One paragraph of the sentences that are not empty."""
        words = " ".join(s for s in sentences if s)
        if words:
            self.blocks.append(words)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], texts: int = 1) -> None:
        """The first ``texts`` columns are aligned left, all others right."""
        self.blocks.append(table(columns, rows, texts))

    def figure(self, name: str, figure: Any, caption: str) -> None:
        """A figure, in figures/``name``.svg next to the folder of pages, and its caption."""
        self.figures[f"{name}.svg"] = figure
        self.blocks.append(f"![{title_of(figure)}](../figures/{name}.svg)\n\n*{caption}*")

    def markdown(self) -> str:
        return "\n\n".join(self.blocks) + "\n"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], texts: int = 1) -> str:
    """A Markdown table."""
    lines = [[str(c).replace("|", "\\|") for c in row] for row in (columns, *rows)]
    lines.insert(1, ["---"] * texts + ["---:"] * (len(columns) - texts))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float | None, digits: int = 3) -> str:
    """0.912; a dash for None or NaN."""
    if value is None or math.isnan(value):
        return "–"
    return f"{value:.{digits}f}"


def signed(value: float | None, digits: int = 3) -> str:
    """+0.012 or −0.003; a dash for None or NaN."""
    if value is None or math.isnan(value):
        return "–"
    return f"{value:+.{digits}f}".replace("-", "−")


def points(value: float | None, sign: str = "+") -> str:
    """A fraction in percentage points: +0.6; the digits are those of :func:`signed`."""
    if value is None or math.isnan(value):
        return "–"
    shown = 100 * float(f"{value:.3f}")
    return f"{shown:{sign}.1f}".replace("-", "−")


def with_spread(mean: float, spread: float) -> str:
    """0.912 ± 0.004, or the mean alone for one seed."""
    return number(mean) if math.isnan(spread) else f"{number(mean)} ± {number(spread)}"


def interval(low: float | None, high: float | None) -> str:
    """−0.002 to +0.010."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return "no interval"
    return f"{signed(low)} to {signed(high)}"


def difference_text(d: Difference | None) -> str:
    """+0.004 (−0.002 to +0.010), for a table."""
    if d is None:
        return "–"
    return signed(d.mean) if d.low is None else f"{signed(d.mean)} ({interval(d.low, d.high)})"


def points_text(d: Difference, *, bootstrap: bool = False) -> str:
    """+0.4 pp (95 % CI −0.2 to +1.0), for a sentence."""
    if d.low is None:
        return f"{points(d.mean)} pp ({counted(d.seeds, 'seed')}, no interval)"
    more = ""
    if bootstrap and d.bootstrap:
        low, high = d.bootstrap
        more = f"; tasks and seeds resampled: {points(low)} to {points(high)}"
    return f"{points(d.mean)} pp (95 % CI {points(d.low)} to {points(d.high)}{more})"


def points_cell(d: Difference | None) -> str:
    """+0.4 (−0.2 to +1.0), for a table in percentage points."""
    if d is None:
        return "–"
    if d.low is None:
        return f"{points(d.mean)} ({counted(d.seeds, 'seed')})"
    return f"{points(d.mean)} ({points(d.low)} to {points(d.high)})"
