"""The form for new runs: data, methods, options, estimated time, and how many at a time."""

import dataclasses
import os
from collections.abc import Callable
from typing import Any

import streamlit as st

from app.widgets.config_form import config_form
from app.widgets.launching import launched
from app.widgets.literal import literal
from app.widgets.method_choice import choose_methods, method_names
from app.widgets.path_access import with_open_paths
from app.widgets.run_data import check_task, choose_data, shaped, shaping_of_link
from app.widgets.runs import all_runs, duration, label
from app.widgets.runs_table import PICKED
from app.widgets.terms import meaning
from clmle import Config, DataConfig, InputError, TrainConfig, data, jobs, training
from clmle import methods as registry

MAX_SEEDS = 20
STARTED = "started-folder"  # whose runs were started, in the state of the session
MARGINS = ("between_margin_fraction", "within_margin_fraction")  # in links from the page Margins


def new_runs() -> None:
    """The form; queues one run for each method and seed."""
    template = _template()
    if template:
        first, opened = template.data, None
        st.markdown(
            f"Data: {literal(first.dataset)}, target {literal(first.attribute or 'the first')}"
        )
    else:
        found = choose_data()
        if found is None:
            return
        first, opened = found
    methods = choose_methods(
        [template.method] if template else method_names()[:3],
        f"methods-{template.method}" if template else "methods", bind="query-params",
    )  # fmt: skip
    for name in methods:
        st.caption(f"**{registry.get_method(name).title}**: {registry.get_method(name).summary}")
    configs = _all_options(first, template, methods)
    train = next(iter(configs.values())).train if configs else TrainConfig()
    left, right = st.columns(2)
    seeds = numbers(
        left.text_input(
            "Seeds", str(train.seed), key=f"seeds-{train.seed}", bind="query-params",
            help=f"Numbers separated by commas. {meaning('seed')}",
        ),
        int, "Seeds",
    )  # fmt: skip
    if not 1 <= len(seeds) <= MAX_SEEDS or min(seeds) < 0:
        raise InputError(f"Seeds are {seeds}; give 1 to {MAX_SEEDS} numbers from 0.")
    cores = os.cpu_count() or 2
    at_a_time = int(
        right.number_input(
            "Runs at a time", 1, 64, min(max(1, len(methods)), cores),
            key=f"at-a-time-{len(methods)}", bind="query-params",
            help="further runs wait in a queue; the cores are divided among the running ones",
        )
    )  # fmt: skip
    threads = max(1, cores // at_a_time)
    cost = st.empty()  # measured last, so that the button appears at once
    if st.button("Start", type="primary", icon=":material/play_arrow:", disabled=not methods):
        chosen = [
            dataclasses.replace(c, train=dataclasses.replace(c.train, threads=threads, seed=seed))
            for seed in seeds
            for c in configs.values()
        ]
        chosen = [with_open_paths(c) for c in chosen]
        check_task(opened, chosen[0])
        _start(chosen, at_a_time)
    if configs:
        with cost:
            config = next(iter(configs.values()))
            shape = None if opened is None else tuple(opened.images.shape[1:])
            _estimate(config, len(methods) * len(seeds), at_a_time, threads, shape)


def numbers(
    text: str, kind: Callable[[str], Any], what: str, *, distinct: bool = True
) -> tuple[Any, ...]:
    """Numbers of a text field, separated by commas; ``distinct`` drops repeated ones."""
    try:
        found = [kind(part) for part in text.replace(";", ",").split(",") if part.strip()]
    except ValueError as error:
        raise InputError(
            f"{what} are {text!r}; write numbers separated by commas, such as 0, 1."
        ) from error
    return tuple(dict.fromkeys(found)) if distinct else tuple(found)


def _template() -> Config | None:
    """Configuration of the run to be repeated with changes, if the address names one."""
    runs = {run.name: run for run in all_runs()}
    name = st.query_params.get("like", "")
    if name not in runs:
        return None
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.info(f"The configuration of {literal(label(runs[name]))}; change what you like.")
    if right.button("Start from a preset", icon=":material/restart_alt:"):
        del st.query_params["like"]
        st.rerun()
    return training.config_from_dict(runs[name].config())


def _all_options(
    first: DataConfig, template: Config | None, methods: list[str]
) -> dict[str, Config]:
    """Configuration of every method, as the form leaves it."""
    preset = st.session_state.get("preset", "quick")
    bases = {
        name: template if template and name == template.method
        else training.preset_config(preset, name, first.dataset, first.attribute)
        for name in methods
    }  # fmt: skip
    shared = template or training.preset_config(preset, "clmle", first.dataset, first.attribute)
    margins, linked = _margins_of_link(), {} if template else shaping_of_link()
    configs = {}
    with st.expander("All options", expanded=bool(margins or linked)):
        place = f"{st.query_params.get('like', preset)}-{first.dataset}"  # defaults follow the data
        st.markdown("**Data**")
        chosen = ("dataset", "attribute", "size", "labels")
        key = f"data-{place}" + "-".join(linked.values())
        data = config_form(shaped(first, linked), "the data", key, chosen)
        st.markdown("**Training**, the same for every method")
        skipped = ("threads", "seed", "calibration")
        common = shared.train
        if margins:  # margin trials would choose a1 again
            common = dataclasses.replace(common, margin_trials=0)
        key = f"train-{place}" + "-".join(str(v) for v in margins.values())
        train = config_form(common, "training", key, skipped)
        calibration = _calibration(f"calibration-{place}")
        for name, base in bases.items():
            options = base.options
            if margins and all(hasattr(options, margin) for margin in margins):
                options = dataclasses.replace(options, within_weight=1.0, **margins)
            kind = training.preset_kind(dataclasses.replace(base, data=data))
            st.markdown(f"**Options of {name}**, {kind} preset")
            key = f"{name}-{place}-" + "-".join(str(v) for v in margins.values())
            if dataclasses.fields(options):
                options = config_form(options, name, key)
            own = dataclasses.replace(train, calibration=calibration or base.train.calibration)
            configs[name] = Config(name, options, data, own)
    return configs


def _calibration(key: str) -> str:
    """The calibration of every method, or "" for that of each method's preset."""
    field = TrainConfig.__dataclass_fields__["calibration"]
    if suggested := st.session_state.pop("suggested-calibration", ""):
        st.session_state[key] = suggested
    return st.selectbox(
        "Calibration", ("", *field.metadata["choices"]), help=field.metadata["help"], key=key,
        format_func=lambda how: f"{how}, of every method" if how else "the preset of each method",
    )  # fmt: skip


def _margins_of_link() -> dict[str, float]:
    """Margins in the page's address, as fractions of their bounds."""
    try:
        found = {n: float(st.query_params[n]) for n in MARGINS if n in st.query_params}
    except ValueError as error:
        raise InputError("The margins in this link are not numbers; reload the page.") from error
    return found if all(0 <= value <= 1 for value in found.values()) else {}


def _estimate(
    config: Config, runs: int, at_a_time: int, threads: int, opened: tuple[int, ...] | None
) -> None:
    """Estimated time, measured by a few steps of the network."""
    train = config.train
    info = data.find_dataset(config.data.dataset)
    heads = None
    if info is not None and config.data.attribute == "all":
        heads = len(info.target_names(config.data.dataset))
    # What the time of a step depends on:
    machine = dataclasses.replace(train, seed=0, iterations=1, calibration="none")
    side = config.data.image_size
    shape: tuple[int, ...] = (side, side, info.channels if info else 3)
    if opened is not None:
        shape = opened if len(opened) == 1 else (side, side, opened[-1])
    elif info is not None and info.feature_dim is not None:
        shape = (info.feature_dim(config.data.dataset) or 1,)
    step = _seconds(machine, shape, heads, threads)
    each = jobs.START + step * train.iterations
    text = f"About **{duration(each)}** per run: {train.iterations} steps of {train.batch_size} "
    text += f"images ({train.iterations * train.batch_size:,} in total)"
    if runs > 1:
        whole = duration(-(-runs // at_a_time) * each)
        text += f"; {runs} runs, {at_a_time} at a time: about **{whole}**"
    st.caption(text + ". Measured on this computer just now.")


@st.cache_data(max_entries=64, show_spinner="Measuring a step", ttl=3600)
def _seconds(train: TrainConfig, shape: tuple[int, ...], heads: int | None, threads: int) -> float:
    """Seconds of one step."""
    return jobs.estimate_run_seconds(train, shape, heads, threads=threads) - jobs.START


def _start(configs: list[Config], at_a_time: int) -> None:
    names = [run.name for run in launched(configs, at_a_time)]
    st.session_state[STARTED] = st.query_params.get("folder")
    st.query_params.from_dict({"runs": names})
    st.session_state.pop(PICKED, None)
    st.rerun()
