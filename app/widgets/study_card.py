"""A study in the background: progress, time left, stop, resume, delete."""

from typing import Any

import streamlit as st

from app.visitors import may_start_studies
from app.widgets.error_display import errors_in_place
from app.widgets.literal import literal
from app.widgets.runs import STATES, duration
from clmle import InputError, studies


def study_cards(studies: list[Any]) -> None:
    """A card each, refreshed every two seconds while any of them runs.

    The whole page runs again when the study that it shows has a new result, or when all have ended.
    """
    busy = any_alive(studies)
    drawn = {study.name: _size(study) for study in studies}

    @st.fragment(run_every=2.0 if busy else None)
    def part() -> None:
        shown = (st.session_state.get("study"), st.session_state.get("awaited"))
        news = [s for s in studies if own_label(s.name) in shown and _size(s) != drawn[s.name]]
        if busy and (news or not any_alive(studies)):
            st.rerun()
        for study in studies:
            with errors_in_place():
                _card(study)

    part()


def own_label(name: str) -> str:
    """How the pages name a study of the visitor."""
    return f"{name} (mine)"


def _size(study: Any) -> int:
    """Bytes of results so far: the file only grows."""
    return study.results.stat().st_size if study.results.exists() else 0


def any_alive(studies: list[Any]) -> bool:
    """Whether one of them runs; a damaged one does not, and its card shows the error."""
    for study in studies:
        try:
            if study.alive():
                return True
        except InputError:
            continue
    return False


def _card(study: Any) -> None:
    with st.container(border=True):
        try:
            standing = study.progress()
        except InputError as error:
            st.markdown(f"**{literal(study.name)}** :red-badge[damaged]")
            st.error(literal(error), icon=":material/error:")
            if may_start_studies():
                _delete_button(study, "the files")
            return
        st.markdown(f"**{literal(study.name)}** {STATES[standing.state]}")
        if standing.state == "running":
            left = standing.seconds_left
            text = f"{standing.done} of {standing.total} trials"
            text += f", about {duration(left)} left" if left is not None else ", starting"
            partly = sum(part for _, _, part in standing.running)
            st.progress(min(1.0, (standing.done + partly) / max(1, standing.total)), text=text)
            for name, phase, part in standing.running:
                st.caption(literal(f"{name}: {phase}, {100 * part:.0f} %"))
        else:
            st.caption(f"{standing.done} of {standing.total} trials have a result.")
            if standing.message:
                st.caption(literal(standing.message))
        if not may_start_studies():
            return
        with st.container(horizontal=True):
            if standing.state == "running":
                if st.button("Stop", key=f"stop-study-{study.name}", icon=":material/stop:"):
                    study.stop()
                    st.toast("It stops; unfinished trials keep their checkpoints.")
                    st.rerun()
                return
            if standing.state != "done" and st.button(
                "Resume", key=f"resume-study-{study.name}", icon=":material/play_arrow:"
            ):
                studies.resume_study(study)
                st.rerun()
            _delete_button(study, f"the {standing.done} results")


def _delete_button(study: Any, what: str) -> None:
    with st.popover("Delete", icon=":material/delete:", key=f"ask-study-{study.name}"):
        st.markdown(f"Delete {what} of **{literal(study.name)}**?")
        if st.button("Yes, delete them", key=f"delete-study-{study.name}"):
            study.remove()
            st.rerun()
