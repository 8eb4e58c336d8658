"""Metrics of every group of a run's test images, the worst group and the gap."""

from typing import Any

import pandas as pd
import streamlit as st

from app.widgets.data_facts import plain
from app.widgets.figure import cached, show_figure
from app.widgets.literal import literal
from app.widgets.own_data import stored
from app.widgets.run_contents import images_of
from app.widgets.table import show_table
from clmle import RunFolder, data, figures, metrics

MOST_GROUPS = 2000
SHOWN = 40  # groups in the figure
MOST_NAMED = 5  # groups in a sentence
MOST_CLASSES = 6  # classes whose recall and precision can be chosen


def groups_of(run: RunFolder, found: Any) -> None:
    """A column of the data, a metric, and this metric of every group."""
    dataset = images_of(str(run.path))
    columns = {plain(n): n for n in data.group_names(dataset, MOST_GROUPS) if n != found.target}
    columns |= _columns_of_table()
    if not columns:
        st.info(
            "These data have no further column that divides the images into groups; drop a table "
            "with one above.",
            icon=":material/info:",
        )
        return
    left, right = st.columns(2)
    column = columns[
        left.selectbox("Groups by", list(columns), key="groups-by", bind="query-params")
    ]
    kinds: dict[str, tuple[str, int | None]] = {
        "balanced accuracy": ("balanced_accuracy", None), "accuracy": ("accuracy", None)
    }  # fmt: skip
    if len(found.class_names) <= MOST_CLASSES:
        for number, name in enumerate(found.class_names):
            kinds |= {f"{kind} of {name}": (kind, number) for kind in ("recall", "precision")}
    kind = right.selectbox("Metric of the groups", list(kinds), key="groups-metric")
    metric, c = kinds[kind]
    test = found.test
    groups = data.group_column(dataset, column)[test.indices]
    by = cached(metrics.metrics_by_group, test.labels, test.predicted, groups)
    worst = sorted(by["groups"], key=lambda row: row["balanced_accuracy"])[:SHOWN]
    left, right = st.columns(2)
    with left:
        name = "" if c is None else found.class_names[c]
        figure = cached(figures.group_metrics, {**by, "groups": worst}, metric, c, name)
        show_figure(figure, "group-metrics", _table(by, found))
        if len(by["groups"]) > SHOWN:
            st.caption(f"The {SHOWN} worst of {len(by['groups']):,} groups.")
    with right:
        gap = by["gaps"]["recall"][c] if metric == "recall" and c is not None else None
        gap = gap or (by["gaps"].get(metric) if metric != "recall" else None)
        _sentence(gap, kind, [r["group"] for r in worst if min(r["support"]) < metrics.MIN_IMAGES])
        show_table(_table(by, found), "groups")


def _columns_of_table() -> dict[str, str]:
    """The columns of a table that the visitor drops, as :func:`clmle.data.group_column` wants."""
    file = st.file_uploader(
        "Table of groups", ["csv"], key="groups-table",
        help="a row for each image: its name in a column file, such as rust/001.jpg, and a column "
        "for each division into groups, such as the hospital or the camera",
    )  # fmt: skip
    if file is None:
        return {}
    path = stored(file.name, file.getvalue())
    return {f"{name}, {file.name}": f"{path},{name}" for name in data.table_group_names(path)}


def _sentence(gap: Any, kind: str, few: list[str]) -> None:
    least = metrics.MIN_IMAGES
    if gap is None:
        if not kind.startswith("precision"):
            st.info(
                f"Fewer than two groups have {least} images of each class that {kind} is "
                "computed of; they are not compared.",
                icon=":material/info:",
            )
        return
    low, high = gap["interval"]
    st.markdown(
        f"**{literal(kind.capitalize())}**: {literal(gap['worst'])} is the worst, "
        f"{literal(gap['best'])} the best of {gap['compared']} groups; gap **{gap['gap']:.3f}** "
        f"(95 % interval {low:.3f} to {high:.3f})."
    )
    st.caption(
        f"Random groups of these sizes have a gap of up to {gap['random_gap']:.3f} (95 % of 500 "
        f"permutations); p = {gap['p_value']:.3f}."
    )
    if few:
        more = f" and {len(few) - MOST_NAMED:,} more" if len(few) > MOST_NAMED else ""
        st.caption(
            f"With fewer than {least} images of a class, not compared in its recall and in "
            f"balanced accuracy: {literal(', '.join(few[:MOST_NAMED]))}{more}."
        )


def _table(by: dict[str, Any], found: Any) -> pd.DataFrame:
    """A row for each group and one for all images."""
    names = found.class_names if len(found.class_names) <= MOST_CLASSES else ()
    rows = []
    for row in [*by["groups"], by["overall"]]:
        low, high = row["interval"]
        one = {"group": row["group"], "images": row["n"],
               "balanced accuracy": row["balanced_accuracy"], "low": low, "high": high,
               "accuracy": row["accuracy"]}  # fmt: skip
        for kind in ("recall", "precision"):
            values = zip(names, row[kind], strict=False)
            one |= {f"{kind} of {name}": value for name, value in values}
        rows.append(one)
    return pd.DataFrame(rows).round(4)
