"""Choose data and methods, queue runs, watch them, compare their configurations."""

import pandas as pd
import streamlit as st

from app.visitors import own_runs_dir, read_only
from app.widgets.error_display import errors_in_place
from app.widgets.literal import literal
from app.widgets.live_curves import live
from app.widgets.new_runs import MARGINS, STARTED, new_runs
from app.widgets.result import result_of_a_run
from app.widgets.runs import all_runs, damaged_runs, short_labels
from app.widgets.runs_table import runs_table
from app.widgets.table import show_table
from clmle import training

PAGE = {"title": "Train", "icon": ":material/model_training:", "order": 30}


def config_differences(runs: list) -> None:
    """The options in which the runs differ, a row each."""
    configs = {name: run.config() for name, run in short_labels(runs).items()}
    found = training.differences(configs)
    if not found:
        st.caption("All options are the same.")
        return
    rows = [
        {"option": option, **{n: "–" if v is None else str(v) for n, v in values.items()}}
        for option, values in found.items()
    ]
    show_table(pd.DataFrame(rows), "config-differences")
    st.caption("A dash marks a method without this option. All other options are the same.")


st.title("Train")
with errors_in_place():
    linked = any(name in st.query_params for name in ("like", "data", *MARGINS))
    # The form writes its folder into the address; that of started runs need not be open.
    linked |= st.query_params.get("folder") not in (None, st.session_state.get(STARTED))
    if old := training.old_runs_sentence(own_runs_dir()):
        st.warning(literal(old))
    damaged_runs()
    empty = not all_runs()  # read once: another session may delete the last run meanwhile
    if not read_only():
        with st.expander("New runs", expanded=linked or empty), errors_in_place():
            new_runs()
    if empty and read_only():
        st.info("This server is read-only and has no run yet.", icon=":material/info:")
    elif empty:
        st.info("No run yet. Choose methods above and press Start.", icon=":material/info:")
    else:
        runs = runs_table()
        if runs:
            live(runs, "train")
            result_of_a_run(runs)
            if len(runs) > 1:
                with st.expander("Differences in configuration"), errors_in_place():
                    config_differences(runs)
            with st.expander("Configuration of these runs"):
                for run in runs:
                    st.json({"run": run.name, **run.config()}, expanded=False)
