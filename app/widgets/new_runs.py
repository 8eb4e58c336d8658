"""The form for new runs: data, methods, every option, what it costs, and how many at a time."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

import streamlit as st

from app.widgets.config_form import config_form
from app.widgets.path_access import check_path, check_paths
from app.widgets.runs import all_runs, duration, label
from clmle.config import Config, DataConfig, TrainConfig
from clmle.errors import InputError

FOLDER = "my own folder"
SKIPPED = ("dataset", "attribute", "size", "labels")
MOST_SEEDS = 20
SHARES = ("between_margin_fraction", "within_margin_fraction")  # that the page Margins hands over


def new_runs() -> None:
    """The form; queues one run for each method and seed."""
    from clmle.methods import get_method, method_names

    model = _taken_over()
    first = _data_of(model) if model else _choose_data()
    methods = st.multiselect(
        "Methods, side by side",
        method_names(),
        default=[model.method] if model else ["clmle", "softmax"],
        format_func=lambda name: f"{get_method(name).title} ({name})",
    )
    for name in methods:
        st.caption(f"**{get_method(name).title}**: {get_method(name).summary}")
    data, train, options = _every_setting(first, model, methods)
    left, right = st.columns(2)
    seeds = _seeds(left.text_input("Seeds", str(train.seed), help="numbers with commas"))
    cores = os.cpu_count() or 2
    at_a_time = int(
        right.number_input(
            "At the same time", 1, 64, min(max(1, len(methods)), cores),
            help="further runs wait for their turn; each gets its share of the cores",
        )
    )  # fmt: skip
    threads = max(1, cores // at_a_time)
    cost = st.empty()  # measured last: the button need not wait for it
    if st.button("Start", type="primary", icon=":material/play_arrow:", disabled=not methods):
        made = [
            Config(name, options[name], data, dataclasses.replace(train, threads=threads, seed=s))
            for s in seeds
            for name in methods
        ]
        check_paths(made)
        _check_folder(data)
        _start(made, at_a_time)
    with cost:
        _foretell(train, data, len(methods) * len(seeds), at_a_time, threads)


def _choose_data() -> DataConfig:
    """Data set, target and budget, as the person picks them."""
    from clmle.data import dataset_info, dataset_names
    from clmle.presets import PRESETS, preset_config

    first, second, third = st.columns(3)
    choices = [*dataset_names(), FOLDER]
    asked = st.query_params.get("data")  # a link from a page that needs such a run
    dataset = first.selectbox(
        "Data", choices, index=choices.index(asked) if asked in choices[:-1] else 0
    )
    target, labels = "", ""
    if dataset == FOLDER:
        dataset = second.text_input("Folder of images", placeholder="/path/to/images")
        if not dataset:
            raise InputError("Name the folder of images, or choose other data.")
        check_path(dataset)
    info = dataset_info(dataset)
    targets = info.target_names(dataset)
    if info.kind == "attributes":
        target = _attribute_of(second, targets)
    elif not targets:
        labels = second.text_input("CSV of labels (not needed for one folder a class)")
    preset = third.segmented_control("Budget", list(PRESETS), default="quick") or "quick"
    st.session_state["preset"] = preset
    chosen = preset_config(preset, "clmle", dataset, target).data
    return dataclasses.replace(chosen, attribute=target, labels=labels)


def _attribute_of(place: Any, names: Any) -> str:
    """One attribute, or all of them together."""
    choices = [*names, "all"]
    asked = st.query_params.get("attribute")
    return place.selectbox(
        "Attribute",
        choices,
        index=choices.index(asked) if asked in choices else 0,
        format_func=lambda name: "all together" if name == "all" else name,
    )


def _taken_over() -> Config | None:
    """Settings of the run that is to be done again with changes, if one is."""
    from clmle.training import config_from_dict

    runs = {run.name: run for run in all_runs()}
    name = st.query_params.get("like", "")
    if name not in runs:
        return None
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.info(f"The settings of {label(runs[name])}; change what you like.")
    if right.button("Begin from a preset", icon=":material/restart_alt:"):
        del st.query_params["like"]
        st.rerun()
    return config_from_dict(runs[name].config())


def _data_of(model: Config) -> DataConfig:
    st.markdown(f"Data: **{model.data.dataset}**, target **{model.data.attribute or 'the first'}**")
    return model.data


def _every_setting(
    first: DataConfig, model: Config | None, methods: list[str]
) -> tuple[DataConfig, TrainConfig, dict[str, Any]]:
    """The three parts as the form leaves them; options by method."""
    from clmle.presets import preset_config

    preset = st.session_state.get("preset", "quick")
    bases = {
        n: model if model and n == model.method
        else preset_config(preset, n, first.dataset, first.attribute)
        for n in methods
    }  # fmt: skip
    train = (model or preset_config(preset, "clmle", first.dataset, first.attribute)).train
    handed = _handed_over()
    with st.expander("Every setting", expanded=bool(handed)):
        place = f"{st.query_params.get('like', preset)}-{first.dataset}"  # defaults follow the data
        st.markdown("**Data**")
        data = config_form(first, "data", f"data-{place}", SKIPPED)
        st.markdown("**Training**, the same for every method")
        train = config_form(train, "training", f"train-{place}", ("threads", "seed"))
        options = {}
        for name, base in bases.items():
            own = base.options
            if handed and all(hasattr(own, share) for share in handed):
                own = dataclasses.replace(own, within_weight=1.0, **handed)
            if dataclasses.fields(own):
                st.markdown(f"**Options of {name}**")
                marks = "-".join(str(v) for v in handed.values())
                own = config_form(own, name, f"{name}-{place}-{marks}")
            options[name] = own
    return data, train, options


def _handed_over() -> dict[str, float]:
    """Shares of the margins' bounds in the page's address."""
    try:
        found = {n: float(st.query_params[n]) for n in SHARES if n in st.query_params}
    except ValueError as error:
        raise InputError("The shares of the margins in this link are no numbers.") from error
    return found if all(0 <= value <= 1 for value in found.values()) else {}


def _seeds(text: str) -> list[int]:
    try:
        seeds = list(dict.fromkeys(int(part) for part in text.replace(";", ",").split(",") if part))
    except ValueError as error:
        raise InputError(f"Seeds are {text!r}; write whole numbers with commas.") from error
    if not 1 <= len(seeds) <= MOST_SEEDS or min(seeds) < 0:
        raise InputError(f"Seeds are {text!r}; give 1 to {MOST_SEEDS} numbers from 0.")
    return seeds


def _foretell(
    train: TrainConfig, data: DataConfig, runs: int, at_a_time: int, threads: int
) -> None:
    """What the runs will cost, measured by a few steps of the network."""
    from clmle.data import find_dataset

    info = find_dataset(data.dataset)
    heads = len(info.target_names(data.dataset)) if info and data.attribute == "all" else 0
    machine = dataclasses.replace(train, seed=0, iterations=1)  # what a step depends on
    shape = (data.image_size, data.image_size, info.channels if info else 3)
    start, step = _seconds(machine, shape, heads or None, threads)
    each = start + step * train.iterations
    text = f"About **{duration(each)}** a run: {train.iterations} steps of {train.batch_size} "
    text += f"images ({train.iterations * train.batch_size:,} in all), at the pace of a step now"
    if runs > 1:
        whole = duration(-(-runs // at_a_time) * each)
        text += f"; {runs} runs, {at_a_time} at a time: about **{whole}**"
    st.caption(text + ".")


@st.cache_data(max_entries=64, show_spinner="Measuring a step", ttl=3600)
def _seconds(
    train: TrainConfig, shape: tuple[int, int, int], heads: int | None, threads: int
) -> tuple[float, float]:
    """Seconds until the first step, and of one."""
    from clmle.jobs.eta import START, estimate_run_seconds

    return START, estimate_run_seconds(train, shape, heads, threads=threads) - START


def _check_folder(data: DataConfig) -> None:
    """Names what is wrong with a folder before any run is made."""
    from clmle.data import dataset_info
    from clmle.training import load_data

    kind = "identities" if data.attribute == "identity" else None
    if not dataset_info(data.dataset, kind).target_names(data.dataset):
        load_data(data)


def _start(made: list[Config], at_a_time: int) -> None:
    from clmle.jobs.launch import launch

    names = [launch(config, at_a_time=at_a_time).name for config in made]
    st.query_params.from_dict({"runs": names})
    st.session_state.pop("pick-runs", None)
    st.rerun()
