"""A study in the background: how far it is, time left, stop, resume, delete."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.widgets.error_display import sentences
from app.widgets.runs import STATES, duration


def study_cards(studies: list[Any]) -> None:
    """A card each; polls every two seconds while any of them runs.

    The whole page is drawn anew when the study that it shows has another result, or a run ends.
    """
    busy = any_alive(studies)
    drawn = {study.name: _size(study) for study in studies}

    @st.fragment(run_every=2.0 if busy else None)
    def part() -> None:
        shown = (st.session_state.get("study"), st.session_state.get("awaited"))
        news = [s for s in studies if mine(s.name) in shown and _size(s) != drawn[s.name]]
        if busy and (news or not any_alive(studies)):
            st.rerun()
        for study in studies:
            with sentences():
                _card(study)

    part()


def mine(name: str) -> str:
    """What the pages call one's own study."""
    return f"{name} (mine)"


def _size(study: Any) -> int:
    """Bytes of results so far: they only grow."""
    return study.results.stat().st_size if study.results.exists() else 0


def any_alive(studies: list[Any]) -> bool:
    """Whether one of them runs; a broken one does not, and its card says what is wrong."""
    from clmle.errors import InputError

    for study in studies:
        try:
            if study.alive():
                return True
        except InputError:
            continue
    return False


def _card(study: Any) -> None:
    from clmle.studies.background import resume_study

    standing = study.progress()
    with st.container(border=True):
        st.markdown(f"**{study.name}** {STATES[standing.state]}")
        if standing.state == "running":
            left = standing.seconds_left
            text = f"{standing.done} of {standing.total} cells"
            text += f", about {duration(left)} left" if left is not None else ", starting"
            share = sum(s for _, _, s in standing.running)
            st.progress(min(1.0, (standing.done + share) / max(1, standing.total)), text=text)
            for name, phase, part in standing.running:
                st.caption(f"{name}: {phase}, {100 * part:.0f} %")
        else:
            st.caption(f"{standing.done} of {standing.total} cells have a result.")
            if standing.message:
                st.caption(standing.message)
        with st.container(horizontal=True):
            if standing.state == "running":
                if st.button("Stop", key=f"stop-study-{study.name}", icon=":material/stop:"):
                    study.stop()
                    st.toast("It stops; unfinished cells keep their checkpoints.")
                    st.rerun()
                return
            if standing.state != "done" and st.button(
                "Resume", key=f"resume-study-{study.name}", icon=":material/play_arrow:"
            ):
                resume_study(study)
                st.rerun()
            with st.popover("Delete", icon=":material/delete:"):
                st.markdown(f"Delete the {standing.done} results of **{study.name}**?")
                if st.button("Yes, delete them", key=f"delete-study-{study.name}"):
                    study.remove()
                    st.rerun()
