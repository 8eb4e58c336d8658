"""Curves and comparison of runs, refreshed while any of them is active."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from app.widgets.error_display import sentences
from app.widgets.figure import kept, show_figure
from app.widgets.runs import is_active, run_card, short_labels, test_results
from clmle.run_folder import RunFolder, open_run

MOST_RECALLS = 20  # of more classes a table of recalls would say nothing


def live(runs: Sequence[RunFolder], prefix: str) -> None:
    """Cards, curves and, once there, test figures; polls every two seconds while needed."""
    busy = any(is_active(run) for run in runs)
    names = [(str(run.path.parent), run.name) for run in runs]

    @st.fragment(run_every=2.0 if busy else None)
    def part() -> None:
        with sentences():
            if not all((Path(root) / name / "config.json").exists() for root, name in names):
                st.rerun()  # one was deleted, here or by somebody else
            here = [open_run(root, name) for root, name in names]
            if busy and not any(is_active(run) for run in here):
                st.rerun()  # the last one has ended: stop polling
            _draw(here, prefix)

    part()


def _draw(runs: list[RunFolder], prefix: str) -> None:
    import pandas as pd

    from clmle import figures

    for column, run in zip(st.columns(max(1, len(runs))), runs, strict=False):
        with column:
            run_card(run)
    named = short_labels(runs)
    train = {name: run.metrics("train") for name, run in named.items()}
    validation = {name: run.metrics("validation") for name, run in named.items()}
    if any(validation.values()):
        left, right = st.columns(2)
        with left:
            show_figure(
                kept(figures.validation_curves, validation),
                f"{prefix}-balanced-accuracy",
                _frame(validation),
            )
        with right:
            show_figure(kept(figures.loss_curves, train), f"{prefix}-loss", _frame(train))
    results = test_results(named)
    if any(results.values()):
        left, right = st.columns([3, 2])
        with left:
            rows = [{"run": name, **_flat(test)} for name, test in results.items() if test]
            show_figure(
                kept(figures.comparison, results), f"{prefix}-comparison", pd.DataFrame(rows)
            )
        with right:
            classes = {run.name: (run.result() or {}).get("class_names") for run in runs}
            st.dataframe(_figures(results, {n: classes[r.name] for n, r in named.items()}))
            st.caption(
                "Balanced accuracy can be bought by trading everything else away; "
                "so the other figures stand beside it. One seed is an example, not a result."
            )
    names = next((r["class_names"] for r in (run.result() for run in runs) if r), None)
    if any(validation.values()) and names and len(names) <= 4:
        with st.expander("Recall of each class"):
            show_figure(
                kept(figures.recall_curves, validation, names),
                f"{prefix}-recall",
                _frame(validation),
            )


def _frame(runs):
    import pandas as pd

    return pd.DataFrame([{"run": name, **line} for name, lines in runs.items() for line in lines])


def _figures(results: dict, class_names: dict):
    """A column for each run, a row for each figure, in words."""
    import pandas as pd

    from clmle.figures import METRICS

    columns: dict = {}
    for run, test in results.items():
        if test is None:
            continue
        named = {METRICS[key]: test.get(key) for key in METRICS}
        if len(test["recall"]) <= MOST_RECALLS:
            names = class_names[run] or range(len(test["recall"]))
            named |= {f"recall of {c}": r for c, r in zip(names, test["recall"], strict=False)}
        columns[run] = {k: "–" if v is None else f"{v:.3f}" for k, v in named.items()}
    table = pd.DataFrame(columns).fillna("–")
    return table.rename_axis("on test images")


def _flat(test: dict) -> dict:
    kept = ("balanced_accuracy", "accuracy", "average_precision", "roc_auc", "mcc")
    row = {k: None if test[k] is None else round(test[k], 4) for k in kept}
    if len(test["recall"]) > MOST_RECALLS:
        return row
    return row | {
        f"recall {i}": None if r is None else round(r, 4) for i, r in enumerate(test["recall"])
    }
