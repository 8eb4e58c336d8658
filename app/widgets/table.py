"""A table with its downloads: CSV, LaTeX, clipboard."""

from typing import Any

import streamlit as st

from app.widgets.actions import copy_buttons
from app.widgets.downloads import downloads
from app.widgets.spreadsheet import as_csv
from app.widgets.terms import columns

MAX_ROWS = 18  # visible without scrolling


def show_table(
    frame: Any, name: str, *, shown: Any = None, printed: Any = None, **options: Any
) -> None:
    """Show ``frame`` (or ``shown``, a shorter version) and offer all of it for download.

    LaTeX has the columns of ``printed``, where given. ``options`` are passed to st.dataframe.
    """
    seen = frame if shown is None else shown
    printed = frame if printed is None else printed
    options["column_config"] = columns(seen.columns) | dict(options.get("column_config") or {})
    options.setdefault("height", 38 + 35 * min(MAX_ROWS, len(seen)))
    st.dataframe(seen, hide_index=True, placeholder="–", **options)

    def copies() -> None:
        texts = {"Copy for a spreadsheet": as_csv(frame, sep="\t"), "Copy as LaTeX": latex(printed)}
        copy_buttons(texts, name)

    files = {
        "Table as CSV": (lambda: as_csv(frame), f"{name}.csv"),
        "Table as LaTeX": (lambda: latex(printed), f"{name}.tex"),
    }
    downloads("Save table", f"Save the table {name}", files, copies, lazy=True)


def latex(frame: Any) -> str:
    """The table as a booktabs tabular with three decimals."""
    named = frame.rename(columns=lambda c: str(c).replace("_", " "))
    return named.to_latex(index=False, escape=True, float_format="%.3f", na_rep="--")
