"""The threshold of one class: errors and their cost next to the slider, curves below."""

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.widgets.error_display import errors_in_place
from app.widgets.figure import cached, show_figure
from app.widgets.literal import literal
from app.widgets.sticky import sticky
from app.widgets.table import show_table
from clmle import RunFolder, figures, metrics

STEPS = np.round(1 / (1 + np.exp(-np.linspace(-8, 8, 129))), 5)  # even in log-odds
ENDS = (1e-4, 1 - 1e-4)


def threshold_and_cost(run: RunFolder, found: Any) -> None:
    """Choose the class to detect and the costs; then the threshold, at once."""
    names = found.class_names
    usable = _detectable(found)
    if not usable:
        st.info("No class has both validation and test images, so no threshold can be chosen.")
        return
    left, middle, right = st.columns([2, 1, 1])
    c = left.selectbox(
        "Class to detect", usable, index=int(np.argmin(np.asarray(found.class_counts)[usable])),
        format_func=lambda i: names[i], key=f"positive-{run.name}-{found.target}",
        help="the rarest class in training is preset; it needs validation and test images",
    )  # fmt: skip
    missed = middle.number_input(
        "Cost of a miss", 0.01, 1e6, 10.0, key="cost-miss", bind="query-params",
        help="of one image of this class that is not recognized",
    )  # fmt: skip
    alarm = right.number_input(
        "Cost of a false alarm", 0.01, 1e6, 1.0, key="cost-alarm", bind="query-params",
        help="of one image of another class that is taken for this one",
    )  # fmt: skip
    _slider(run.name, found, c, float(missed), float(alarm))
    _cost_curve(found, c, float(missed), float(alarm))


def _detectable(found: Any) -> list[int]:
    """Classes that validation and test images both have, next to another class."""
    parts = [np.asarray(part.labels) for part in (found.validation, found.test)]
    seen = [set(labels[labels >= 0].tolist()) for labels in parts]
    return sorted(set.intersection(*seen)) if min(map(len, seen)) > 1 else []


@st.fragment
def _slider(run: str, found: Any, c: int, missed: float, alarm: float) -> None:
    """The slider with its counts; only this part is drawn again when it moves."""
    with errors_in_place():
        name = found.class_names[c]
        best = metrics.threshold_for_cost(
            *found.validation.detection(c), false_negative=missed, false_positive=alarm
        )
        chosen = float(np.clip(best, *ENDS))
        left, right = st.columns([1, 1])
        with left:
            threshold = sticky("threshold-bar").select_slider(
                f"Predict {literal(name)} from this probability on",
                sorted({*STEPS.tolist(), chosen}), chosen,
                key=f"threshold-{run}-{found.target}-{c}-{missed:g}-{alarm:g}",
                format_func=lambda t: f"{t:.3g}, chosen" if t == chosen else f"{t:.3g}",
                help="preset: the lowest cost on validation images",
            )  # fmt: skip
            _counts(found, c, threshold, chosen, missed, alarm)
            _precision_recall(found, c, threshold, chosen)
        with right:
            _costs(found, c, threshold, chosen, missed, alarm)
            n = found.test.counts(c, threshold)
            counts = [[n["true_negatives"], n["false_positives"]],
                      [n["false_negatives"], n["true_positives"]]]  # fmt: skip
            other = f"not {name}"
            if len(found.class_names) == 2:
                other = found.class_names[1 - c]
            kinds = [other, name]
            show_figure(
                cached(figures.confusion, counts, kinds, "Test images at this threshold"),
                "threshold-confusion",
                pd.DataFrame(counts, index=kinds, columns=kinds).reset_index(names="true"),
            )  # fmt: skip


def _counts(
    found: Any, c: int, threshold: float, chosen: float, missed: float, alarm: float
) -> None:
    """Errors on test images, their cost, and what the slider changes."""
    now, preset = found.test.counts(c, threshold), found.test.counts(c, chosen)
    per = 1000 / len(found.test.labels)
    moved = threshold != chosen
    with st.container(horizontal=True):
        for text, key in (("Missed", "false_negatives"), ("False alarms", "false_positives")):
            change = now[key] - preset[key] if moved else None
            st.metric(text, f"{now[key]:,}", change, delta_color="inverse", width="content")
        cost = per * metrics.cost_of(now, missed, alarm)
        change = cost - per * metrics.cost_of(preset, missed, alarm)
        st.metric(
            "Cost per 1,000 images", f"{cost:,.1f}", f"{change:+,.1f}" if moved else None,
            delta_color="inverse", width="content",
        )  # fmt: skip
    compared = "Arrows: change from the chosen threshold. " if moved else ""
    low, high = now["recall_interval"]
    text = f"Recall {now['recall']:.3f} ({low:.3f} to {high:.3f})"
    if now["precision"] is not None:
        low, high = now["precision_interval"]
        text += f", precision {now['precision']:.3f} ({low:.3f} to {high:.3f})"
    st.caption(
        f"{compared}{text}, 95 % intervals; {len(found.test.labels):,} test images. The threshold "
        f"{chosen:.3g} has the lowest cost on {len(found.validation.labels):,} validation images."
    )
    ways = {
        "chosen threshold": preset, "classifier of the run": found.test.counts(c),
        "always this class": found.test.counts(c, metrics.ALWAYS),
        "never this class": found.test.counts(c, metrics.NEVER),
    }  # fmt: skip
    rows = [
        {"predictions": way, "cost per 1,000": per * metrics.cost_of(n, missed, alarm),
         "missed": n["false_negatives"], "false alarms": n["false_positives"]}
        for way, n in ways.items()
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    number = st.column_config.NumberColumn(format="%.1f")
    show_table(frame, "costs", column_config={"cost per 1,000": number})


def _costs(
    found: Any, c: int, threshold: float, chosen: float, missed: float, alarm: float
) -> None:
    """Cost of every threshold, on validation and on test images."""
    lines = {}
    for name, part in (("validation images", found.validation), ("test images", found.test)):
        positive, p = part.detection(c)
        misses, alarms = metrics.errors_at(positive, p, STEPS)
        lines[name] = 1000 * (missed * misses + alarm * alarms) / len(part.labels)
    show_figure(
        cached(figures.cost_by_threshold, STEPS, lines, chosen, threshold), "cost-by-threshold",
        pd.DataFrame({"threshold": STEPS, **lines}),
    )  # fmt: skip
    st.caption("The minimum of the test images is no choice that could have been made.")


def _precision_recall(found: Any, c: int, threshold: float, chosen: float) -> None:
    """Precision-recall curve with the points of the two thresholds."""
    positive, p = found.test.detection(c)
    points = metrics.operating_points(positive, p)
    hits, alarms = points.true_positives[1:], points.false_positives[1:]
    recall, precision = hits / points.n_positive, hits / (hits + alarms)
    area = float(np.diff(recall, prepend=0.0) @ precision)
    kept = np.unique(np.linspace(0, len(recall) - 1, min(len(recall), 400)).round().astype(int))
    marks = {}
    for name, value in (("chosen", chosen), ("slider", threshold)):
        n = found.test.counts(c, value)
        if n["precision"] is not None and (name == "chosen" or value != chosen):
            marks[f"{name}, {value:.3g}"] = (n["recall"], n["precision"])
    name = found.class_names[c]
    show_figure(
        cached(
            figures.precision_recall_curves, {name: (recall[kept], precision[kept], area)},
            float(positive.mean()), f"Precision and recall of {name}", marks=marks,
        ),
        "threshold-precision-recall",
        pd.DataFrame({"recall": recall, "precision": precision}),
    )  # fmt: skip


def _cost_curve(found: Any, c: int, missed: float, alarm: float) -> None:
    """Cost curve of the probabilities of the class."""
    with st.expander("Other costs and class frequencies"), errors_in_place():
        parts = found.validation.detection(c), found.test.detection(c)
        curves = {
            "thresholds from validation images": cached(metrics.validated_cost_curve, *parts),
            "best thresholds of the test images": cached(metrics.cost_curve, *parts[1]),
        }
        at = metrics.probability_cost(float(parts[1][0].mean()), missed, alarm)
        table = pd.DataFrame({"probability cost": curves["best thresholds of the test images"][0],
                              **{name: y for name, (_, y) in curves.items()}})  # fmt: skip
        show_figure(cached(figures.cost_curves, curves, at), "cost-curves", table)
        st.caption(
            "Probability cost: 0 where only false alarms count, 1 where only misses do. The "
            "vertical line marks the stated costs at the frequency of the class in the test images."
        )
