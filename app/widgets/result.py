"""The result of one run for a purpose: threshold and cost, groups, probabilities, new images."""

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from app.widgets.data_facts import plain
from app.widgets.error_display import errors_in_place
from app.widgets.export_model import export_model
from app.widgets.groups import groups_of
from app.widgets.literal import literal
from app.widgets.new_images import new_images
from app.widgets.pages import link
from app.widgets.reliability import reliability_of
from app.widgets.run_scores import probabilities_of, scores_of
from app.widgets.runs import is_active, label
from app.widgets.threshold_cost import threshold_and_cost
from clmle import RunFolder

VIEWS: dict[str, Callable[[RunFolder, Any], None]] = {
    "Threshold and cost": threshold_and_cost,
    "Groups": groups_of,
    "Probabilities": reliability_of,
    "New images": new_images,
    "Export": export_model,
}


def result_of_a_run(runs: Sequence[RunFolder]) -> None:
    """A section on one of the finished runs; nothing if there is none."""
    done = {
        run.name: run for run in runs if not is_active(run) and run.model_path.exists()
        and run.result() is not None
    }  # fmt: skip
    if not done:
        return
    st.header("Result of a run")
    with errors_in_place():
        left, middle = st.columns(2)
        name = left.selectbox(
            "Run", list(done), key="result", bind="query-params",
            format_func=lambda n: label(done[n]),
        )  # fmt: skip
        run = done[name]
        scores = scores_of(run)
        if scores is None:
            return
        target = scores.attributes[0]
        if len(scores.attributes) > 1:
            target = middle.selectbox(
                "Attribute of the result", scores.attributes, key="of-target",
                bind="query-params", format_func=plain,
            )  # fmt: skip
        found = probabilities_of(str(run.path), run.model_path.stat().st_mtime, target, scores)
        view = st.segmented_control(
            "View", list(VIEWS), default=next(iter(VIEWS)), required=True, key="result-view",
            bind="query-params", label_visibility="collapsed",
        )  # fmt: skip
        if view != "Export":
            for sentence in found.warnings:
                st.warning(literal(sentence), icon=":material/warning:")
        VIEWS[view](run, found)
        if run.embedding_rounds():
            link("embeddings", "Why: features and nearest clusters of every image", run=run.name)
