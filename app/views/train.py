"""Choose data and methods, start runs, watch them."""

import dataclasses
import os

import streamlit as st

from app.widgets.guard import sentences
from app.widgets.live import live
from app.widgets.runs import all_runs, chosen_runs
from app.widgets.settings import settings_form


def attribute_of(place, names) -> str:
    """One attribute, or all of them together."""
    return place.selectbox(
        "Attribute",
        [*names, "all"],
        format_func=lambda name: "all together" if name == "all" else name,
    )


def new_runs() -> None:
    """The form; starts one run for each method."""
    from clmle.data import dataset_names, face_attributes, load_folder
    from clmle.data.solar_cells import TARGETS as SOLAR_TARGETS
    from clmle.data.toonfaces import ATTRIBUTES
    from clmle.experiments import launch
    from clmle.methods import get_method, method_names
    from clmle.presets import PRESETS, has_identities, preset_settings

    first, second, third = st.columns(3)
    dataset = first.selectbox("Data", [*dataset_names(), "my own folder"])
    target, labels, attributes = "", "", None
    if dataset == "toonfaces":
        target = attribute_of(second, ATTRIBUTES)
    elif dataset == "solar-cells":
        target = second.selectbox("Attribute or label", SOLAR_TARGETS)
    elif dataset == "my own folder":
        dataset = second.text_input("Folder of images", placeholder="/path/to/images")
        attributes = face_attributes(dataset) if dataset else None
        if attributes is not None:
            target = attribute_of(second, attributes)
        else:
            labels = second.text_input("CSV of labels (not needed for one folder a class)")
    preset = third.segmented_control("Budget", list(PRESETS), default="quick") or "quick"
    methods = st.multiselect(
        "Methods, side by side",
        method_names(),
        default=["clmle", "softmax"],
        format_func=lambda name: f"{get_method(name).title} ({name})",
    )
    for name in methods:
        st.caption(f"**{get_method(name).title}**: {get_method(name).summary}")
    with st.expander("Every setting"):
        base = preset_settings(preset, "clmle", dataset or "toonfaces", target)
        st.markdown("**Data**")
        skipped = ("dataset", "attribute", "size", "labels")
        data = settings_form(base.data, "data", f"data-{preset}-{dataset}", skipped)
        st.markdown("**Training**, the same for every method")
        form = f"train-{preset}-{dataset}"  # of its own: defaults follow the data
        train = settings_form(base.train, "training", form, ("threads",))
        options = {}
        for name in methods:
            if dataclasses.fields(get_method(name).Options):
                st.markdown(f"**Options of {name}**")
                own = preset_settings(preset, name, dataset or "toonfaces").options
                options[name] = settings_form(own, name, f"{name}-{preset}-{dataset}")
    if st.button("Start", type="primary", icon=":material/play_arrow:", disabled=not methods):
        of_files = labels or dataset not in dataset_names()
        if of_files and attributes is None and not has_identities(dataset):
            # Names what is wrong with the folder before any run is made.
            load_folder(dataset or "?", labels=labels or None, image_size=data.image_size)
        threads = max(1, (os.cpu_count() or 2) // len(methods))
        data = dataclasses.replace(data, dataset=dataset, attribute=target, labels=labels)
        data = dataclasses.replace(data, size=base.data.size)
        names = []
        for name in methods:
            settings = preset_settings(preset, name, dataset, target)
            settings = dataclasses.replace(
                settings,
                data=data,
                train=dataclasses.replace(train, threads=threads),
                options=options.get(name, settings.options),
            )
            names.append(launch(settings).name)
        st.query_params["runs"] = names
        st.session_state.pop("pick-runs", None)
        st.rerun()


st.title("Train")
with sentences():
    with st.expander("New runs", expanded=not all_runs()), sentences():
        new_runs()
    if not all_runs():
        st.info("No run yet. Choose methods above and press Start.", icon=":material/info:")
    else:
        runs = chosen_runs()
        if runs:
            live(runs, "train")
            with st.expander("Settings of these runs"):
                for run in runs:
                    st.json({"run": run.name, **run.settings()}, expanded=False)
