"""Guided lessons: steps that tick themselves off, in order, as the learner reaches them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.widgets.playground_controls import set_controls


def lesson_panel(problem: Any, clusters: int, courses: Mapping[str, Any]) -> None:
    """Choice of a lesson; its steps, checked against what is trained on the page."""
    from clmle.playground import LESSONS, Attempt, steps_done

    named = {lesson.name: lesson for lesson in LESSONS}
    if "sphere-lesson" not in st.session_state:
        asked = st.query_params.get("lesson")
        st.session_state["sphere-lesson"] = asked if asked in named else None
    name = st.segmented_control(
        "Lessons", list(named), key="sphere-lesson", format_func=lambda n: named[n].title,
        help="three short ones; each step looks at what you reached",
    )  # fmt: skip
    if name is None:
        st.query_params.pop("lesson", None)
        return
    st.query_params["lesson"] = name
    lesson = named[name]
    key = f"sphere-done-{name}"
    done = steps_done(lesson, Attempt(problem, clusters, courses), st.session_state.get(key, 0))
    st.session_state[key] = done
    with st.container(border=True):
        for i, step in enumerate(lesson.steps):
            if i < done:
                st.markdown(
                    f":material/check_circle: :green[Done.] {step.task} *{step.explanation}*"
                )
            elif i == done:
                st.markdown(f":material/radio_button_unchecked: **{step.task}**")
            else:
                st.markdown(f":material/radio_button_unchecked: :gray[{step.task}]")
        if done == len(lesson.steps):
            st.success("Lesson done.")
        st.button(
            "Begin: set the dials" if done == 0 else "Begin again",
            icon=":material/tune:",
            on_click=_begin,
            args=(lesson, key),
        )


def _begin(lesson: Any, key: str) -> None:
    st.session_state[key] = 0
    set_controls(lesson.problem, lesson.clusters, lesson.methods)
    st.query_params["train"] = "off"
