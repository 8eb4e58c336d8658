"""The two margins against their upper bounds, printed and repaired."""

import streamlit as st

from app.widgets.error_display import sentences
from app.widgets.figure import kept, show_figure
from app.widgets.margin_search import margin_search
from app.widgets.runs import all_runs, label
from app.widgets.table import show_table

OWN = "my own numbers"
SCALES = [1, 2, 4, 8, 16, 32, 64]
MOST_ROWS = 50  # of the table; data sets have thousands of classes

st.title("Margins")
st.markdown(
    "A margin is a difference of cosines. **a1** keeps clusters of different classes apart, "
    "**a2** clusters of one class. The paper derives an upper bound of each on a circle; "
    "features live on a sphere."
)

with sentences():
    import numpy as np
    import pandas as pd

    from clmle import figures, margin_bounds

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
                format_func=lambda name: name.replace("_", " "),
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
        try:
            counts = [float(part) for part in text.replace(";", ",").split(",") if part.strip()]
        except ValueError:
            st.error(f"{text!r} is not a list of numbers; write for example 5631, 369.")
            st.stop()
    bounds = margin_bounds(counts, dim)
    left, right = st.columns(2)
    n_other = int(
        left.slider(
            "Other clusters in the denominator, K'", 1, 30, 6, key="others", bind="query-params"
        )
    )
    chosen = float(
        right.select_slider("Scale s", SCALES, value=8, key="scale", bind="query-params")
    )
    reached = bounds.feasible_between(n_other, chosen)
    first, second, third, fourth = st.columns(4)
    first.metric("a1 bound, printed", f"{bounds.between:.4g}")
    second.metric("a1 bound, sphere", f"{bounds.between_sphere:.4g}")
    third.metric(
        "largest a1 with the sum",
        f"{reached:.3f}",
        help="bound - log(K') / s: where the hinge of Eq. 9 can still reach zero",
    )
    fourth.metric("the same at s = 1", f"{bounds.feasible_between(n_other, 1.0):.3f}")
    table = pd.DataFrame(
        {
            "class": np.arange(bounds.n_classes),
            "share": bounds.proportions,
            "a2 bound, printed": bounds.within,
            "a2 bound, repaired": bounds.within_arc,
        }
    )
    left, right = st.columns(2)
    with left:
        show_figure(kept(figures.between_bounds, dim, bounds.n_classes), "between-bounds")
        st.caption(
            "On a circle C points are at most 2π/C apart; in d dimensions d + 1 classes can all "
            "be farther apart than a right angle."
        )
    with right:
        show_figure(kept(figures.within_bounds, bounds.proportions[:20]), "within-bounds", table)
        st.caption(
            "A class with over half of the images has points half a turn apart; the printed "
            "bound falls back to zero there."
        )
    show_figure(
        kept(figures.feasible_region, bounds.between_sphere, n_other, scale, margin, at=chosen),
        "feasible-margins",
    )
    show_table(table, "margin-bounds", shown=table.head(MOST_ROWS))
    if len(table) > MOST_ROWS:
        st.caption(f"The first {MOST_ROWS} of {len(table):,} classes; saved are all.")

st.header("Try them")
with sentences():
    margin_search()
