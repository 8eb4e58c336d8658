"""A grid of margins: asked for, watched, seen as a heat map, the best pair handed to Train."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from app.widgets.error_display import sentences
from app.widgets.figure import kept, show_figure
from app.widgets.studies import open_study
from app.widgets.study_card import study_cards
from clmle.studies.margin_grid import PREFIX, MarginGrid, margin_grid, margin_request

BETWEEN = [0.05, 0.125, 0.25, 0.5, 0.75, 1.0]
WITHIN = [0.05, 0.125, 0.25, 0.5]


def margin_search() -> None:
    """The form, the searches there are, and the map of one of them."""
    from clmle.studies.background import background_studies

    with st.expander("Search a grid of both margins", icon=":material/grid_on:"), sentences():
        _form()
    studies = [s for s in background_studies() if s.name.startswith(PREFIX)]
    if not studies:
        st.caption(
            "No search yet: open the form above; on digits a search of six pairs takes minutes."
        )
        return
    study_cards(studies)
    names = [s.name for s in studies]
    name = names[0] if len(names) == 1 else st.selectbox("Map of", names)
    chosen = studies[names.index(name)]
    with sentences():
        summaries = open_study(chosen.results).summaries if chosen.results.exists() else []
        found = margin_grid(summaries)
        if found is None:
            st.caption("Its map appears with its first result.")
        else:
            _map(found, chosen.name)


def _form() -> None:
    from clmle.data import dataset_info, dataset_names
    from clmle.presets import PRESETS
    from clmle.studies.background import free_name, start_study

    left, middle, right = st.columns(3)
    dataset = left.selectbox("Data", dataset_names())
    targets = dataset_info(dataset).target_names()
    attribute = middle.selectbox("Attribute", targets) if len(targets) > 1 else ""
    preset = right.segmented_control("Budget", list(PRESETS), default="quick", required=True)
    left, middle, right = st.columns(3)
    between = left.multiselect(
        "a1, shares of its bound", BETWEEN, [0.05, 0.125, 0.5], help="on the sphere", wrap=True
    )
    within = middle.multiselect(
        "a2, shares of its bound", WITHIN, [0.05, 0.25], help="by arcs", wrap=True
    )
    n_seeds = int(right.number_input("Seeds", 1, 10, 2))
    if not between or not within:
        st.info("Choose at least one share of each margin.")
        return
    request = margin_request(
        sorted(between), sorted(within), dataset, attribute, range(n_seeds), str(preset)
    )
    cells = len(between) * len(within) * n_seeds
    st.caption(f"{cells} cells: {len(between)} × {len(within)} pairs, {n_seeds} seeds each.")
    if st.button("Start the search", type="primary", icon=":material/play_arrow:"):
        stem = PREFIX + (f"{dataset}-{attribute}" if attribute else dataset)
        start_study(request, free_name(request, stem))
        st.rerun()


def _map(grid: MarginGrid, name: str) -> None:
    from clmle import figures

    rows = [f"a1 {v:g}" for v in grid.between]
    columns = [f"a2 {v:g}" for v in grid.within]
    data = pd.DataFrame([
        {"between_margin_fraction": a1, "within_margin_fraction": a2, "validation": grid.validation[i, j],
         "spread": grid.spread[i, j], "test": grid.test[i, j]}
        for i, a1 in enumerate(grid.between) for j, a2 in enumerate(grid.within)
    ])  # fmt: skip
    show_figure(
        kept(
            figures.two_factors, grid.validation, rows, columns,
            "Balanced accuracy on validation images",
            "share of the bound of a2", "share of the bound of a1", spreads=grid.spread,
        ),
        f"margin-grid-{name}",
        data,
    )  # fmt: skip
    i, j = grid.best
    a1, a2 = grid.between[i], grid.within[j]
    st.markdown(
        f"Best on validation images: **a1 {a1:g}, a2 {a2:g}** of their bounds, "
        f"{grid.validation[i, j]:.3f}; on test images {grid.test[i, j]:.3f}. The best of many is "
        "flattered on the images it was chosen by; pairs within a spread of it are as good."
    )
    st.page_link(
        "views/train.py", label="Take this pair to Train", icon=":material/model_training:",
        query_params=_link(a1, a2),
    )  # fmt: skip


def _link(a1: float, a2: float) -> dict[str, Any]:
    return {"between_margin_fraction": f"{a1:g}", "within_margin_fraction": f"{a2:g}"}
