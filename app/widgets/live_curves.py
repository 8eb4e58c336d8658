"""Learning curves and test metrics of runs, refreshed while any of them is active."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from app.widgets.error_display import errors_in_place
from app.widgets.figure import cached, show_figure
from app.widgets.literal import literal
from app.widgets.preload import libraries_loaded
from app.widgets.run_facts import facts_of
from app.widgets.runs import damaged_runs, is_active, run_card, short_labels
from clmle import DataConfig, RunFolder, open_run

CARDS = 3  # in a row
MAX_RECALLS = 20  # with more classes a table of recalls is not readable


def live(runs: Sequence[RunFolder], prefix: str) -> None:
    """Cards, learning curves and test metrics; refreshed every two seconds while needed.

    The whole page follows where the state of a run changes.
    """
    states = [facts_of(run)["state"] for run in runs]
    busy = any(is_active(run) for run in runs)
    names = [(str(run.path.parent), run.name) for run in runs]

    @st.fragment(run_every=2.0 if busy else None)
    def part() -> None:
        with errors_in_place():
            if not all((Path(root) / name / "config.json").exists() for root, name in names):
                st.rerun()  # one was deleted, here or in another session
            opened = [open_run(root, name) for root, name in names]
            damaged_runs(opened)
            here = [run for run in opened if not run.damage()]
            if [facts_of(run)["state"] for run in opened] != states:
                st.rerun()
            if here:
                _draw(here, prefix)

    part()


def _draw(runs: list[RunFolder], prefix: str) -> None:
    """A section for each data and target: runs on other images have no axis in common."""
    groups: dict[str, list[RunFolder]] = {}
    for run in runs:
        groups.setdefault(data_of(run), []).append(run)
    for number, (name, own) in enumerate(groups.items()):
        if len(groups) > 1:
            st.subheader(literal(name))
        for start in range(0, len(own), CARDS):
            columns = st.columns(min(CARDS, len(own)))
            for column, run in zip(columns, own[start : start + CARDS], strict=False):
                with column:
                    run_card(run)
        _curves(own, f"{prefix}-{number}" if number else prefix)


def data_of(run: RunFolder) -> str:
    """The data and target of a run in words; runs with the same share their test images."""
    data = run.config()["data"]
    words = [Path(str(data["dataset"])).name, data["attribute"].replace("_", " ")]
    kept = ("dataset", "attribute", "labels")
    words += [f"{name.replace('_', ' ')} {value}" for name, value in data.items()
              if name not in kept and value != getattr(DataConfig(), name, value)]  # fmt: skip
    return ", ".join(filter(None, words))


def _curves(runs: list[RunFolder], prefix: str) -> None:
    libraries_loaded()
    import pandas as pd

    from clmle import figures

    named = short_labels(runs)
    train = {name: run.metrics("train") for name, run in named.items()}
    validation = {name: run.metrics("validation") for name, run in named.items()}

    def records(of: dict[str, Any]) -> Any:
        return pd.DataFrame([{"run": name, **one} for name, own in of.items() for one in own])

    def curves(make: Any, of: dict[str, Any], name: str, *more: Any) -> None:
        show_figure(cached(make, of, *more), f"{prefix}-{name}", records(of))

    if any(validation.values()):
        left, right = st.columns(2)
        with left:
            curves(figures.validation_curves, validation, "balanced-accuracy")
        with right:
            curves(figures.loss_curves, train, "loss")
    active = {n: own for n, lines in train.items() if (own := figures.with_activity(lines))}
    rates = {
        n: own
        for n, lines in validation.items()
        if (own := [m for m in lines if m.get("minority_impostor_rate") is not None])
    }
    if active or rates:
        with st.expander("Is the margin loss at work?"):
            left, right = st.columns(2)
            if active:
                with left:
                    curves(figures.activity_curves, active, "activity")
            if rates:
                with right:
                    curves(figures.impostor_curves, rates, "impostors")
    done = {name: run.result() for name, run in named.items()}
    results = {name: result["test"] if result else None for name, result in done.items()}
    if any(results.values()):
        table = _metrics({name: result for name, result in done.items() if result})
        left, right = st.columns([3, 2])
        with left:
            show_figure(
                cached(figures.comparison, results), f"{prefix}-comparison",
                table.T.rename_axis("run").reset_index(),
            )  # fmt: skip
        with right:
            st.dataframe(table.map(lambda v: f"{v:.3f}").replace("nan", "–"))
            st.caption(
                "Balanced accuracy can rise at the expense of precision; compare the other metrics "
                "too. One seed is an example, not a result."
            )
    _confusions(done, prefix)
    names = next((result["class_names"] for result in done.values() if result), None)
    if any(validation.values()) and names and len(names) <= 4:
        with st.expander("Recall of each class"):
            curves(figures.recall_curves, validation, "recall", names)


def _precision(result: dict[str, Any]) -> dict[str, float]:
    """Precision of the smallest class; none of several attributes, or where it is not predicted."""
    counts, confusion = result["class_counts"], result["test"].get("confusion")
    if "attributes" in result or confusion is None:
        return {}
    rare = counts.index(min(counts))
    predicted = sum(row[rare] for row in confusion)
    name = f"precision of {result['class_names'][rare]}"
    return {name: confusion[rare][rare] / predicted} if predicted else {}


def _confusions(done: dict[str, Any], prefix: str) -> None:
    """The confusion matrix of each run: what is predicted as what."""
    import pandas as pd

    from clmle import figures

    shown = {
        name: result
        for name, result in done.items()
        if result and "attributes" not in result
        and len(result["test"].get("confusion") or range(99)) <= MAX_RECALLS
    }  # fmt: skip
    if not shown:
        return
    with st.expander("Confusion matrices"):
        st.caption(
            "Test images. Look along the row of the rare class for images that are missed, and "
            "down its column for false alarms: a high recall can cost many of them."
        )
        for start in range(0, len(shown), CARDS):
            part = list(shown.items())[start : start + CARDS]
            for column, (name, result) in zip(st.columns(CARDS), part, strict=False):
                matrix, names = result["test"]["confusion"], result["class_names"]
                with column:
                    show_figure(
                        cached(figures.confusion, matrix, names, name),
                        f"{prefix}-confusion-{name}",
                        pd.DataFrame(matrix, index=names, columns=names).reset_index(),
                    )


def _metrics(results: dict[str, dict[str, Any]]) -> Any:
    """Test metrics, a column for each run."""
    import pandas as pd

    from clmle import figures

    columns: dict = {}
    for run, result in results.items():
        test = result["test"]
        columns[run] = {name: test.get(key) for key, name in figures.METRICS.items()}
        if len(test["recall"]) <= MAX_RECALLS:
            recalls = zip(result["class_names"], test["recall"], strict=False)
            columns[run] |= {f"recall of {c}": r for c, r in recalls}
            columns[run] |= _precision(result)
    return pd.DataFrame(columns, dtype=float).rename_axis("on test images")
