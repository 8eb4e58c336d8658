"""The paper beside the laboratory: its tables, and what was repaired and why."""

import pandas as pd
import streamlit as st

from app.widgets.error_display import sentences
from app.widgets.figure import kept, show_figure
from app.widgets.studies import SHIPPED, shipped_study, stamp
from app.widgets.table import show_table

RECOGNITION = (2, 3, 4)
# Room for the last letter's slant and for descenders: without it a formula that fits scrolls by two
# pixels, and what scrolls but holds nothing to focus shuts out who has no mouse. On a wide screen
# all formulas fit, and none may scroll, not even while its fonts are still on their way.
ROOM = (
    "<style>.katex-display {padding: 0 4px 8px; overflow-y: hidden} "
    "@media (min-width: 1200px) {.katex-display {overflow: visible !important}} "
    "@media (max-width: 640px) {.katex-display {font-size: 0.9em}}</style>"
)
HEADINGS = {
    "lfw_acc": "LFW accuracy, %", "ytf_acc": "YTF accuracy, %", "n_nets": "networks",
    "train_data": "training images", "rank1_1m": "rank 1, 1M distractors, %",
    "tar_at_far_1e-6": "TAR at FAR 1e-6, %", "celeba_balanced_acc": "CelebA balanced accuracy, %",
    "balanced_accuracy": "balanced accuracy, %", "imbalance_level": "imbalance level",
}  # fmt: skip


def tables() -> None:
    """One of Tables 2 to 7, published and measured apart."""
    from clmle.paper import CAPTIONS, table

    number = st.segmented_control(
        "Table of the paper", list(CAPTIONS), default=7, key="table", required=True,
        bind="query-params", format_func=lambda n: f"Table {n}",
    )  # fmt: skip
    st.subheader(f"Published: Table {number}")
    st.markdown(f"{CAPTIONS[number]}.")
    printed = table(number)
    show_table(printed.rename(columns=HEADINGS), f"paper-table-{number}")
    st.caption(
        "As printed in the paper, in per cent; an empty field is not in the paper or could not be "
        "read." + (" The order of Bangs and Blond Hair is a guess." if number == 5 else "")
    )
    st.subheader("Measured here")
    if number in RECOGNITION:
        recognized(number)
        return
    study, table_ = counterpart(number)
    if table_.empty:
        st.info("Not measured here yet: start the study on the page Ablations.")
        return
    number_ = st.column_config.NumberColumn
    config = {
        "paper": "in the paper", "here": "here",
        "balanced_accuracy": number_("balanced accuracy here, %", format="%.2f"),
        **{c: number_(c, format="%.2f") for c in ("low", "high")},
    }  # fmt: skip
    show_table(table_, f"measured-table-{number}", column_config=config)
    st.caption(
        f"Study {study.name}, {study.budget()}: the mean over "
        f"{', '.join(t.rsplit('/', 1)[-1].replace('_', ' ') for t in study.tasks)}, then over "
        "seeds; low and high: 95 % interval over seeds. Other data and small networks: the order "
        "of rows may be compared with the paper, their figures may not."
    )
    if number == 5:
        st.page_link(
            "views/attributes.py", label="Attribute by attribute, beside the paper's columns",
            icon=":material/face:",
        )  # fmt: skip
    else:
        st.page_link(
            "views/ablations.py", label=f"The study {study.name}", icon=":material/science:",
            query_params={"study": f"{study.name} (shipped)"},
        )  # fmt: skip


def recognized(number: int) -> None:
    """Methods of Tables 2 to 4 on illustrated people never seen, beside their published rows."""
    from clmle.studies.open_set_table import OPEN_SET_METRICS, open_set_frame
    from clmle.studies.paper_comparison import paper_comparison

    study = shipped_study("recognition")
    frame = open_set_frame(study.summaries) if study else pd.DataFrame()
    if frame.empty:
        st.info("Not measured here yet: start the study recognition on the page Ablations.")
        return
    table_ = paper_comparison(frame, number)
    number_ = st.column_config.NumberColumn
    shown = {f"published: {c}": f"published: {HEADINGS[c]}" for c in HEADINGS}
    config = {
        "paper": "in the paper",
        "here": "here",
        **{c: number_(words, format="%.2f") for c, words in shown.items()},
        **{c: number_(f"here: {words}", format="%.3f") for c, words in OPEN_SET_METRICS.items()},
        "spread": number_("spread of accuracy", format="%.3f"),
    }
    show_table(table_, f"measured-table-{number}", column_config=config)
    st.caption(
        f"Study {study.name}, {study.budget()}; seeds {', '.join(map(str, study.seeds))}. "
        "Published: per cent, photographs of other people, large networks. Here: shares, "
        "illustrated people who were not learned. The order of rows may be compared, figures not."
    )
    st.page_link(
        "views/recognition.py", label="Look at runs of your own", icon=":material/person_search:"
    )


def counterpart(number: int):
    """The shipped study that answers to a table, and its rows that are in the paper too."""
    from clmle.studies.paper_comparison import ATTRIBUTE_METHODS, COMPONENTS, measured

    if number == 7:
        study = shipped_study("table7")
        return study, measured(study, COMPONENTS) if study else pd.DataFrame()
    for name in ("screening", "leaderboard"):  # screening has more of the paper's methods
        study = shipped_study(name)
        found = measured(study, ATTRIBUTE_METHODS) if study else pd.DataFrame()
        if len(found) > 1:
            return study, found
    return study, found


@st.cache_resource(max_entries=4, show_spinner=False)
def worths(changed: tuple) -> dict:
    """Repair -> its worth and the study it is from; None where it was not measured alone.

    ``changed`` are the stamps of the shipped files.
    """
    from clmle.paper import REPAIRS
    from clmle.studies.statistics import reference_difference

    found = {}
    for repair in REPAIRS:
        name, variant = repair.trial or ("", "")
        study = shipped_study(name)
        d = reference_difference(study, variant) if study else None
        found[repair.name] = (d, study) if d else None
    return found


def repairs() -> None:
    """What all are worth; then each: formula, what happens, switch, worth."""
    from clmle import figures
    from clmle.paper import REPAIRS
    from clmle.paper.repairs import ALL_AT_ONCE
    from clmle.studies.statistics import reference_difference

    st.html(ROOM)  # before the formulas that it makes room for
    st.markdown(
        "Typed in as printed, the method judges nearly everything as the majority. "
        "`clmle-paper` keeps it to the letter; `clmle` repairs it, each repair by a switch of "
        "its own. The *worth* of one is the balanced accuracy of the method with all repairs "
        "minus that of the method without this one."
    )
    found = worths(tuple(stamp(path) for path in sorted(SHIPPED.glob("*.jsonl"))))
    shown = {name: (d.mean, d.low, d.high) for name, (d, _) in measured_ones(found).items()}
    study = shipped_study(ALL_AT_ONCE[0])
    together = reference_difference(study, ALL_AT_ONCE[1]) if study else None
    if together:
        shown = {"All of them together": (together.mean, together.low, together.high)} | shown
    if shown:
        rows = repair_rows(found)
        show_figure(
            kept(
                figures.differences,
                shown,
                "What each repair is worth",
                "gain in balanced accuracy, 95 % interval",
            ),
            "worth-of-repairs",
            rows,
        )
        if together:
            st.caption(f"All together {together.mean:+.3f}. {said(together, study)}")
        digits = {
            c: st.column_config.NumberColumn(format="%+.3f") for c in ("worth", "low", "high")
        }
        show_table(rows, "repairs", column_config=digits)
    for i, repair in enumerate(REPAIRS, start=1):
        st.subheader(f"{i}. {repair.name}")
        one_repair(repair, found[repair.name])


def measured_ones(found: dict) -> dict:
    return {name: pair for name, pair in found.items() if pair}


def one_repair(repair, measured) -> None:
    """Formulas side by side, the switch, the worth."""
    from clmle.studies.catalog import STUDIES

    left, right = st.columns(2)
    with left:
        st.markdown(f"**As printed** ({repair.where})")
        st.latex(repair.printed)
        st.markdown(repair.happens)
    with right:
        st.markdown("**Repaired**")
        st.latex(repair.repaired)
        st.markdown(repair.instead)
    before, after = repair.switches
    st.markdown(f"Switch: `{before}` → `{after}`")
    if measured:
        d, study = measured
        st.markdown(f"Worth **{d.mean:+.3f}**: {said(d, study)}")
    elif repair.trial is not None:
        name = repair.trial[0]
        st.markdown(f"Not measured alone yet: the study {name} does ({STUDIES[name].title}).")
        st.page_link(
            "views/ablations.py", label=f"Start the study {name}",
            query_params={"starting": "true", "new": name}, icon=":material/science:",
        )  # fmt: skip
    else:
        st.markdown("A bound, not a part that can be left out: see the figures below.")


def repair_rows(found: dict):
    """All repairs as a table."""
    from clmle.paper import REPAIRS

    rows = []
    for repair in REPAIRS:
        d, study = found[repair.name] or (None, None)
        before, after = repair.switches
        rows.append(
            {
                "repair": repair.name, "worth": d and d.mean, "low": d and d.low,
                "high": d and d.high, "cells won": d and d.won, "of cells": d and d.trials,
                "seeds": d and d.seeds, "study": study.name if study else "",
                "without it": d.second if d else "", "printed": before, "repaired": after,
                "where": repair.where,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def said(d, study) -> str:
    """The interval and the cells behind a worth."""
    from clmle.studies import task_label

    span = "one seed, no interval"
    if d.low is not None:
        span = f"95 % interval over {d.seeds} seeds {d.low:+.3f} to {d.high:+.3f}"
    ratios = [f"{r:g} : 1" for r in study.values("data.ratio") if r > 1]
    thinned = f", thinned to {', '.join(ratios)}" if ratios else ""
    return (
        f"{span}; {d.won} of {d.trials} trials won. Study {study.name}: {d.first} minus {d.second} "
        f"on {d.tasks} tasks ({', '.join(map(task_label, study.tasks))}){thinned}."
    )


def bounds() -> None:
    """The two bounds of Fig. 4, printed and repaired."""
    from clmle import figures, margin_bounds

    dim = st.select_slider("Dimensions of the features", [2, 8, 64, 256, 512], 64, key="dim",
                           bind="query-params")  # fmt: skip
    left, right = st.columns(2)
    with left:
        figure = kept(figures.between_bounds, dim)
        show_figure(figure, "paper-between-bounds", traces(figure, "classes", "a1"))
        st.caption(
            f"For 10,575 classes the printed bound is {margin_bounds([1] * 10_575).between:.1e}, "
            f"that on the sphere {margin_bounds([1] * 10_575, dim).between_sphere:.2f}."
        )
    with right:
        figure = kept(figures.within_bounds)
        show_figure(figure, "paper-within-bounds", traces(figure, "share", "a2"))
        st.caption("A class with over half of the images has points half a turn apart.")
    st.page_link("views/margins.py", label="Margins of your own class counts",
                 icon=":material/straighten:")  # fmt: skip


def traces(figure, x: str, y: str):
    """The lines of a figure as a table."""
    return pd.concat(pd.DataFrame({"line": t.name, x: t.x, y: t.y}) for t in figure.data)


st.title("Paper")
st.markdown(
    "C. Huang, Y. Li, C. C. Loy, X. Tang, *Deep Imbalanced Learning for Face Recognition and "
    "Attribute Prediction*: its tables beside what is measured here, and what had to be repaired."
)
part = st.segmented_control(
    "Part", ["Repairs", "Tables"], default="Repairs", key="part", bind="query-params",
    required=True, label_visibility="collapsed",
)  # fmt: skip
with sentences():
    if part == "Tables":
        st.header("Tables 2 to 7")
        tables()
    else:
        st.header("What was repaired, and why")
        repairs()
        st.header("Upper bounds of the margins")
        bounds()
