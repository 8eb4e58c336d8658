"""The data of new runs: a data set by name or path, its target, and what a link says of them."""

import dataclasses
from typing import Any

import streamlit as st

from app.widgets.data_facts import class_table, few_images, plain, show_recognized
from app.widgets.opened_data import data_key, default_data, is_open, open_data, state_of
from app.widgets.own_data import FOLDER, forget_own_data, own_data
from app.widgets.suggestions import suggested_settings
from app.widgets.terms import meaning
from clmle import Config, DataConfig, data, training

SHAPING = ("imbalance", "ratio", "counts", "merge")  # in links from the page Data


def choose_data() -> tuple[DataConfig, Any] | None:
    """Data set, target and budget that the visitor chooses, and the opened data set.

    The latter is None if the images must be rendered or downloaded first; nothing is returned
    until a path may be read.
    """
    first, second, third = st.columns(3)
    choices = [*data.dataset_names(), FOLDER]
    if "data" not in st.session_state and "data" not in st.query_params:
        st.session_state["data"] = FOLDER if st.query_params.get("folder") else default_data()
    name = first.selectbox("Data", choices, key="data", bind="query-params")
    preset = third.segmented_control(
        "Budget", list(training.PRESETS), default="quick", required=True, key="preset",
        help=meaning("budget"), wrap=True, bind="query-params",
    )  # fmt: skip
    labels = ""
    if name == FOLDER:
        own = own_data()
        if own is None:
            return None
        name, labels = own
    else:
        forget_own_data()
    info = data.dataset_info(name)
    chosen = training.preset_config(preset, "clmle", name).data
    opened = _opened(info, name, chosen.size, labels)
    targets = info.target_names(name) if opened is None else opened.targets
    multi = info.kind == "attributes" if opened is None else len(opened.attributes) > 1
    target = ""
    if len(targets) > 1:
        target = second.selectbox(
            "Attribute", [*targets, "all"] if multi else targets, key="attribute",
            bind="query-params", format_func=_in_words,
        )  # fmt: skip
    if opened is not None and target != "all":
        table = class_table(data_key(name, chosen.size, labels), opened)
        few_images(table, target or opened.targets[0])
    if opened is not None:
        _suggestions(name, chosen.size, labels, opened, target)
    return dataclasses.replace(chosen, attribute=target, labels=labels), opened


def _suggestions(name: str, size: str, labels: str, opened: Any, target: str) -> None:
    """Good settings for the chosen target; of all attributes, for the rarest one."""
    table = class_table(data_key(name, size, labels), opened)
    table = table[table["class"] != table["target"] + " unknown"]
    together = target == "all"
    train, validation = data.SPLITS[:2]
    if not together:
        table = table[table["target"] == (target or opened.targets[0])]
    sizes = table.groupby("target")[train].agg(lambda n: n.min() / max(1, n.sum()))
    own = table[table["target"] == sizes.idxmin()] if len(sizes) else table
    suggested_settings(
        own[train].to_list(), own[validation].to_list(),
        features=opened.images.ndim == 2, attributes=len(sizes) if together else 1,
        choose=_choose_suggested,
    )  # fmt: skip


def _choose_suggested(found: Any) -> None:
    st.session_state["methods"] = list(found.methods)
    st.session_state["suggested-calibration"] = found.calibration


def _in_words(target: str) -> str:
    return "all (multi-label)" if target == "all" else plain(target)


def _opened(info: data.DatasetInfo, name: str, size: str, labels: str) -> Any:
    """The data set, described; None if it must be made ready first."""
    if not info.is_ready(size, info.image_size) and not is_open(name, size, labels):
        st.caption(f"{info.description} State: {state_of(info, size)}.")
        return None
    opened = open_data(name, size, labels)
    show_recognized(opened)
    return opened


def shaping_of_link() -> dict[str, str]:
    """Options of imbalance in the page's address, as the page Data links to them."""
    return {name: st.query_params[name] for name in SHAPING if name in st.query_params}


def shaped(config: DataConfig, linked: dict[str, str]) -> DataConfig:
    """The configuration with the options of a link, checked."""
    found: DataConfig = training.override(config, linked, "this link")
    return found


def check_task(opened: Any, config: Config) -> None:
    """Raise an error for data that a run could not use, before any run is created."""
    one, seed = config.data, config.train.seed
    if opened is None and data.dataset_info(one.dataset).target_names(one.dataset):
        return  # not made yet
    # Identities and other splits are read in their own way.
    if opened is None or one.attribute == "identity" or one.split != DataConfig.split:
        opened = training.load_data(one, seed)
    training.make_task(opened, one, seed)
