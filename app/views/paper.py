"""The paper's claims and tables next to results here, and the corrections of its equations."""

from collections import Counter
from pathlib import Path

import pandas as pd
import streamlit as st

from app.widgets.contents import anchor, contents
from app.widgets.error_display import errors_in_place
from app.widgets.figure import cached, drawn_points, show_figure
from app.widgets.pages import link
from app.widgets.studies import SHIPPED, shipped_study, stamp
from app.widgets.table import show_table
from clmle import figures, paper, studies

PAGE = {"title": "Paper", "icon": ":material/article:", "order": 90}
BOUNDS = "Upper bounds of the margins"

RECOGNITION = (2, 3, 4)
# Room for the slant of the last letter and for descenders: without it a formula that fits scrolls
# by two pixels, and an element that scrolls but cannot be focused is not accessible by keyboard.
# On a wide screen all formulas fit; none may scroll there, not even while its fonts load.
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


ICONS = {
    "reproduced": ":green-badge[reproduced]",
    "reproduced in part": ":orange-badge[reproduced in part]",
    "not reproduced": ":red-badge[not reproduced]",
}


@st.cache_resource(max_entries=2, show_spinner="Testing the claims")
def claim_results_of(changed: tuple) -> list:
    """The claims with their tests; ``changed`` are the stamps of the shipped files."""
    names = dict.fromkeys(Path(file).stem for file, *_ in changed)
    return studies.claim_results(filter(None, map(shipped_study, names)))


def claims() -> None:
    """Each claim of the paper: its verdict here, and the tests with their intervals."""
    results = claim_results_of(tuple(stamp(path) for path in sorted(SHIPPED.glob("*.jsonl"))))
    st.markdown(
        "Each claim is tested at equal data, budget and calibration. A test *holds* where the "
        "whole 95 % interval of the paired difference has the sign that the claim expects, is "
        "*contradicted* where it has the other sign, and is *open* where it contains zero or "
        "there are fewer than three seeds. A claim is reproduced where all of its tests hold, "
        "and reproduced in part where some do. Intervals are not corrected for their number."
    )
    rows = [
        {
            "claim of the paper": result.claim.text, "verdict": result.verdict,
            "study": study.title, "comparison": f"{test.first} minus {test.second}",
            "metric": studies.CLAIM_METRICS[test.metric], "difference, pp": 100 * d.mean,
            "low": d.low and 100 * d.low, "high": d.high and 100 * d.high, "seeds": d.seeds,
            "answer": answer,
        }
        for result in results for test, study, d, answer in result.tests
    ]  # fmt: skip
    for number, result in enumerate(results, start=1):
        verdict = ICONS.get(result.verdict, f":gray-badge[{result.verdict}]")
        st.markdown(f"**{number}. {result.claim.text}** {verdict}")
        if not result.tests:
            st.caption(result.claim.reason or "Start its studies on the page Ablations.")
            continue
        answers = Counter(answer for *_, answer in result.tests)
        counts = [f"{n} {'hold' if (name, n > 1) == ('holds', True) else name}"
                  for name, n in answers.items()]  # fmt: skip
        with st.expander(f"Tests: {', '.join(counts)}"):
            st.markdown("\n".join(f"- {_tested(*test)}" for test in result.tests))
    st.subheader("All tests as a table")
    signed = st.column_config.NumberColumn(format="%+.1f")
    show_table(
        pd.DataFrame(rows), "claims",
        column_config={
            **dict.fromkeys(("difference, pp", "low", "high"), signed),
            "claim of the paper": st.column_config.TextColumn(width=180),
        },
    )  # fmt: skip


def _tested(test, study, d, answer: str) -> str:
    """One test as a line: answer, metric, difference, interval and study."""
    span = f"{d.seeds} {'seed' if d.seeds == 1 else 'seeds'}"
    if d.low is not None:
        span = f"95 % interval {100 * d.low:+.1f} to {100 * d.high:+.1f}, {span}"
    metric = studies.CLAIM_METRICS[test.metric]
    note = f" {test.note}" if test.note else ""
    return (
        f"*{answer}*: {metric} {100 * d.mean:+.1f} pp ({span}), {test.first} minus {test.second}; "
        f"study {study.name}.{note}"
    )


def tables() -> None:
    """One of Tables 2 to 7: published results, and results measured here."""
    number = st.segmented_control(
        "Table of the paper", list(paper.CAPTIONS), default=7, key="table", required=True,
        bind="query-params", format_func=lambda n: f"Table {n}",
    )  # fmt: skip
    st.subheader(f"Published: Table {number}")
    st.markdown(f"{paper.CAPTIONS[number]}.")
    show_table(paper.table(number).rename(columns=HEADINGS), f"paper-table-{number}")
    st.caption(
        "As printed in the paper, in percent; an empty field is not in the paper or not legible."
        + (" The order of Bangs and Blond Hair is uncertain." if number == 5 else "")
    )
    st.subheader("Measured here")
    if number in RECOGNITION:
        recognition_table(number)
        return
    study, rows = counterpart(number)
    if rows.empty:
        st.info("Not measured here yet: start the study on the page Ablations.")
        return
    column = st.column_config.NumberColumn
    config = {
        "paper": "in the paper", "here": "here",
        "balanced_accuracy": column("balanced accuracy here, %", format="%.2f"),
        **{c: column(c, format="%.2f") for c in ("low", "high")},
    }  # fmt: skip
    show_table(rows, f"measured-table-{number}", column_config=config)
    tasks = ", ".join(map(studies.task_label, study.tasks))
    st.caption(
        f"Study {study.name}, {study.budget()}; CLMLE in its single-label preset. Mean over "
        f"{tasks}, then over seeds; low and high: 95 % interval over seeds. Other data and smaller "
        "networks than in the paper: compare the order of rows, not the values."
    )
    if number == 5:
        link("attributes", "Each attribute, next to the columns of the paper")
    else:
        link("ablations", f"The study {study.name}", study=f"{study.name} (shipped)")


def recognition_table(number: int) -> None:
    """Methods of Tables 2 to 4 on unseen illustrated identities, next to their published rows."""
    study = shipped_study("recognition")
    frame = studies.open_set_frame(study.summaries) if study else pd.DataFrame()
    if frame.empty:
        st.info("Not measured here yet: start the study recognition on the page Ablations.")
        return
    column = st.column_config.NumberColumn
    metrics = studies.OPEN_SET_METRICS
    config = {
        "paper": "in the paper",
        "here": "here",
        **{f"published: {c}": column(f"published: {HEADINGS[c]}", format="%.2f") for c in HEADINGS},
        **{c: column(f"here: {words}", format="%.3f") for c, words in metrics.items()},
        "spread": column("standard deviation of accuracy", format="%.3f"),
    }
    rows = studies.paper_comparison(frame, number)
    show_table(rows, f"measured-table-{number}", column_config=config)
    st.caption(
        f"Study {study.name}, {study.budget()}; seeds {', '.join(map(str, study.seeds))}; CLMLE in "
        "its open-set preset. Published: percent, photographs of other people, large networks. "
        "Here: fractions, illustrated identities that are not in the training set. Compare the "
        "order of rows, not the values."
    )
    link("recognition", "Your own runs")


def counterpart(number: int):
    """The shipped study that corresponds to a table, and its rows that the paper has too."""
    if number == 7:
        study = shipped_study("table7")
        return study, studies.measured(study, studies.COMPONENTS) if study else pd.DataFrame()
    for name in ("screening", "leaderboard"):  # screening has more of the paper's methods
        study = shipped_study(name)
        found = studies.measured(study, studies.ATTRIBUTE_METHODS) if study else pd.DataFrame()
        if len(found) > 1:
            return study, found
    return study, found


@st.cache_resource(max_entries=4, show_spinner=False)
def effects(changed: tuple) -> dict:
    """Correction -> its effect and the study it comes from; None where not measured alone.

    ``changed`` are the stamps of the shipped files.
    """
    found = {}
    for correction in paper.CORRECTIONS:
        name, variant = correction.trial or ("", "")
        study = shipped_study(name)
        d = studies.reference_difference(study, variant) if study else None
        found[correction.name] = (d, study) if d else None
    return found


def corrections() -> None:
    """The effect of all corrections; then each one: equations, explanation, option, effect."""
    st.html(ROOM)  # before the formulas that need it
    st.markdown(
        "Implemented as printed, the method predicts the majority class for nearly all images. "
        "`clmle-paper` is that implementation; `clmle` corrects it, each correction by an option. "
        "The *effect* of a correction is the balanced accuracy of the method with all corrections "
        "minus that without this one."
    )
    found = effects(tuple(stamp(path) for path in sorted(SHIPPED.glob("*.jsonl"))))
    shown = {name: (p[0].mean, p[0].low, p[0].high) for name, p in found.items() if p}
    study = shipped_study(paper.ALL_AT_ONCE[0])
    together = studies.reference_difference(study, paper.ALL_AT_ONCE[1]) if study else None
    if together:
        shown = {"All corrections": (together.mean, together.low, together.high)} | shown
    if shown:
        rows = correction_rows(found)
        show_figure(
            cached(
                figures.differences, shown, "Effect of each correction",
                "difference in balanced accuracy, 95 % interval",
            ),
            "effects-of-corrections", rows,
        )  # fmt: skip
        if together:
            st.caption(f"All corrections: {together.mean:+.3f}; {described(together, study)}")
        column = st.column_config.NumberColumn
        digits = {c: column(format="%+.3f") for c in ("effect", "low", "high")}
        show_table(rows, "corrections", column_config=digits)
    names = [f"{i}. {correction.name}" for i, correction in enumerate(paper.CORRECTIONS, start=1)]
    contents([*names, BOUNDS])
    for name, correction in zip(names, paper.CORRECTIONS, strict=True):
        st.subheader(name, anchor=anchor(name))
        one_correction(correction, found[correction.name])


def one_correction(correction, measured) -> None:
    """Equations next to each other, the option, the effect."""
    left, right = st.columns(2)
    with left:
        st.markdown(f"**As printed** ({correction.where})")
        st.latex(correction.printed)
        st.markdown(correction.problem)
    with right:
        st.markdown("**Corrected**")
        st.latex(correction.corrected)
        st.markdown(correction.explanation)
    before, after = correction.switches
    st.markdown(f"Option: `{before}` → `{after}`")
    if measured:
        d, study = measured
        st.markdown(f"Effect **{d.mean:+.3f}**: {described(d, study)}")
    elif correction.trial is not None:
        name = correction.trial[0]
        st.markdown(
            f"Not measured alone yet; the study {name} does ({studies.STUDIES[name].title})."
        )
        link("ablations", f"Start the study {name}", starting="true", new=name)
    else:
        st.markdown("A bound, not a part that can be left out: see the figures below.")


def correction_rows(found: dict):
    """All corrections as a table."""
    rows = []
    for correction in paper.CORRECTIONS:
        d, study = found[correction.name] or (None, None)
        before, after = correction.switches
        rows.append(
            {
                "correction": correction.name, "effect": d and d.mean, "low": d and d.low,
                "high": d and d.high, "trials won": d and d.won, "of trials": d and d.trials,
                "seeds": d and d.seeds, "study": study.name if study else "",
                "without it": d.second if d else "", "printed": before, "corrected": after,
                "where": correction.where,
            }
        )  # fmt: skip
    return pd.DataFrame(rows).astype(dict.fromkeys(("trials won", "of trials", "seeds"), "Int64"))


def described(d, study) -> str:
    """The interval and the trials behind an effect."""
    span = f"{d.seeds} {'seed' if d.seeds == 1 else 'seeds'}, no interval"
    if d.low is not None:
        span = f"95 % interval over {d.seeds} seeds {d.low:+.3f} to {d.high:+.3f}"
    ratios = [f"{r:g} : 1" for r in study.values("data.ratio") if r > 1]
    thinned = f", thinned to {', '.join(ratios)}" if ratios else ""
    tasks = ", ".join(map(studies.task_label, study.tasks))
    return (
        f"{span}; higher in {d.won} of {d.trials} trials. Study {study.name}: {d.first} minus "
        f"{d.second} on {d.tasks} tasks ({tasks}){thinned}."
    )


def bounds() -> None:
    """The two bounds of Fig. 4, printed and corrected."""
    from clmle import margin_bounds

    dim = st.select_slider(
        "Dimensions of the features", [2, 8, 64, 256, 512], 64, key="dim", bind="query-params"
    )
    left, right = st.columns(2)
    with left:
        figure = cached(figures.between_bounds, dim)
        show_figure(figure, "paper-between-bounds", drawn_points(figure))
        st.caption(
            f"For 10,575 classes the printed bound is {margin_bounds([1] * 10_575).between:.1e}, "
            f"the bound on the sphere {margin_bounds([1] * 10_575, dim).between_sphere:.2f}."
        )
    with right:
        figure = cached(figures.within_bounds)
        show_figure(figure, "paper-within-bounds", drawn_points(figure))
        st.caption("A class with more than half of the images spans half a circle.")
    link("margins", "Margins for your own class counts")


st.title("Paper")
st.markdown(
    "C. Huang, Y. Li, C. C. Loy, X. Tang, *Deep Imbalanced Learning for Face Recognition and "
    "Attribute Prediction*: which of its claims hold here, its tables next to results of this "
    "project, and the corrections of its equations."
)
part = st.segmented_control(
    "Part", ["Claims", "Corrections", "Tables"], default="Claims", key="part", bind="query-params",
    required=True, label_visibility="collapsed",
)  # fmt: skip
with errors_in_place():
    if part == "Claims":
        st.header("Which claims hold here")
        claims()
    elif part == "Tables":
        st.header("Tables 2 to 7")
        tables()
    else:
        st.header("Corrections of the method")
        corrections()
        st.header(BOUNDS, anchor=anchor(BOUNDS))
        bounds()
