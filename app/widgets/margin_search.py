"""A search over both margins: start it, watch it, see a heat map, pass the best pair to Train."""

from typing import Any

import pandas as pd
import streamlit as st

from app.visitors import may_start_studies
from app.widgets.error_display import errors_in_place
from app.widgets.figure import cached, show_figure
from app.widgets.pages import link
from app.widgets.studies import open_study
from app.widgets.study_card import study_cards
from clmle import data, studies, training

BETWEEN = [0.05, 0.125, 0.25, 0.5, 0.75, 1.0]
WITHIN = [0.05, 0.125, 0.25, 0.5]


def margin_search() -> None:
    """The form, the searches, and the heat map of one of them."""
    if may_start_studies():
        with (
            st.expander("Search over both margins", icon=":material/grid_on:"),
            errors_in_place(),
        ):
            _form()
    found = [s for s in studies.background_studies() if s.name.startswith(studies.MARGIN_PREFIX)]
    if not found:
        st.caption(
            "No search yet: open the form above. A search of six pairs on digits takes minutes."
        )
        return
    study_cards(found)
    names = [s.name for s in found]
    name = names[0] if len(names) == 1 else st.selectbox("Heat map of", names)
    chosen = found[names.index(name)]
    with errors_in_place():
        summaries = open_study(chosen.results).summaries if chosen.results.exists() else []
        grid = studies.margin_grid(summaries)
        if grid is None:
            st.caption("The heat map appears with the first result.")
        else:
            _heat_map(grid, chosen.name, summaries[0])


def _form() -> None:
    left, middle, right = st.columns(3)
    infos = {name: data.dataset_info(name) for name in sorted(data.dataset_names())}
    dataset = left.selectbox("Data", [n for n, i in infos.items() if i.kind != "identities"])
    targets = infos[dataset].target_names()
    attribute = middle.selectbox("Attribute", targets) if len(targets) > 1 else ""
    preset = right.segmented_control(
        "Budget", list(training.PRESETS), default="quick", required=True
    )
    left, middle, right = st.columns(3)
    between = left.multiselect(
        "a1, fractions of its bound", BETWEEN, [0.05, 0.125, 0.5], wrap=True,
        help="of the bound on the sphere",
    )  # fmt: skip
    within = middle.multiselect(
        "a2, fractions of its bound", WITHIN, [0.05, 0.25], help="of the corrected bound", wrap=True
    )
    n_seeds = int(right.number_input("Seeds", 1, 10, 2))
    if not between or not within:
        st.info("Choose at least one fraction for each margin.")
        return
    request = studies.margin_request(
        sorted(between), sorted(within), dataset, attribute, range(n_seeds), str(preset)
    )
    trials = len(between) * len(within) * n_seeds
    st.caption(f"{trials} trials: {len(between)} × {len(within)} pairs, {n_seeds} seeds each.")
    if st.button("Start the search", type="primary", icon=":material/play_arrow:"):
        stem = studies.MARGIN_PREFIX + (f"{dataset}-{attribute}" if attribute else dataset)
        studies.start_study(request, studies.free_name(request, stem))
        st.rerun()


def _heat_map(grid: Any, name: str, chosen: Any) -> None:
    from clmle import figures

    rows = [f"a1 {v:g}" for v in grid.between]
    columns = [f"a2 {v:g}" for v in grid.within]
    data = pd.DataFrame([
        {"between_margin_fraction": a1, "within_margin_fraction": a2,
         "validation": grid.validation[i, j], "spread": grid.spread[i, j], "test": grid.test[i, j]}
        for i, a1 in enumerate(grid.between) for j, a2 in enumerate(grid.within)
    ])  # fmt: skip
    show_figure(
        cached(
            figures.two_factors, grid.validation, rows, columns,
            "Balanced accuracy on validation images",
            "fraction of the bound of a2", "fraction of the bound of a1", spreads=grid.spread,
        ),
        f"margin-grid-{name}",
        data,
    )  # fmt: skip
    i, j = grid.best
    a1, a2 = grid.between[i], grid.within[j]
    st.markdown(
        f"Best on validation images: **a1 {a1:g}, a2 {a2:g}** of their bounds, balanced accuracy "
        f"{grid.validation[i, j]:.3f}; on test images {grid.test[i, j]:.3f}. The validation value "
        "of the best of many pairs is optimistic; pairs within one standard deviation are as good."
    )
    pair = {"between_margin_fraction": f"{a1:g}", "within_margin_fraction": f"{a2:g}"}
    config = chosen["config"]
    where = {"data": config["data"]["dataset"], "attribute": config["data"]["attribute"]}
    link("train", "Train with this pair", **{k: v for k, v in where.items() if v}, **pair)
