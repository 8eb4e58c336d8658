"""The two margins and their upper bounds, as printed and corrected."""

import math

import numpy as np
import pandas as pd
import streamlit as st

from app.widgets.data_facts import plain
from app.widgets.error_display import errors_in_place
from app.widgets.figure import cached, show_figure
from app.widgets.margin_search import margin_search
from app.widgets.new_runs import numbers
from app.widgets.runs import all_runs, label
from app.widgets.sticky import sticky
from app.widgets.table import show_table
from app.widgets.terms import meaning
from clmle import InputError, figures, margin_bounds

PAGE = {"title": "Margins", "icon": ":material/straighten:", "order": 80}

OWN = "my own numbers"
SCALES = [1, 2, 4, 8, 16, 32, 64]
MAX_ROWS = 50  # of the table; data sets can have thousands of classes


def feasible(bounds, n_other: int, scale: float) -> str:
    """The largest feasible a1 in words: no margin is feasible where the formula is negative."""
    value = bounds.feasible_between(n_other, scale)
    return f"{value:.3f}" if value > 0 else "none"


st.title("Margins")
st.markdown(
    "A margin is a difference of cosines. **a1** separates clusters of different classes, **a2** "
    "clusters of one class. The paper derives an upper bound for each on a circle; the features "
    "lie on a sphere, where the bound differs."
)

with errors_in_place():
    runs = {run.name: run for run in all_runs() if run.result() is not None}
    source = st.selectbox(
        "Class counts of", [OWN, *runs], key="counts", bind="query-params",
        format_func=lambda name: label(runs[name]) if name in runs else name,
    )  # fmt: skip
    scale = margin = None
    if source in runs:
        result = runs[source].result() or {}
        counts = result["class_counts"]
        if "attributes" in result:
            one = st.selectbox(
                "Attribute", result["attributes"], key="attribute", bind="query-params",
                format_func=plain,
            )  # fmt: skip
            counts = counts[result["attributes"].index(one)]
        dim = runs[source].config()["train"]["feature_dim"]
        scale, margin = result["chosen"].get("scale"), result["chosen"].get("between_margin")
    else:
        left, right = st.columns(2)
        text = left.text_input(
            "Images of each class", "5631, 369", key="images", bind="query-params"
        )
        dim = int(
            right.number_input(
                "Dimensions of the features", 1, 4096, 64, key="dim", bind="query-params"
            )
        )
        counts = numbers(text, float, "Images of each class", distinct=False)
        if len(counts) < 2 or not all(1 <= count < math.inf for count in counts):
            raise InputError(
                f"Images of each class are {text!r}; margins separate two classes or more with "
                "an image each: enter their counts separated by commas, such as 900, 90."
            )
    bounds = margin_bounds(counts, dim)
    left, drawn = st.columns([1, 2], gap="medium")  # the figure next to what changes it
    with left:
        with sticky("margin-sliders"):
            n_other = int(
                st.slider(
                    "Other clusters in the denominator, K'", 1, 30, 6, key="others",
                    bind="query-params",
                )
            )  # fmt: skip
            chosen = float(
                st.select_slider("Scale s", SCALES, value=8, key="scale", bind="query-params")
            )
        values = (
            ("Bound of a1, printed", f"{bounds.between:.4g}", meaning("margin")),
            ("Bound of a1, sphere", f"{bounds.between_sphere:.4g}", None),
            (
                "Largest feasible a1", feasible(bounds, n_other, chosen),
                "bound - log(K') / s: with the sum in the denominator, the hinge of Eq. 9 can "
                "reach zero up to this margin; none where this is not above 0",
            ),
            ("The same at s = 1", feasible(bounds, n_other, 1.0), None),
        )  # fmt: skip
        with st.container(horizontal=True):
            for text, value, help in values:
                st.metric(text, value, help=help, width="content")
    region = (bounds.between_sphere, n_other, scale, margin)
    with drawn:
        show_figure(cached(figures.feasible_region, *region, at=chosen), "feasible-margins")
    table = pd.DataFrame(
        {
            "class": np.arange(bounds.n_classes),
            "fraction of images": bounds.proportions,
            "bound of a2, printed": bounds.within,
            "bound of a2, corrected": bounds.within_arc,
        }
    )
    left, right = st.columns(2)
    with left:
        show_figure(cached(figures.between_bounds, dim, bounds.n_classes), "between-bounds")
        st.caption(
            "On a circle C points are at most 2π/C apart. In d dimensions d + 1 classes can all "
            "be more than a right angle apart."
        )
    with right:
        show_figure(cached(figures.within_bounds, bounds.proportions[:20]), "within-bounds", table)
        st.caption(
            "A class with more than half of the images spans half a circle; the printed bound "
            "falls back to zero there."
        )
    show_table(table, "margin-bounds", shown=table.head(MAX_ROWS))
    if len(table) > MAX_ROWS:
        st.caption(f"The first {MAX_ROWS} of {len(table):,} classes; downloads contain all.")

st.header("Search for margins")
with errors_in_place():
    margin_search()
