"""A table with its downloads: CSV, LaTeX, clipboard."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.widgets.actions import copy_buttons
from app.widgets.spreadsheet import as_csv

ROWS = 18  # seen at once; more are scrolled to


def show_table(frame: Any, name: str, *, shown: Any = None, **options: Any) -> None:
    """Show ``frame`` (or ``shown``, a shorter form of it) and offer all of it.

    ``options`` go to st.dataframe.
    """
    seen = frame if shown is None else shown
    options.setdefault("height", 38 + 35 * min(ROWS, len(seen)))
    st.dataframe(seen, hide_index=True, placeholder="–", **options)
    box = st.popover(
        "Save table", icon=":material/download:", help=f"Save the table {name}",
        key=f"table-{name}", on_change="rerun",
    )  # fmt: skip
    if not box.open:  # text of hundreds of rows is made only when it is wanted
        return
    with box:
        st.download_button(
            "Table as CSV",
            lambda: as_csv(frame),
            f"{name}.csv",
            "text/csv",
            key=f"table-csv-{name}",
        )
        st.download_button(
            "Table as LaTeX",
            lambda: latex(frame),
            f"{name}.tex",
            "text/x-tex",
            key=f"table-tex-{name}",
        )
        copy_buttons(
            {
                "Copy for a spreadsheet": as_csv(frame, sep="\t"),
                "Copy as LaTeX": latex(frame),
            },
            name,
        )


def latex(frame: Any) -> str:
    """The table as a booktabs tabular, three digits after the point."""
    named = frame.rename(columns=lambda c: str(c).replace("_", " "))
    return named.to_latex(index=False, escape=True, float_format="%.3f", na_rep="--")
