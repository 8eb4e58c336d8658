"""Runs judged on unseen people, while a process does it: how far it is, and a way to stop it."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import streamlit as st

from app.widgets.runs import duration, label
from clmle.experiments.recognition import (
    Recognition,
    how_far,
    own_test,
    start_recognising,
    stored_recognition,
)
from clmle.run_folder import RunFolder


def recognition_of(run: RunFolder, test: str) -> Recognition | None:
    """What a run makes of a test set; None, with a note that refreshes itself, while it is made."""
    found = stored_recognition(run, test)
    if found is not None:
        return found
    if not test:
        own_test(run)  # a sentence at once where there is none
    key = f"recognising-{run.name}-{test}"
    job = st.session_state.get(key)
    if job is None:
        if not st.button(f"Judge {label(run)}", key=f"judge-{run.name}", type="primary"):
            st.caption("Seconds for a few thousand small images; it is kept with the run.")
            return None
        job = st.session_state[key] = (start_recognising(run, test), time.monotonic())
    process, began = job
    if process.poll() not in (None, 0):
        said = process.stderr.read().decode() if process.stderr else ""
        del st.session_state[key]
        st.error(said.strip()[-300:] or f"{label(run)} could not be judged.")
        return None

    @st.fragment(run_every=1.0)
    def waiting() -> None:
        done, total = how_far(run, test)
        share = done / total if total else 0.0
        left = (time.monotonic() - began) * (1 - share) / share if share > 0.05 else None
        text = f"{label(run)} judges unseen people"
        text += f": {done:,} of {total:,} images" if total else ""
        st.progress(min(share, 1.0), text=text + (f", {duration(left)} left" if left else ""))
        if st.button("Stop", key=f"stop-judging-{run.name}", icon=":material/stop:"):
            with suppress(ProcessLookupError):
                process.terminate()
            del st.session_state[key]
            st.rerun()
        if process.poll() is not None:
            st.rerun()

    waiting()
    return None


@st.cache_resource(max_entries=2, show_spinner="Reading the images")
def test_images(path: str, test: str) -> Any:
    """The images of a test set, by the path of a run's folder."""
    from clmle.data.recognition.unseen import load_unseen

    run = RunFolder(Path(path))
    data = run.settings()["data"]
    return load_unseen(
        test or own_test(run), size=data["size"], image_size=data["image_size"]
    ).images
