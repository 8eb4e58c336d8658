"""Class counts of a target: thinned, merged, and divided into sub-populations."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.widgets.data_facts import plain
from app.widgets.error_display import errors_in_place
from app.widgets.figure import cached, show_figure
from app.widgets.table import show_table
from clmle import DataConfig, data, figures, training

THINNED = ("exponential", "step", "long-tail", "long-tail-step")
MAX_BARS = 60  # classes that a bar chart can name; with more, the long tail shows the counts
MAX_GROUPS = 50  # values of something that divides classes into sub-populations


def class_sizes(dataset: Any, target: str) -> dict[str, Any]:
    """Class counts before and after thinning; returns the chosen options as :class:`DataConfig`."""
    left, right = st.columns(2)
    kind = left.segmented_control(
        "Thin the classes", ["none", *THINNED, "given"], default="none", key="imbalance",
        bind="query-params", wrap=True,
        help="removes training images only; test images are not changed",
    )  # fmt: skip
    ratio = right.select_slider(
        "Imbalance ratio", [2, 5, 10, 20, 50, 100], value=20, key="ratio", bind="query-params",
        disabled=kind not in THINNED, help="largest over smallest class after thinning",
    )  # fmt: skip
    left, right = st.columns(2)
    given = left.text_input(
        "Training images of classes", placeholder="cat=500;dog=20", key="counts",
        bind="query-params", disabled=kind != "given", help="for the profile given",
    )  # fmt: skip
    merge = right.text_input(
        "Classes to merge", placeholder="pets=cat+dog;birds=owl+wren", key="merge",
        bind="query-params", help="merged classes remain sub-populations of the new class",
    )  # fmt: skip
    chosen: dict[str, Any] = {"attribute": target}
    if kind in THINNED:
        chosen |= {"imbalance": kind, "ratio": float(ratio)}
    elif kind == "given" and given:
        chosen |= {"imbalance": kind, "counts": given}
    if merge:
        chosen["merge"] = merge
    with errors_in_place():
        task = dataset.task(target)
        made: Any = training.make_task(dataset, DataConfig(**chosen))
        _show_counts(task, made)
        if made.subpopulations is not None:
            _merged_classes(made)
    return chosen


def _show_counts(task: Any, made: Any) -> None:
    """Training images of each class: all, and those that the options leave."""
    if made.class_names == task.class_names:
        shown = {"all": task.class_counts()}
        if len(made.train) < len(task.train):
            shown["thinned"] = made.class_counts()
    else:
        shown = {"merged": made.class_counts()}
    frame = pd.DataFrame(shown, index=list(made.class_names)).rename_axis("class").reset_index()
    if made.n_classes <= MAX_BARS:
        title = "Training images of each class"
        show_figure(
            cached(figures.class_counts, made.class_names, shown, title), "class-counts", frame
        )
    else:
        st.dataframe(frame.sort_values(frame.columns[1], ascending=False), hide_index=True)


def _merged_classes(task: Any) -> None:
    """Images of every sub-population of the merged classes."""
    hidden, names = task.subpopulations
    classes = [int(task.labels[np.argmax(hidden == c)]) for c in range(len(names))]
    table = pd.DataFrame(
        {
            "class": [task.class_names[c] for c in classes],
            "sub-population": names,
            **{split: np.bincount(hidden[task.rows(split)], minlength=len(names))
               for split in data.SPLITS},
        }
    )  # fmt: skip
    st.markdown("**Sub-populations of the merged classes**")
    show_table(table, "sub-populations-merged")


def subpopulations(dataset: Any, target: str) -> None:
    """Training images of every class in every sub-population."""
    columns = [n for n in data.group_names(dataset, MAX_GROUPS) if n != target]
    if not columns:
        st.caption("No other target or group divides the classes of this target.")
        return
    by = st.selectbox(
        "Divide the classes by", columns, key="by", bind="query-params", format_func=plain
    )
    values, names = dataset.values_of(target)
    rows = np.flatnonzero((np.asarray(dataset.split) == 0) & (values >= 0))
    table = pd.crosstab(
        pd.Series(np.array(names, dtype=object)[values[rows]], name="class"),
        pd.Series(data.group_column(dataset, by)[rows], name=by),
    )
    show_table(table.reset_index(), "sub-populations")
    smallest = table.stack()
    row, column = smallest.idxmin()
    st.caption(
        f"Training images; the smallest sub-population is {plain(str(row))} with {plain(by)} "
        f"{plain(str(column))}: {smallest.min():,}. A metric over all images hides such a group."
    )
