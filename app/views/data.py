"""Look at the data: images, class counts, long tail, and thinning to an imbalance ratio."""

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from app.widgets.background_tasks import background_tasks, wait_for
from app.widgets.error_display import errors_in_place
from app.widgets.figure import cached, show_figure
from app.widgets.new_runs import FOLDER, plain
from app.widgets.path_access import check_path
from app.widgets.viewer import mosaic
from clmle import data, figures, jobs, preset_config, training

PAGE = {"title": "Data", "icon": ":material/grid_view:", "order": 20}

THINNED = ("exponential", "step", "long-tail", "long-tail-step")
MAX_BARS = 60  # classes that a bar chart can name; with more, the long tail shows the counts
ACROSS = 12  # images in a row of the gallery


@st.cache_resource(max_entries=4, show_spinner="Reading the images")
def dataset_of(name: str, size: str, labels: str):
    config = preset_config("quick", "softmax", name).data
    return training.load_data(replace(config, size=size, labels=labels))


def read_with_progress(name: str, labels: str) -> None:
    """Read a folder's images for the first time; continues where an earlier attempt stopped."""
    bar, began = st.empty(), time.monotonic()
    first: list[int] = []

    def show(done: int, total: int) -> None:
        first.append(done)
        fresh = done - first[0]
        left = (time.monotonic() - began) * (total - done) / fresh if fresh else 0.0
        ahead = f", about {left:.0f} s left" if fresh else ""
        bar.progress(done / max(1, total), text=f"{done:,} of {total:,} images read{ahead}")

    config = preset_config("quick", "softmax", name).data
    training.load_data(replace(config, labels=labels), progress=show)
    bar.empty()


def is_rendered(info, size: str, image_size: int) -> bool:
    """Whether the images of a rendered data set exist; otherwise offer to render them."""
    if info.is_ready(size, image_size):
        return True
    state = info.render_state(size, image_size, 0)
    title = f"rendering {info.name} {size}"
    task = background_tasks().find(title)

    def running() -> bool:
        render = info.render_state(size, image_size, 0).running
        return render or (task is not None and task.running)

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
        state = info.render_state(size, image_size, 0)
        left = (state.total - state.done) * state.seconds_per_image
        st.progress(
            state.done / state.total,
            text=f"{state.done:,} of {state.total:,} images rendered, about {left:.0f} s left",
        )

    wait_for(running, lambda: info.is_ready(size, image_size), progress)
    return False


def gallery(dataset, target: str) -> None:
    """Images by value and split."""
    values = dataset.attributes.get(target, dataset.labels.get(target))
    kinds = {plain(target): 1, f"not {plain(target)}": 0, "unknown": -1}
    if target in dataset.labels:
        names = dataset.class_names.get(target, ())
        kinds = {str(names[i]) if i < len(names) else str(i): i for i in range(values.max() + 1)}
    left, middle, right = st.columns(3)
    kind = left.selectbox("Show", list(kinds), key="show", bind="query-params")
    split = middle.selectbox("Split", data.SPLITS, key="split", bind="query-params")
    seed = right.number_input(
        "Random sample", min_value=0, value=0, help="another number shows other images",
        key="sample", bind="query-params",
    )  # fmt: skip
    rows = np.flatnonzero((values == kinds[kind]) & (dataset.split == data.SPLITS.index(split)))
    st.caption(f"{len(rows):,} images")
    if len(rows) == 0:
        return
    shown = np.random.default_rng(seed).permutation(rows)[:48]
    picture = mosaic(dataset.images[np.sort(shown)], ACROSS, fill=255)
    st.image(
        picture.repeat(2, axis=0).repeat(2, axis=1), width="stretch",
        alt=f"{len(shown)} of {len(rows):,} images that match the filters, {ACROSS} per row",
    )  # fmt: skip


def counts(dataset, target: str) -> None:
    """Class counts before and after thinning, attribute rates, co-occurrence, long tail."""
    task = dataset.task(target)
    left, right = st.columns(2)
    kind = left.segmented_control(
        "Thin the classes", ["none", *THINNED], default="none", key="imbalance",
        bind="query-params", help="removes training images only; test images are not changed",
    )  # fmt: skip
    ratio = right.select_slider(
        "Imbalance ratio", [2, 5, 10, 20, 50, 100], value=20, key="ratio", bind="query-params",
        disabled=kind not in THINNED, help="largest over smallest class after thinning",
    )  # fmt: skip
    shown = {"all": task.class_counts()}
    if kind in THINNED:
        shown["thinned"] = data.imbalance(task, kind, float(ratio)).class_counts()
    frame = pd.DataFrame(shown, index=list(task.class_names)).rename_axis("class").reset_index()
    if task.n_classes <= MAX_BARS:
        title = "Training images of each class"
        show_figure(
            cached(figures.class_counts, task.class_names, shown, title), "class-counts", frame
        )
    else:
        st.dataframe(frame.sort_values("all", ascending=False), hide_index=True)
    left, right = st.columns(2)
    train = dataset.split == 0
    if dataset.attributes:
        rates = {
            name: float((v[train] == 1).sum() / max(1, (v[train] >= 0).sum()))
            for name, v in dataset.attributes.items()
        }
        table = pd.DataFrame(rates.items(), columns=["attribute", "fraction"])
        with left:
            show_figure(cached(figures.positive_rates, rates), "positive-rates", table)
    if len(dataset.attributes) > 1:
        with right:
            together(dataset, train)
    people = dataset.metadata.get("identity", dataset.labels.get("identity"))
    if people is not None:
        sizes = np.bincount(people[train & (people >= 0)])
        table = pd.DataFrame({"images": np.sort(sizes[sizes > 0])[::-1]})
        with left:
            show_figure(cached(figures.long_tail, sizes[sizes > 0]), "long-tail", table)


def together(dataset, train: np.ndarray) -> None:
    """Co-occurrence of attributes: an imbalance that class counts of one attribute do not show."""
    names = list(dataset.attributes)
    phi = data.co_occurrence({name: values[train] for name, values in dataset.attributes.items()})
    table = pd.DataFrame(phi, index=names, columns=names).reset_index(names="attribute")
    show_figure(cached(figures.co_occurrence, phi, names), "co-occurrence", table)
    st.caption(
        "Phi coefficient on training images; above 0: more often together than by chance. Empty: "
        "the diagonal, and attributes that do not vary where both are known."
    )


def confirmed(name: str, labels: str) -> bool:
    """Whether the visitor asked for this folder: a link alone must not make the server read it."""
    if st.session_state.get("wanted") == (name, labels):
        return True
    st.info(f"This link names the folder {name}.", icon=":material/link:")
    if st.button("Read this folder", icon=":material/folder_open:"):
        st.session_state["wanted"] = (name, labels)
        st.rerun()
    return False


def typed() -> None:
    """Remember what was typed here, as opposed to what a link contains."""
    state = st.session_state
    state["wanted"] = (state.get("data-folder", ""), state.get("data-labels", ""))


def own_folder(place) -> tuple[str, str, bool]:
    """Folder and labels of the visitor, and whether they may be read now."""
    name = place.text_input(
        "Folder of images", key="data-folder", placeholder="/path/to/images", on_change=typed
    )
    labels = place.text_input(
        "CSV of labels (not needed for one folder per class)", key="data-labels", on_change=typed
    )
    st.query_params.update({"folder": name, "labels": labels})
    if not name:
        st.info(
            "Enter a folder: one sub-folder per class or person, images with a CSV of labels, "
            "CelebA, LFWA or CIFAR as published, or train.rec in InsightFace's format; or a file: "
            "Parquet with images as from Hugging Face, or .npz as from MedMNIST."
        )
        return name, labels, False
    if not confirmed(name, labels):
        return name, labels, False
    check_path(name)
    check_path(labels)
    if st.session_state.get("read") != (name, labels):
        read_with_progress(name, labels)
        st.session_state["read"] = (name, labels)
    return name, labels, True


st.title("Data")
with errors_in_place():
    left, right = st.columns(2)
    choices = [*data.dataset_names(), FOLDER]
    # A link restores the page; its values apply until the widgets have their own.
    for key in ("folder", "labels"):
        st.session_state.setdefault(f"data-{key}", st.query_params.get(key, ""))
    if "set" not in st.session_state and "set" not in st.query_params:
        own = bool(st.session_state["data-folder"])
        st.session_state["set"] = choices[-1] if own else choices[0]
    name = left.selectbox("Data set", choices, key="set", bind="query-params")
    size, labels, ready = "quick", "", True
    info = None if name == FOLDER else data.dataset_info(name)
    if info is None:
        name, labels, ready = own_folder(right)
    else:
        for key in ("folder", "labels"):
            st.query_params.pop(key, None)
        if info.sizes:
            size = right.segmented_control(
                "Size", ["quick", "standard"], default="quick", key="size", bind="query-params",
                required=True,
            )  # fmt: skip
            ready = is_rendered(info, size, info.image_size)
    if ready:
        dataset = dataset_of(name, size, labels)
        if dataset.recognized:
            st.caption(f"Read as: {dataset.recognized}.")
        for sentence in dataset.warnings:
            st.warning(sentence, icon=":material/broken_image:")
        target = st.selectbox(
            "Attribute or label", dataset.targets, key="target", bind="query-params",
            format_func=plain,
        )  # fmt: skip
        gallery(dataset, target)
        counts(dataset, target)
        if info is not None:
            st.caption(f"{info.description} {info.credits}".strip())
