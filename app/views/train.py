"""Choose data and methods, queue runs, watch them, see in what they differ."""

import pandas as pd
import streamlit as st

from app.widgets.error_display import sentences
from app.widgets.live_curves import live
from app.widgets.new_runs import new_runs
from app.widgets.runs import all_runs, chosen_runs, short_labels
from app.widgets.table import show_table
from clmle.config import differences


def compared(runs: list) -> None:
    """The settings in which runs differ, a row each."""
    named = {name: run.config() for name, run in short_labels(runs).items()}
    found = differences(named)
    if not found:
        st.caption("All their settings are the same.")
        return
    rows = [
        {"setting": option, **{n: "–" if v is None else str(v) for n, v in values.items()}}
        for option, values in found.items()
    ]
    show_table(pd.DataFrame(rows), "config-differences")
    st.caption("A dash: a method without this option. Settings not listed are the same for all.")


st.title("Train")
with sentences():
    handed = any(
        name in st.query_params
        for name in ("like", "between_margin_fraction", "within_margin_fraction", "data")
    )
    empty = not all_runs()  # asked once: somebody else may delete the last run meanwhile
    with st.expander("New runs", expanded=handed or empty), sentences():
        new_runs()
    if empty:
        st.info("No run yet. Choose methods above and press Start.", icon=":material/info:")
    else:
        runs = chosen_runs()
        if runs:
            live(runs, "train")
            if len(runs) > 1:
                with st.expander("In what their settings differ"), sentences():
                    compared(runs)
            with st.expander("Settings of these runs"):
                for run in runs:
                    st.json({"run": run.name, **run.config()}, expanded=False)
