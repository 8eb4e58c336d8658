"""Runs as visitors see them: names, states, time left, buttons."""

import os
import time
from contextlib import suppress
from typing import Any

import streamlit as st

from app.visitors import homes, may_change, own_runs_dir
from app.widgets.literal import literal
from app.widgets.pages import link
from app.widgets.run_facts import began, facts_of
from clmle import InputError, RunFolder, jobs, list_runs, methods, training

STATES = {
    "queued": ":gray-badge[queued]",
    "running": ":blue-badge[running]",
    "done": ":green-badge[done]",
    "stopped": ":orange-badge[stopped]",
    "failed": ":red-badge[failed]",
    "lost": ":red-badge[interrupted]",
}


def all_runs() -> list[RunFolder]:
    """Every run that can be read, the newest first; :func:`damaged_runs` shows the others."""
    return [run for run in _listed() if not facts_of(run)["damage"]]


def _listed() -> list[RunFolder]:
    """The visitor's runs and the shared ones; of one name the visitor's."""
    found = {run.name: run for home in reversed(homes()) for run in list_runs(home)}
    return sorted(found.values(), key=lambda run: run.name, reverse=True)


def damaged_runs(runs: list[RunFolder] | None = None) -> None:
    """A card for each damaged run: what is wrong, and a button to delete it."""
    for run in _listed() if runs is None else runs:
        if found := facts_of(run)["damage"]:
            with st.container(border=True):
                st.markdown(f"**{literal(run.name)}** :red-badge[damaged]")
                st.caption(literal(found))
                if may_change(run):
                    _delete_button(run, run.name)


def label(run: RunFolder) -> str:
    """The method with the name that the run was given, or with target and time.

    For example: clmle, Eyeglasses, 22:31:05; with the seed if not 0, the day if not today.
    """
    facts = facts_of(run)
    if facts["title"]:
        return f"{facts['label']}: {facts['title']}"
    target = facts["target"] or data_name(facts["data"])
    seed = facts["seed"]  # several seeds are started in the same second
    which = f", seed {seed}" if seed else ""
    return f"{facts['label']}, {target}{which}, {_began(run.name)}"


def data_name(data: str) -> str:
    """The name of a data set, or that of its folder or file without the path."""
    return data.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]


def _began(name: str) -> str:
    """Local time at which a run of this name began."""
    found = began(name)
    if found is None:
        return name  # a renamed folder
    here = time.localtime(found)
    today = here[:3] == time.localtime()[:3]
    return time.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S", here)


def short_labels(runs: list[RunFolder]) -> dict[str, RunFolder]:
    """Runs by the shortest unique names: method, then seed, the whole label, the folder's name.

    Where a run was given a name, all have their whole labels.
    """
    rows = [facts_of(run) for run in runs]
    methods = [] if any(row["title"] for row in rows) else [row["label"] for row in rows]
    ways = (
        methods,
        [f"{row['label']}, seed {row['seed']}" for row in rows if methods],
        [label(run) for run in runs],
        [run.name for run in runs],
    )
    names = next(way for way in ways if len(set(way)) == len(way) == len(runs))
    return dict(zip(names, runs, strict=True))


def is_active(run: RunFolder) -> bool:
    """Whether the run is queued or running."""
    return run.status()["state"] in ("queued", "running")


def duration(seconds: float | None) -> str:
    """For example: 2 min 5 s; empty for None."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def preset_of(config: dict[str, Any]) -> str:
    """The kind of preset of a configuration; empty where a method has one, or cannot be read."""
    with suppress(InputError):
        found = training.config_from_dict(config)
        if methods.get_method(found.method).uses_clusters:
            return f"{training.preset_kind(found)} preset"
    return ""


def run_card(run: RunFolder) -> None:
    """Name, state, progress and buttons of one run."""
    status = run.status()
    state = status["state"]
    with st.container(border=True):
        st.markdown(f"**{literal(label(run))}** {STATES[state]} :gray[{preset_of(run.config())}]")
        if jobs.waits(status):
            before = jobs.ahead(run)
            st.caption(f"In the queue; {before} {'run' if before == 1 else 'runs'} ahead.")
        elif is_active(run):
            left = duration(status.get("seconds_left"))
            text = status["phase"]
            if left:
                text += f", {left} left"
            elif not status["step"]:
                text += f", about {duration(jobs.START)}"
            st.progress(min(1.0, status["step"] / max(1, status["total"])), text=literal(text))
        elif state == "done":
            test = (run.result() or {}).get("test", {})
            low, high = test["interval"]
            st.markdown(
                f"Balanced accuracy **{test['balanced_accuracy']:.3f}** (95 % interval {low:.3f} "
                f"to {high:.3f}), in {duration(status.get('seconds'))}"
            )
        elif status.get("message"):
            st.caption(literal(status["message"]))
        for warning in run.warnings():
            st.warning(literal(warning), icon=":material/info:")
        with st.container(horizontal=True, vertical_alignment="center"):
            if not may_change(run):
                _looking(run, state)
            elif is_active(run):
                if st.button("Stop", key=f"stop-{run.name}", icon=":material/stop:"):
                    run.request_stop()
                    st.toast("It stops after the current step and saves a checkpoint.")
            else:
                _buttons(run, state)


def _looking(run: RunFolder, state: str) -> None:
    """What does not change the run."""
    if state == "done" and run.embedding_rounds():
        link("embeddings", "Embedding", run=run.name)
    if run.path.parent != own_runs_dir():
        st.caption("Shared with all visitors.")


def _buttons(run: RunFolder, state: str) -> None:
    """Buttons of a run that is not active."""
    _looking(run, state)
    if state != "done" and st.button(
        "Resume", key=f"resume-{run.name}", icon=":material/play_arrow:"
    ):
        jobs.resume(run, at_a_time=os.cpu_count() or 2)
        st.rerun()
    if st.button(
        "Duplicate", key=f"like-{run.name}", icon=":material/content_copy:",
        help="copy its configuration into the form for new runs",
    ):  # fmt: skip
        st.switch_page("views/train.py", query_params={"like": run.name})
    _delete_button(run, label(run))


def _delete_button(run: RunFolder, name: str) -> None:
    with st.popover("Delete", icon=":material/delete:", key=f"ask-{run.name}"):
        st.markdown(f"Delete **{literal(name)}**? Undo restores it.")
        if st.button("Yes, delete it", key=f"delete-{run.name}"):
            jobs.trash_runs([run])
            st.rerun()
