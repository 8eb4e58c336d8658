"""Look at the data: how they were read, images, class counts, long tail, sub-populations."""

import numpy as np
import pandas as pd
import streamlit as st

from app.widgets.class_sizes import class_sizes, subpopulations
from app.widgets.data_facts import (
    all_data_sets,
    class_table,
    few_images,
    plain,
    show_counts,
    show_recognized,
)
from app.widgets.error_display import errors_in_place
from app.widgets.figure import cached, show_figure
from app.widgets.literal import literal
from app.widgets.new_runs import STARTED
from app.widgets.opened_data import data_key, default_data, is_ready, open_data
from app.widgets.own_data import FOLDER, forget_own_data, own_data
from app.widgets.pages import link
from app.widgets.viewer import mosaic
from clmle import data, figures, projection

PAGE = {"title": "Data", "icon": ":material/grid_view:", "order": 20}

ACROSS = 12  # images in a row of the gallery
EVERY = "every class"
MAX_ROWS = 20  # classes with images at once
IN_ROW = 8  # images of each of them
MAX_POINTS = 2000  # features in the projection


def gallery(dataset, target: str) -> None:
    """Images by class and split."""
    values, names = dataset.values_of(target)
    kinds = {EVERY: None} | {plain(name): i for i, name in enumerate(names)}
    if target in dataset.attributes:
        kinds = {EVERY: None, plain(target): 1, f"not {plain(target)}": 0, "unknown": -1}
    left, middle, right = st.columns(3)
    kind = left.selectbox("Show", list(kinds), key="show", bind="query-params")
    split = middle.selectbox("Split", data.SPLITS, key="split", bind="query-params")
    seed = right.number_input(
        "Random sample", min_value=0, value=0, help="another number shows other images",
        key="sample", bind="query-params",
    )  # fmt: skip
    inside = np.asarray(dataset.split) == data.SPLITS.index(split)
    if kinds[kind] is not None:
        row_of_images(dataset, (values == kinds[kind]) & inside, seed, 48, ACROSS)
        return
    shown = list(kinds.items())[1 : MAX_ROWS + 1]
    for start in range(0, len(shown), 2):
        for place, (name, value) in zip(st.columns(2), shown[start : start + 2], strict=False):
            with place:
                row_of_images(dataset, (values == value) & inside, seed, IN_ROW, IN_ROW, name)
    if len(kinds) - 1 > MAX_ROWS:
        st.caption(f"The first {MAX_ROWS} of {len(kinds) - 1:,} classes; choose another above.")


def row_of_images(dataset, chosen, seed: int, most: int, across: int, name: str = "") -> None:
    """A random sample of the chosen images, with their number."""
    rows = np.flatnonzero(chosen)
    st.caption(f"{literal(name)}: {len(rows):,} images" if name else f"{len(rows):,} images")
    if len(rows) == 0:
        return
    shown = np.random.default_rng(seed).permutation(rows)[:most]
    picture = mosaic(dataset.images[np.sort(shown)], across, transparent=True)
    st.image(
        picture.repeat(2, axis=0).repeat(2, axis=1), width="stretch",
        alt=f"{len(shown)} of {len(rows):,} images {f'of {name}' if name else 'that match'}, "
        f"{across} per row",
    )  # fmt: skip


@st.cache_resource(max_entries=12, show_spinner="Projecting the features")
def feature_map(key: tuple, target: str, _dataset):
    """Training features projected by PCA, colored by class."""
    values, names = _dataset.values_of(target)
    rows = np.flatnonzero((np.asarray(_dataset.split) == 0) & (values >= 0))
    rows = np.sort(np.random.default_rng(0).permutation(rows)[:MAX_POINTS])
    points = projection.project(np.asarray(_dataset.images[rows]), "pca")
    title = f"{len(rows):,} rows of training features (PCA)"
    groups = [names[v] for v in values[rows]]
    return figures.embedding_map(points, title, groups=groups, classes=list(names), height=460)


def rates(dataset) -> None:
    """Attribute rates, co-occurrence of attributes, and the long tail of identities."""
    left, right = st.columns(2)
    train = np.asarray(dataset.split) == 0
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


def opened(name: str, size: str, labels: str, info) -> None:
    """Everything about a data set that is ready to be opened."""
    dataset, key = open_data(name, size, labels), data_key(name, size, labels)
    show_recognized(dataset)
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    target = left.selectbox(
        "Attribute or label", dataset.targets, key="target", bind="query-params", format_func=plain
    )
    table = class_table(key, dataset)
    few_images(table, target)
    if dataset.images.ndim == 2:
        show_figure(feature_map(key, target, dataset), "features-pca")
    else:
        gallery(dataset, target)
    st.subheader("Class counts")
    chosen = class_sizes(dataset, target)
    with right:
        where = {"data": name} if info is not None else {"folder": name, "labels": labels}
        link("train", "Train on this", **where, **{k: str(v) for k, v in chosen.items()})
    with st.expander("Images of every target, class and split", expanded=True), errors_in_place():
        show_counts(table, "class-counts-of-all")
    with st.expander("Sub-populations"), errors_in_place():
        subpopulations(dataset, target)
    rates(dataset)
    if info is not None:
        st.caption(f"{info.description} {info.credits}".strip())


st.title("Data")
st.session_state.pop(STARTED, None)  # a link from here opens the form for new runs
with errors_in_place():
    left, right = st.columns(2)
    choices = [*data.dataset_names(), FOLDER]
    if "set" not in st.session_state and "set" not in st.query_params:
        st.session_state["set"] = FOLDER if st.query_params.get("folder") else default_data()
    name = left.selectbox("Data set", choices, key="set", bind="query-params")
    size = "quick"
    if name == FOLDER:
        own = own_data()
        if own is not None:
            opened(own[0], size, own[1], None)
    else:
        forget_own_data()
        info = data.dataset_info(name)
        if info.sizes:
            size = right.segmented_control(
                "Size", ["quick", "standard"], default="quick", key="size", bind="query-params",
                required=True,
            )  # fmt: skip
        if is_ready(info, size):
            opened(name, size, "", info)
with st.expander("All data sets and formats"), errors_in_place():
    all_data_sets("quick")
