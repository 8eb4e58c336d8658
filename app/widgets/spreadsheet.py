"""Tables as text for a spreadsheet, in which no cell is a formula."""

from __future__ import annotations

from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(frame: Any, sep: str = ",") -> str:
    """A data frame as CSV; texts that a spreadsheet would run are marked as text by a quote.

    Names of classes, attributes and files come from folders of anybody's.
    """
    safe = frame.rename(columns=as_text)
    for name in safe.columns[[kind.kind not in "biufcmM" for kind in safe.dtypes]]:
        safe[name] = safe[name].map(as_text)
    text: str = safe.to_csv(index=False, sep=sep)
    return text


def as_text(cell: Any) -> Any:
    """A cell as it is, but for a text that begins like a formula and is no number."""
    if not isinstance(cell, str):
        return cell
    line = cell.replace("\r", " ")  # would begin a new row, as a text without quotes around it
    if not cell.startswith(FORMULA):
        return line
    try:
        float(cell)
    except ValueError:
        return f"'{line}"
    return line
