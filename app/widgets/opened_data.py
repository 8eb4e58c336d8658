"""Data sets that this server has read, and what has to happen before one can be read."""

import os
from dataclasses import replace
from typing import Any

import streamlit as st

from app.widgets.background_tasks import background_tasks, wait_for
from app.widgets.progress import Held, progress_bar
from clmle import data, jobs, preset_config, training

MAX_HELD = 6  # data sets in the server's memory; their images are mostly memory maps


def default_data(size: str = "quick") -> str:
    """The first registered data set that can be opened at once."""
    infos = data.registered_datasets()
    return next(i.name for i in infos if i.is_ready(size, i.image_size))


def data_key(name: str, size: str = "quick", labels: str = "") -> tuple[Any, ...]:
    """What identifies an opened data set; it changes when its file does."""
    return (name, size, labels, *(_changed(path) for path in (name, labels)))


def is_open(name: str, size: str = "quick", labels: str = "") -> bool:
    """Whether this server holds the data set, so that showing it reads nothing."""
    return data_key(name, size, labels) in _held()


def open_data(name: str, size: str = "quick", labels: str = "") -> Any:
    """The data set, read with a progress bar unless this server holds it."""
    config = replace(preset_config("quick", "softmax", name).data, size=size, labels=labels)

    def read() -> Any:
        with progress_bar("images read") as show:
            return training.load_data(config, progress=show)

    return _held().get(data_key(name, size, labels), read)


def close_data(name: str, size: str = "quick", labels: str = "") -> None:
    """Forget the data set, so that it is read again."""
    _held().drop(data_key(name, size, labels))


@st.cache_resource(show_spinner=False)
def _held() -> Held:
    return Held(MAX_HELD)


def _changed(path: str) -> int:
    try:
        return os.stat(os.path.expanduser(path)).st_mtime_ns
    except (OSError, ValueError):
        return 0


def state_of(info: data.DatasetInfo, size: str = "quick") -> str:
    """Whether a data set can be opened at once, in words for a list."""
    opened = info.recognize is None and is_open(info.name, size)
    return "ready" if opened else info.state(size)


def is_ready(info: data.DatasetInfo, size: str) -> bool:
    """Whether the data set needs no rendering and no download first; otherwise offer it."""
    if is_open(info.name, size):
        return True
    if not info.needs_download:
        return is_rendered(info, size)
    if st.session_state.get("wanted-set") == info.name:
        return True
    st.info(f"{info.description} Its files are not on this computer.")
    if st.button(f"Download {info.name}", type="primary", icon=":material/download:"):
        st.session_state["wanted-set"] = info.name
        st.rerun()
    return False


def is_rendered(info: data.DatasetInfo, size: str) -> bool:
    """Whether the images of a rendered data set exist; otherwise offer to render them."""
    image_size = info.image_size
    if info.is_ready(size, image_size):
        return True
    render_state = info.render_state
    assert render_state is not None  # all others are ready
    state = render_state(size, image_size, 0)
    title = f"rendering {info.name} {size}"
    task = background_tasks().find(title)

    def running() -> bool:
        rendering = render_state(size, image_size, 0).running
        return rendering or (task is not None and task.running)

    if not running():
        if task is not None and task.failed:
            st.error(task.error("The images could not be rendered."))
        st.info(f"{state.total - state.done:,} images of this size are not rendered yet.")
        if st.button("Render them", type="primary", icon=":material/brush:"):
            command = ("clmle", "data", info.name, "--size", size)
            background_tasks().stop(title)
            background_tasks().want(title, lambda: jobs.start_module(*command))
            st.rerun()
        st.caption("Rendering continues while this page is open. Rendered images are kept.")
        return False

    def progress() -> None:
        state = render_state(size, image_size, 0)
        left = (state.total - state.done) * state.seconds_per_image
        st.progress(
            state.done / state.total,
            text=f"{state.done:,} of {state.total:,} images rendered, about {left:.0f} s left",
        )

    wait_for(running, lambda: info.is_ready(size, image_size), progress)
    return False
