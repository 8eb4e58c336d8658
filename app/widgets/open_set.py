"""Evaluation of runs on unseen identities in the background: progress, and a button to stop it."""

from pathlib import Path
from typing import Any

import streamlit as st

from app.widgets.background_tasks import background_tasks, wait_for
from app.widgets.literal import literal
from app.widgets.progress import Held, progress_bar, timed_bar
from app.widgets.runs import label
from clmle import RunFolder, data, studies

MAX_HELD = 2  # test sets


def recognition_of(run: RunFolder, test: str) -> Any:
    """Open-set metrics of a run on a test set; None, with progress shown, until they exist."""
    found = studies.stored_recognition(run, test)
    if found is not None:
        return found
    if not test:
        studies.own_test(run)  # raises an error where there is none
    shown = literal(label(run))
    key = f"recognizing {run.path.resolve()} {test}"
    task = background_tasks().find(key)
    if task is not None and task.failed:
        st.error(task.error(f"{shown} could not be evaluated."))
    if task is None or not task.running:
        if not st.button(f"Evaluate {shown}", key=f"evaluate-{run.name}", type="primary"):
            st.caption("Takes seconds for a few thousand small images; stored with the run.")
            return None
        background_tasks().stop(key)
        task = background_tasks().want(key, lambda: studies.start_open_set_evaluation(run, test))
        st.rerun()

    def progress() -> None:
        timed_bar(*studies.how_far(run, test), f"images evaluated by {label(run)}", task.began)
        if st.button("Stop", key=f"stop-evaluation-{run.name}", icon=":material/stop:"):
            background_tasks().stop(key)
            st.rerun()

    wait_for(lambda: task.running, lambda: False, progress)
    return None


def test_images(path: str, test: str) -> Any:
    """The images of a test set, by the path of a run's folder."""
    run = RunFolder(Path(path))
    config = run.config()["data"]
    source = test or studies.own_test(run)

    def read() -> Any:
        with progress_bar("images read") as show:
            return data.load_open_set(
                source, size=config["size"], image_size=config["image_size"], progress=show
            ).images

    return _test_sets().get((path, test), read)


@st.cache_resource(show_spinner=False)
def _test_sets() -> Held:
    return Held(MAX_HELD)
