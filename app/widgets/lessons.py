"""Guided lessons: steps that are checked off in order as the learner completes them."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.widgets.playground_controls import set_controls
from clmle import playground

ENDED = "Lesson completed."


def lesson_panel(problem: Any, clusters: int, trajectories: Mapping[str, Any], now: Any) -> None:
    """Choice of a lesson and its steps, checked against the trajectories on the page.

    The container ``now`` gets the current step alone.
    """
    lessons = {lesson.name: lesson for lesson in playground.LESSONS}
    if "playground-lesson" not in st.session_state:
        asked = st.query_params.get("lesson")
        st.session_state["playground-lesson"] = asked if asked in lessons else None
    name = st.segmented_control(
        "Lessons", list(lessons), key="playground-lesson",
        format_func=lambda n: lessons[n].title,
        help="three short lessons; each step is checked against the result of your training",
    )  # fmt: skip
    if name is None:
        st.query_params.pop("lesson", None)
        return
    st.query_params["lesson"] = name
    lesson = lessons[name]
    key = f"playground-done-{name}"
    attempt = playground.Attempt(problem, clusters, trajectories)
    done = playground.steps_done(lesson, attempt, st.session_state.get(key, 0))
    st.session_state[key] = done
    steps = lesson.steps
    text = f"Done. {steps[done - 1].explanation} " if done else ""
    task = f"Step {done + 1} of {len(steps)}: {steps[done].task}" if done < len(steps) else ENDED
    now.caption(f"{text}**{task}**")
    with st.container(border=True):
        for i, step in enumerate(steps):
            if i < done:
                text = f":material/check_circle: :green[Done.] {step.task} *{step.explanation}*"
            else:
                task = f"**{step.task}**" if i == done else f":gray[{step.task}]"
                text = f":material/radio_button_unchecked: {task}"
            st.markdown(text)
        if done == len(steps):
            st.success(ENDED)
        with st.expander("Questions"):
            for i, question in enumerate(lesson.questions):
                _ask(question, f"playground-question-{name}-{i}")
        st.button(
            "Start: set the sliders" if done == 0 else "Start again",
            icon=":material/tune:", on_click=_begin, args=(lesson, key),
        )  # fmt: skip


def _ask(question: Any, key: str) -> None:
    choices = range(len(question.choices))
    chosen = st.radio(
        question.text, choices, index=None, key=key, format_func=question.choices.__getitem__
    )
    if chosen == question.answer:
        st.success(f"Correct. {question.explanation}")
    elif chosen is not None:
        st.info(f"Not quite. {question.hint}")


def _begin(lesson: Any, key: str) -> None:
    st.session_state[key] = 0
    set_controls(lesson.problem, lesson.clusters, lesson.methods)
    st.query_params["train"] = "off"
