"""What is known of an opened data set: how it was read, warnings, files left out, counts."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.widgets.literal import literal
from app.widgets.opened_data import state_of
from app.widgets.table import show_table
from clmle import data

FEW = 10  # images of a class with fewer make its metrics and thresholds close to chance
TOO_FEW = f"fewer than {FEW} validation or test images"
MOST_NAMED = 5  # classes or files that a sentence names
MOST_FILES = 200  # files of a reason that are listed
MOST_CLASSES = 100  # of a target that are listed one by one


def plain(attribute: str) -> str:
    """An attribute's name as words."""
    return attribute.replace("_", " ")


def all_data_sets(size: str) -> None:
    """Every registered data set and format: description, and whether it can be opened at once."""
    kinds = {"attributes": "attributes", "label": "classes", "identities": "identities"}
    rows = [
        {"name": info.name, "state": state_of(info, size),
         "targets": kinds[info.kind], "description": info.description}
        for info in data.registered_datasets()
    ]  # fmt: skip
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        height="content",
        column_config={"state": st.column_config.TextColumn(width="medium")},
    )
    st.caption("A format has the state *by path*: choose *my own data* and enter its path.")


def show_recognized(dataset: Any) -> None:
    """One sentence of how the data were read, all warnings, and the files that are left out."""
    n, *shape = dataset.images.shape
    what = (
        f"images, read with {shape[0]} x {shape[1]} pixels"
        if shape[1:]
        else f"rows of {shape[0]:,} features"
    )
    split = np.asarray(dataset.split)
    parts = [f"{name} {int((split == i).sum()):,}" for i, name in enumerate(data.SPLITS)]
    if unused := int((split < 0).sum()):
        parts.append(f"in none of them {unused:,}")
    how = f" Read as: {literal(dataset.recognized)}." if dataset.recognized else ""
    st.markdown(f"**{literal(dataset.name)}**: {n:,} {what}.{how} Splits: {', '.join(parts)}.")
    for sentence in dataset.warnings:
        st.warning(literal(sentence), icon=":material/warning:")
    skipped = {reason: list(files) for reason, files in dataset.skipped.items() if files}
    if skipped:
        total = sum(map(len, skipped.values()))
        with st.expander(f"{total:,} {'file is' if total == 1 else 'files are'} left out"):
            rows = [
                {"file": file, "reason": reason}
                for reason, files in skipped.items() for file in files[:MOST_FILES]
            ]  # fmt: skip
            st.dataframe(pd.DataFrame(rows), hide_index=True)
            for reason, files in skipped.items():
                more = f", of which {MOST_FILES} are listed" if len(files) > MOST_FILES else ""
                st.caption(f"{literal(reason)}: {len(files):,}{more}")


@st.cache_data(max_entries=12, show_spinner=False)
def class_table(key: tuple[Any, ...], _dataset: Any) -> pd.DataFrame:
    """Images of every target, class and split, and the splits with too few of a class."""
    rows = pd.DataFrame(data.describe(_dataset))
    rows = rows[rows[list(data.SPLITS)].sum(axis=1) > 0]
    few = [
        "" if row.value < 0 else ", ".join(s for s in data.SPLITS[1:] if getattr(row, s) < FEW)
        for row in rows.itertuples()
    ]
    return rows.drop(columns="value").assign(**{TOO_FEW: few})


def few_images(table: pd.DataFrame, target: str) -> None:
    """A warning where classes of ``target`` have few validation or test images."""
    own = table[table["target"] == target]
    few = own[own[TOO_FEW] != ""]
    if few.empty:
        return
    named = [
        f"{row['class']} ({row['validation']:,} validation, {row['test']:,} test)"
        for _, row in few.head(MOST_NAMED).iterrows()
    ]
    more = f" and {len(few) - MOST_NAMED:,} more" if len(few) > MOST_NAMED else ""
    have = "class has" if len(few) == 1 else "classes have"
    st.warning(
        f"{len(few):,} {have} fewer than {FEW} validation or test images: "
        f"{literal(', '.join(named))}{more}. Metrics and thresholds of these classes are "
        "uncertain.",
        icon=":material/warning:",
    )  # fmt: skip


def show_counts(table: pd.DataFrame, name: str) -> None:
    """The table of all targets; one with many classes is a single row except in the download."""
    parts = []
    for target, own in table.groupby("target", sort=False):
        if len(own) > MOST_CLASSES:
            few = int((own[TOO_FEW] != "").sum())
            sums = {s: own[s].sum() for s in data.SPLITS}
            note = f"{few:,} classes" if few else ""
            own = pd.DataFrame([{"target": target, "class": f"{len(own):,} classes", **sums,
                                 TOO_FEW: note}])  # fmt: skip
        parts.append(own)
    show_table(table, name, shown=pd.concat(parts))
