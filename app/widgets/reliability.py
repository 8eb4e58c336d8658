"""Whether the probabilities of a run are right: reliability diagram, Brier score, error."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.widgets.figure import cached, show_figure
from app.widgets.table import show_table
from app.widgets.terms import meaning
from clmle import RunFolder, figures, metrics


def reliability_of(run: RunFolder, found: Any) -> None:
    """Reliability of the probabilities of one class of the test images."""
    left, right = st.columns(2)
    names = found.class_names
    c = left.selectbox(
        "Class", range(len(names)), index=int(np.argmin(found.class_counts)),
        format_func=lambda i: names[i], key=f"reliability-{run.name}-{found.target}",
    )  # fmt: skip
    even = right.toggle(
        "Bins of equally many images",
        key="equal-bins",
        bind="query-params",
        help="of a rare class, nearly all probabilities are in the first bin of equal width",
    )
    test = found.test
    result = cached(metrics.calibration_metrics, test.labels, test.probabilities)
    bins = cached(metrics.reliability_bins, *test.detection(c), equal_counts=bool(even))
    left, right = st.columns(2)
    with left:
        title = f"Reliability of the probability of {names[c]}"
        show_figure(cached(figures.reliability, bins, title), "reliability", _table(bins))
    with right:
        _numbers(result, names[c], c)
        st.caption(
            f"Probabilities are fitted on {len(found.validation.labels):,} validation images "
            "(Platt scaling; temperature scaling with an offset per class for more classes) and "
            f"evaluated on {len(test.labels):,} test images. Bins of few images say little."
        )
        show_table(_table(bins), "reliability-bins")


def _numbers(result: dict[str, Any], name: str, c: int) -> None:
    """Brier score and calibration errors side by side."""
    skill, each = result["brier_skill"], result["class_calibration_error"]
    rows = [
        ("Brier score", result["brier_score"], meaning("Brier score")),
        ("Brier skill", skill, meaning("Brier skill")),
        ("Calibration error", result["calibration_error"],
         f"{meaning('calibration error')} Of the predicted class, 10 bins of equal width."),
        (f"of {name}", each and each[c], "The same of this class against the rest."),
    ]  # fmt: skip
    with st.container(horizontal=True):
        for text, value, explained in rows:
            shown = "–" if value is None else f"{value:.4f}"
            st.metric(text, shown, width="content", help=explained)


def _table(bins: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"from": b["low"], "to": b["high"], "images": b["n"],
             "mean probability": b["probability"], "observed": b["frequency"],
             "low": b["interval"][0], "high": b["interval"][1]}
            for b in bins
        ]
    ).round(4)  # fmt: skip
