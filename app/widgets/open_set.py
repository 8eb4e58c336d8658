"""Runs judged on unseen people, while a process does it: how far it is, and a way to stop it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import streamlit as st

from app.widgets.background_tasks import helpers
from app.widgets.runs import duration, label
from clmle.run_folder import RunFolder
from clmle.studies.open_set import (
    Recognition,
    how_far,
    own_test,
    start_open_set_evaluation,
    stored_recognition,
)


def recognition_of(run: RunFolder, test: str) -> Recognition | None:
    """What a run makes of a test set; None, with a note that refreshes itself, while it is made."""
    found = stored_recognition(run, test)
    if found is not None:
        return found
    if not test:
        own_test(run)  # a sentence at once where there is none
    key = f"recognizing {run.path.resolve()} {test}"
    helper = helpers().find(key)
    if helper is not None and helper.failed:
        st.error(helper.last_words(f"{label(run)} could not be judged."))
    if helper is None or not helper.running:
        if not st.button(f"Judge {label(run)}", key=f"judge-{run.name}", type="primary"):
            st.caption("Seconds for a few thousand small images; it is kept with the run.")
            return None
        helpers().drop(key)
        helper = helpers().want(key, lambda: start_open_set_evaluation(run, test))
        st.rerun()

    @st.fragment(run_every=1.0)
    def waiting() -> None:
        done, total = how_far(run, test)
        share = done / total if total else 0.0
        left = (time.monotonic() - helper.began) * (1 - share) / share if share > 0.05 else None
        text = f"{label(run)} judges unseen people"
        text += f": {done:,} of {total:,} images" if total else ""
        st.progress(min(share, 1.0), text=text + (f", {duration(left)} left" if left else ""))
        if st.button("Stop", key=f"stop-judging-{run.name}", icon=":material/stop:"):
            helpers().drop(key)
            st.rerun()
        if not helper.running:
            st.rerun()

    waiting()
    return None


@st.cache_resource(max_entries=2, show_spinner="Reading the images")
def test_images(path: str, test: str) -> Any:
    """The images of a test set, by the path of a run's folder."""
    from clmle.data.recognition.open_set import load_open_set

    run = RunFolder(Path(path))
    data = run.config()["data"]
    return load_open_set(
        test or own_test(run), size=data["size"], image_size=data["image_size"]
    ).images
