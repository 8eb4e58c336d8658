"""Scores and probabilities of a run's images, computed in the background and kept."""

from typing import Any

import streamlit as st

from app.widgets.background_tasks import background_tasks, wait_for
from app.widgets.literal import literal
from app.widgets.progress import timed_bar
from app.widgets.runs import label
from clmle import RunFolder, studies


def scores_of(run: RunFolder) -> Any:
    """Scores of a run's validation and test images; None, with a note shown, while computed."""
    found = studies.stored_scores(run)
    if found is not None:
        return found
    task = background_tasks().want(
        f"scoring {run.path.resolve()}", lambda: studies.start_scoring(run)
    )
    if task.failed:
        st.error(task.error(f"The images of {literal(label(run))} could not be scored."))
        return None

    def progress() -> None:
        done, total = studies.scoring_progress(run)
        timed_bar(done, total, f"images of {label(run)} scored", task.began)

    wait_for(lambda: task.running, lambda: studies.stored_scores(run) is not None, progress)
    return None


@st.cache_resource(max_entries=8, show_spinner=False)
def probabilities_of(path: str, changed: float, target: str, _scores: Any) -> Any:
    """Probabilities of one target of a run, by the path of its folder; must not be changed."""
    return studies.image_probabilities(_scores, target)
