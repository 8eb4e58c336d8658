"""Runs as people see them: names, states, time left, buttons."""

from __future__ import annotations

import calendar
import os
import shutil
import time
from contextlib import suppress
from typing import Any

import streamlit as st

from clmle.errors import InputError
from clmle.files import runs_dir
from clmle.jobs.run_queue import ahead, waits
from clmle.run_folder import ACTIVE, RunFolder, list_runs

STATES = {
    "queued": ":gray-badge[queued]",
    "running": ":blue-badge[running]",
    "done": ":green-badge[done]",
    "stopped": ":orange-badge[stopped]",
    "failed": ":red-badge[failed]",
    "lost": ":red-badge[interrupted]",
}


def all_runs() -> list[RunFolder]:
    return list_runs(runs_dir())


def label(run: RunFolder) -> str:
    """clmle, Eyeglasses, 22:31:05; with its seed where that is not 0, and its day if not today."""
    config = run.config()
    target = config["data"]["attribute"] or config["data"]["dataset"]
    seed = config["train"]["seed"]  # several seeds are started in the same second
    which = f", seed {seed}" if seed else ""
    return f"{config['method']}, {target}{which}, {_began(run.name)}"


def _began(name: str) -> str:
    """When a run of this name began, by the clock of this computer (names are in UTC)."""
    try:
        began = calendar.timegm(time.strptime(name[:15], "%Y%m%d-%H%M%S"))
    except ValueError:
        return name  # somebody called the folder otherwise
    here = time.localtime(began)
    today = here[:3] == time.localtime()[:3]
    return time.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M:%S", here)


def short_labels(runs: list[RunFolder]) -> dict[str, RunFolder]:
    """Runs by what tells them apart: method, then seed, the whole label, in the end the name."""
    trees = [run.config() for run in runs]
    ways = (
        [tree["method"] for tree in trees],
        [f"{tree['method']}, seed {tree['train']['seed']}" for tree in trees],
        [label(run) for run in runs],
        [run.name for run in runs],
    )
    names = next(way for way in ways if len(set(way)) == len(way))
    return dict(zip(names, runs, strict=True))


def is_active(run: RunFolder) -> bool:
    return run.status()["state"] in ACTIVE


def duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def run_card(run: RunFolder) -> None:
    """Name, state, progress and buttons of one run."""
    from clmle.jobs import resume

    status = run.status()
    state = status["state"]
    with st.container(border=True):
        st.markdown(f"**{label(run)}** {STATES[state]}")
        if waits(status):
            before = ahead(run)
            st.caption(
                f"Waits for its turn; {before} {'run' if before == 1 else 'runs'} before it."
            )
        elif state in ACTIVE:
            total = max(1, status["total"])
            left = duration(status.get("seconds_left"))
            text = status["phase"] + (f", {left} left" if left else "")
            st.progress(min(1.0, status["step"] / total), text=text)
        elif state == "done":
            test = (run.result() or {}).get("test", {})
            low, high = test["interval"]
            st.markdown(
                f"Balanced accuracy **{test['balanced_accuracy']:.3f}** "
                f"({low:.3f} to {high:.3f}), in {duration(status.get('seconds'))}"
            )
        elif status.get("message"):
            st.caption(status["message"])
        with st.container(horizontal=True):
            if state in ACTIVE:
                if st.button("Stop", key=f"stop-{run.name}", icon=":material/stop:"):
                    run.request_stop()
                    st.toast("It stops after the current step, with a checkpoint.")
            else:
                if state == "done" and run.embedding_rounds():
                    st.page_link(
                        "views/embeddings.py", label="Its embedding",
                        icon=":material/scatter_plot:", query_params={"run": run.name},
                    )  # fmt: skip
                if state != "done" and st.button(
                    "Resume", key=f"resume-{run.name}", icon=":material/play_arrow:"
                ):
                    resume(run, at_a_time=os.cpu_count() or 2)
                    st.rerun()
                if st.button(
                    "Duplicate", key=f"like-{run.name}", icon=":material/content_copy:",
                    help="its settings into the form for new runs",
                ):  # fmt: skip
                    st.switch_page("views/train.py", query_params={"like": run.name})
                with st.popover("Delete", icon=":material/delete:", key=f"ask-{run.name}"):
                    st.markdown(f"Delete **{label(run)}** with its weights and figures?")
                    if st.button("Yes, delete it", key=f"delete-{run.name}"):
                        _delete(run)
                        st.rerun()


def _delete(run: RunFolder) -> None:
    if is_active(run):
        raise InputError(f"{label(run)} has been started again; stop it before it is deleted.")
    with suppress(FileNotFoundError):  # somebody else was quicker
        shutil.rmtree(run.path)


def chosen_runs(key: str = "runs") -> list[RunFolder]:
    """Runs picked on this page; the address of the page holds them, so a reload keeps them."""
    runs = {run.name: run for run in all_runs()}
    wanted = [name for name in st.query_params.get_all(key) if name in runs]
    if f"pick-{key}" not in st.session_state:
        st.session_state[f"pick-{key}"] = wanted or list(runs)[:2]
    st.session_state[f"pick-{key}"] = [n for n in st.session_state[f"pick-{key}"] if n in runs]
    picked = st.multiselect(
        "Runs to show", list(runs), key=f"pick-{key}", format_func=lambda name: label(runs[name])
    )
    if picked != wanted:
        st.query_params[key] = picked
    return [runs[name] for name in picked]


def test_results(runs: dict[str, RunFolder]) -> dict[str, dict[str, Any] | None]:
    """Test figures by name; None for a run that is not done."""
    found = {name: run.result() for name, run in runs.items()}
    return {name: result["test"] if result else None for name, result in found.items()}
