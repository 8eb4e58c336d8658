"""Look at the data: faces, class counts, long tail, and the imbalance dial."""

import numpy as np
import pandas as pd
import streamlit as st

from app.widgets.background_tasks import helpers
from app.widgets.error_display import sentences
from app.widgets.figure import kept, show_figure
from app.widgets.path_access import check_path
from clmle.jobs.process import start_module

THINNED = ("exponential", "step")
MOST_BARS = 60  # classes that a bar chart can name; of more, the long tail tells


@st.cache_resource(max_entries=4, show_spinner="Reading the images")
def dataset_of(name: str, size: str, labels: str):
    from dataclasses import replace

    from clmle.presets import preset_config
    from clmle.training import load_data

    data = preset_config("quick", "softmax", name).data
    return load_data(replace(data, size=size, labels=labels))


def read_with_progress(name: str, labels: str) -> None:
    """The first reading of a folder's images, told as it goes; cut off, it goes on from there."""
    import time
    from dataclasses import replace

    from clmle.presets import preset_config
    from clmle.training import load_data

    bar, began = st.empty(), time.monotonic()
    first: list[int] = []

    def tell(done: int, total: int) -> None:
        first.append(done)
        fresh = done - first[0]
        left = (time.monotonic() - began) * (total - done) / fresh if fresh else 0.0
        ahead = f", about {left:.0f} s left" if fresh else ""
        bar.progress(done / max(1, total), text=f"{done:,} of {total:,} images read{ahead}")

    data = preset_config("quick", "softmax", name).data
    load_data(replace(data, labels=labels), progress=tell)
    bar.empty()


def is_rendered(info, size: str, image_size: int) -> bool:
    """Whether the images of a rendered data set exist; otherwise offer to render them."""
    if info.is_ready(size, image_size):
        return True
    state = info.render_state(size, image_size, 0)
    title = f"rendering {info.name} {size}"
    helper = helpers().find(title)
    rendered_here = helper is not None and helper.running
    if not rendered_here and not state.running:
        if helper is not None and helper.failed:
            st.error(helper.last_words("The images could not be rendered."))
        st.info(f"{state.total - state.done:,} images of this size are not rendered yet.")
        if st.button("Render them", type="primary", icon=":material/brush:"):
            command = ("clmle", "data", info.name, "--size", size)
            helpers().drop(title)
            helpers().want(title, lambda: start_module(*command))
            st.rerun()
        st.caption("Rendering continues while this page is open. Rendered images are kept.")
        return False

    @st.fragment(run_every=1.0)
    def waiting() -> None:
        state = info.render_state(size, image_size, 0)
        left = (state.total - state.done) * state.seconds_per_image
        st.progress(
            state.done / state.total,
            text=f"{state.done:,} of {state.total:,} images rendered, about {left:.0f} s left",
        )
        running = state.running or (helper is not None and helper.running)
        if state.done >= state.total or not running:
            st.rerun()

    waiting()
    return False


def gallery(dataset, target: str) -> None:
    """Faces by value and split."""
    from clmle.data import SPLITS

    values = dataset.attributes.get(target, dataset.labels.get(target))
    words = target.replace("_", " ")
    kinds = {words: 1, f"not {words}": 0, "unknown": -1}
    if target in dataset.labels:
        names = dataset.class_names.get(target, ())
        kinds = {str(names[i]) if i < len(names) else str(i): i for i in range(values.max() + 1)}
    left, middle, right = st.columns(3)
    kind = left.selectbox("Show", list(kinds), key="show", bind="query-params")
    split = middle.selectbox("Split", SPLITS, key="split", bind="query-params")
    seed = right.number_input(
        "Draw", min_value=0, value=0, help="another number, other images", key="draw",
        bind="query-params",
    )  # fmt: skip
    rows = np.flatnonzero((values == kinds[kind]) & (dataset.split == SPLITS.index(split)))
    st.caption(f"{len(rows):,} images")
    if len(rows) == 0:
        return
    shown = np.random.default_rng(seed).permutation(rows)[:48]
    st.image(
        mosaic(dataset.images[np.sort(shown)]), width="stretch",
        alt=f"{len(shown)} of {len(rows):,} images that fit the filters, in rows of {ACROSS}",
    )  # fmt: skip


ACROSS = 12  # images in a row of the gallery


def mosaic(images: np.ndarray, across: int = ACROSS, scale: int = 2) -> np.ndarray:
    """One picture of many, for a single quick download."""
    n, height, width, channels = images.shape
    down = -(-n // across)
    sheet = np.full((down * height, across * width, channels), 255, dtype=np.uint8)
    for i, image in enumerate(images):
        y, x = i // across * height, i % across * width
        sheet[y : y + height, x : x + width] = image
    sheet = sheet.repeat(scale, axis=0).repeat(scale, axis=1)
    return sheet if channels == 3 else sheet[..., 0]


def counts(dataset, target: str) -> None:
    """Class counts before and after the dial, rates, what is seen together, long tail."""
    from clmle import figures
    from clmle.data import imbalance

    task = dataset.task(target)
    left, right = st.columns(2)
    kind = left.segmented_control(
        "Imbalance dial", ["none", *THINNED], default="none",
        help="thins the training images only; test images stay as they are", key="dial",
        bind="query-params",
    )  # fmt: skip
    ratio = right.select_slider(
        "Ratio, largest over smallest", [2, 5, 10, 20, 50, 100], value=20, key="ratio",
        bind="query-params", disabled=kind not in THINNED, help="of the dial at its left",
    )  # fmt: skip
    shown = {"as it is": task.class_counts()}
    if kind in THINNED:
        shown["thinned"] = imbalance(task, kind, float(ratio)).class_counts()
    frame = pd.DataFrame(shown, index=list(task.class_names)).rename_axis("class").reset_index()
    if task.n_classes <= MOST_BARS:
        show_figure(
            kept(figures.class_counts, task.class_names, shown, "Training images of each class"),
            "class-counts",
            frame,
        )
    else:
        st.dataframe(frame.sort_values("as it is", ascending=False), hide_index=True)
    left, right = st.columns(2)
    if dataset.attributes:
        train = dataset.split == 0
        rates = {
            name: float((v[train] == 1).sum() / max(1, (v[train] >= 0).sum()))
            for name, v in dataset.attributes.items()
        }
        with left:
            show_figure(
                kept(figures.positive_rates, rates),
                "positive-rates",
                pd.DataFrame(rates.items(), columns=["attribute", "share"]),
            )
        if len(dataset.attributes) > 1:
            together(dataset, train, right)
    people = dataset.metadata.get("identity", dataset.labels.get("identity"))
    if people is not None:
        sizes = np.bincount(people[(dataset.split == 0) & (people >= 0)])
        with left:
            show_figure(
                kept(figures.long_tail, sizes[sizes > 0]),
                "long-tail",
                pd.DataFrame({"images": np.sort(sizes[sizes > 0])[::-1]}),
            )


def together(dataset, train: np.ndarray, place) -> None:
    """Which attributes are seen together: an imbalance that no dial of one attribute shows."""
    from clmle import figures
    from clmle.data.co_occurrence import co_occurrence

    names = list(dataset.attributes)
    phi = co_occurrence({name: values[train] for name, values in dataset.attributes.items()})
    with place:
        show_figure(
            kept(figures.co_occurrence, phi, names), "co-occurrence",
            pd.DataFrame(phi, index=names, columns=names).reset_index(names="attribute"),
        )  # fmt: skip
        st.caption(
            "Above 0: more often together than chance would have it; training images. Empty: one "
            "with itself, or one that does not vary where both are known."
        )


def asked_for(name: str, labels: str) -> bool:
    """Whether somebody here wants this folder read: a link alone must not make the server do it."""
    if st.session_state.get("wanted") == (name, labels):
        return True
    st.info(f"This link names the folder {name}.", icon=":material/link:")
    if st.button("Read this folder", icon=":material/folder_open:"):
        st.session_state["wanted"] = (name, labels)
        st.rerun()
    return False


def typed() -> None:
    """Remember what was typed here, and not brought by a link."""
    state = st.session_state
    state["wanted"] = (state.get("data-folder", ""), state.get("data-labels", ""))


st.title("Data")
with sentences():
    from clmle.data import dataset_info, dataset_names

    left, right = st.columns(2)
    choices = [*dataset_names(), "my own folder"]
    # A link restores the page: what it says counts until the widgets know better.
    for key in ("folder", "labels"):
        st.session_state.setdefault(f"data-{key}", st.query_params.get(key, ""))
    if "set" not in st.session_state and "set" not in st.query_params:
        own = bool(st.session_state["data-folder"])
        st.session_state["set"] = choices[-1] if own else choices[0]
    source = left.selectbox("Data set", choices, key="set", bind="query-params")
    size, labels, ready, name = "quick", "", True, source
    info = None if source == choices[-1] else dataset_info(source)
    if info is not None and info.sizes:
        size = right.segmented_control(
            "Size", ["quick", "standard"], default="quick", key="size", bind="query-params",
            required=True,
        )  # fmt: skip
        ready = is_rendered(info, size, info.image_size)
    elif info is None:
        name = right.text_input(
            "Folder of images", key="data-folder", placeholder="/path/to/images", on_change=typed
        )
        labels = right.text_input(
            "CSV of labels (not needed for one folder a class)", key="data-labels", on_change=typed
        )
        ready = bool(name)
        st.query_params.update({"folder": name, "labels": labels})
        if not ready:
            st.info(
                "Name a folder: one sub-folder a class or person, images and a CSV of labels, "
                "CelebA or LFWA as their authors ship them, or train.rec as InsightFace does."
            )
        elif not asked_for(name, labels):
            ready = False
        else:
            check_path(name)
            check_path(labels)
            if st.session_state.get("read") != (name, labels):
                read_with_progress(name, labels)
                st.session_state["read"] = (name, labels)
    if source != choices[-1]:
        for key in ("folder", "labels"):
            st.query_params.pop(key, None)
    if ready:
        dataset = dataset_of(name, size, labels)
        for sentence in dataset.warnings:
            st.warning(sentence, icon=":material/broken_image:")
        target = st.selectbox(
            "Attribute or label", dataset.targets, key="target", bind="query-params",
            format_func=lambda target: target.replace("_", " "),
        )  # fmt: skip
        gallery(dataset, target)
        counts(dataset, target)
        if info is not None:
            st.caption(f"{info.description} {info.credits}".strip())
