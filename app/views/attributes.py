"""Attribute by attribute: metrics, gains against imbalance, and the images with errors."""

import numpy as np
import pandas as pd
import streamlit as st

from app.widgets.contents import anchor, contents
from app.widgets.data_facts import plain
from app.widgets.error_display import errors_in_place
from app.widgets.figure import cached, show_figure
from app.widgets.literal import literal
from app.widgets.pages import link
from app.widgets.run_contents import image_row, images_of
from app.widgets.run_scores import scores_of
from app.widgets.runs import all_runs, label
from app.widgets.studies import readable_studies, stamp, study_files
from app.widgets.table import show_table
from app.widgets.terms import explained
from app.widgets.viewer import pictures
from clmle import RunFolder, figures, metrics, studies

PAGE = {"title": "Attributes", "icon": ":material/face:", "order": 60}
SECTIONS = ("Gain against imbalance", "All attributes", "One attribute", "Curves and images")

PAPER_SHOWN = ["CLMLE", "LMLE", "CRL-I", "Over-sampling"]


def all_results() -> tuple:
    """Rows of all studies and runs as one frame, and an error for each broken file."""
    known, broken = readable_studies()
    files = study_files()
    stamps = tuple((name, *stamp(files[name])) for name in known)
    results = []
    for run in all_runs():
        file = run.path / "result.json"
        if file.exists():
            results.append((str(run.path), *stamp(file)[1:]))
    frame, more = _frame(stamps, tuple(results))
    return frame, [*broken, *more]


@st.cache_resource(max_entries=4, show_spinner="Reading runs and studies")
def _frame(files: tuple, runs: tuple) -> tuple:
    from pathlib import Path

    known, _ = readable_studies()
    rows, broken = studies.run_rows([RunFolder(Path(path)) for path, *_ in runs])
    for name, *_ in files:
        rows += studies.study_rows(known[name], "" if name.endswith("(shipped)") else "my")
    return studies.attribute_frame(rows), broken


def gain_part(frame, learner: str, others: list[str]) -> None:
    """Gain against imbalance, here and in the paper."""
    st.header(SECTIONS[0], anchor=anchor(SECTIONS[0]))
    bare = frame.drop(columns="confusion")
    tables = {other: cached(studies.gains, bare, learner, other) for other in others}
    tables = {other: g for other, g in tables.items() if len(g)}
    if not tables:
        st.info("These learners have no attribute and seed in common; choose another baseline.")
        return
    shown = {other: g.assign(task=[plain(t) for t in g["task"]]) for other, g in tables.items()}
    show_figure(
        cached(figures.gain_by_imbalance, shown, f"Gain of {learner}"),
        "attribute-gain",
        pd.concat([g.assign(baseline=other, learner=learner) for other, g in tables.items()]),
    )
    for other, g in tables.items():
        mean, low, high, won = studies.mean_gain(g)
        text = f"Over {other}: {100 * mean:+.1f} percentage points of balanced accuracy on average"
        if low is not None and high is not None:
            text += f" (95 % interval over attributes {100 * low:+.1f} to {100 * high:+.1f})"
        text += f", higher on {won} of {len(g)} attributes; {_seeds(g['seeds'])}, paired."
        found = studies.rank_correlation(g["level"], g["gain"])
        if found:
            text += f" Rank correlation of gain and imbalance {found[0]:+.2f} (p = {found[1]:.3f})."
        st.caption(text)
    st.caption(
        "An interval over attributes tells what to expect of another attribute; those of README "
        "and of the pages of results are over seeds and tell what other seeds would give on these."
    )
    with st.expander("The same figure for the paper (Fig. 9, from its Table 5)"):
        methods = ["Over-sampling", "Down-sampling", "Cost-sensitive", "CRL-I", "LMLE",
                   "Triplet-kNN", "PANDA", "ANet"]  # fmt: skip
        against = st.multiselect(
            "Baselines of CLMLE in the paper", methods, ["Over-sampling"], key="published",
            bind="query-params",
        )  # fmt: skip
        if against:
            printed = {f"{m}, in the paper": studies.published_gains(m) for m in against}
            title = "Gain of CLMLE on CelebA, as published"
            show_figure(
                cached(figures.gain_by_imbalance, printed, title),
                "attribute-gain-paper",
                pd.concat([g.assign(baseline=m) for m, g in printed.items()]),
            )
            st.caption(
                "Photographs and large networks: not comparable with the data here. Shown are "
                "those of the 40 attributes whose values are legible."
            )


def _seeds(counts) -> str:
    low, high = int(min(counts)), int(max(counts))
    if low == high:
        return f"{low} seed" if low == 1 else f"{low} seeds each"
    return f"{low} to {high} seeds"


def table_part(frame, learner: str, others: list[str], metric: str) -> None:
    """Every attribute: the learners, the gain, columns of the paper."""
    st.header(SECTIONS[1], anchor=anchor(SECTIONS[1]))
    printed = st.multiselect(
        "Columns of the paper (photographs of CelebA, its Table 5)",
        list(studies.published([]).columns.drop("level")), PAPER_SHOWN,
        help="published results on other data: compare the order of methods, not the values",
        key="columns", bind="query-params",
    )  # fmt: skip
    table = studies.compared(frame, [learner, *others], metric)
    if others and metric == "balanced_accuracy":
        bare = frame.drop(columns="confusion")
        gain = cached(studies.gains, bare, learner, others[0])[["task", "gain", "low", "high"]]
        table = table.merge(gain, left_on="attribute", right_on="task", how="left")
        table = table.drop(columns="task")
    paper = studies.published(table["attribute"])[printed].add_prefix("paper: ")
    table = pd.concat([table, paper.reset_index(drop=True)], axis=1)
    number = st.column_config.NumberColumn
    config: dict = {c: number(format="%.3f") for c in (learner, *others, "gain", "low", "high")}
    config |= {
        "minority": number("minority class", format="%.1f %%"),
        "level": number("imbalance level", format="%.1f", help="50 minus the minority percentage"),
        **{f"seeds of {n}": None for n in (learner, *others)},
        **{c: number(format="%.2f") for c in paper.columns},
    }
    shown = table.assign(
        attribute=[plain(a) for a in table["attribute"]], minority=100 * table["minority"],
        **{c: table[c].round(3) + 0.0 for c in ("gain", "low", "high") if c in table},  # no -0.000
    )  # fmt: skip
    show_table(table, "attributes", shown=shown, column_config=config)
    counts = [f"{n}: {_seeds(table[f'seeds of {n}'])}" for n in (learner, *others)]
    text = "Means over all seeds of each learner (" + "; ".join(counts) + ")."
    if "gain" in table:
        text += f" Gain: over {others[0]}, paired by seed; low, high: its 95 % interval over seeds."
    st.caption(f"{text} Empty columns of the paper: no such attribute, or not legible.")
    shown_runs = set(frame.loc[frame["learner"].isin([learner, *others]), "run"])
    left = studies.without_metrics(run for run in all_runs() if run.name in shown_runs)
    if left:
        st.caption(
            "Left out, because all or none of the training or test images are positive: "
            f"{', '.join(map(plain, left))}."
        )
    st.caption(
        "Balanced accuracy alone can rise at the expense of precision; compare average precision "
        "and MCC too. Labels given by people are noisy, as in CelebA and LFWA, which limits all "
        "metrics."
    )


def one_attribute(frame, learner: str, others: list[str]) -> None:
    """One attribute: seeds, confusion matrices, curves, images."""
    st.header(SECTIONS[2], anchor=anchor(SECTIONS[2]))
    names = list(frame.sort_values("minority")["attribute"].drop_duplicates())
    attribute = st.selectbox(
        "Attribute", names, format_func=plain, key="attribute", bind="query-params"
    )
    mine = frame[frame["attribute"] == attribute]
    here = [n for n in (learner, *others) if n in set(mine["learner"])]
    st.markdown(f"Minority class: **{100 * mine['minority'].mean():.1f} %** of training images.")
    if here:
        per_seed = {
            n: mine.loc[mine["learner"] == n, "balanced_accuracy"].astype(float).tolist()
            for n in here
        }
        show_figure(
            cached(
                figures.leaderboard, per_seed,
                {n: studies.metric_interval(v, "balanced_accuracy") for n, v in per_seed.items()},
                f"{plain(attribute)}: every seed", highlight=[learner],
                x="balanced accuracy on test images",
            ),
            "attribute-seeds",
            mine[mine["learner"].isin(here)].drop(columns="confusion"),
        )  # fmt: skip
        for column, name in zip(st.columns(max(2, len(here))), here, strict=False):
            counts = studies.confusion_of(mine, name, attribute)
            if counts:
                with column:
                    kinds = [f"not {plain(attribute)}", plain(attribute)]
                    show_figure(
                        cached(figures.confusion, counts, kinds, name), f"confusion-{name}",
                        pd.DataFrame(counts, index=kinds, columns=kinds).reset_index(),
                    )  # fmt: skip
        st.caption("Test images, summed over seeds.")
    runs = {
        run.name: run for run in all_runs()
        if run.name in set(mine["run"]) and run.model_path.exists()
    }  # fmt: skip
    st.subheader(SECTIONS[3], anchor=anchor(SECTIONS[3]))
    if not runs:
        st.info(
            "Studies store metrics, not scores. Train a run on this attribute (or on all of them) "
            "to see its curves and the images with the most confident errors.",
            icon=":material/info:",
        )
        source = mine["data"].iloc[0].split()[0]
        link("train", "Train a run", data=source, attribute=attribute)
        return
    chosen = st.multiselect(
        "Runs", list(runs), list(runs)[:2], key="runs", bind="query-params", max_selections=4,
        format_func=lambda n: label(runs[n]),
    )  # fmt: skip
    found = {}
    for name in chosen:
        with errors_in_place():
            scores = scores_of(runs[name])
            if scores is not None:
                found[name] = scores.of(attribute)
    if found:
        with errors_in_place():
            curves(found, runs, attribute)
            confident_images(found, runs, attribute)


def curves(found: dict, runs: dict, attribute: str) -> None:
    """ROC and precision-recall curves of the chosen runs."""

    def points(make, x: str, y: str) -> tuple[dict, pd.DataFrame]:
        own = {label(runs[n]): make(labels, s) for n, (_, labels, s) in found.items()}
        parts = (pd.DataFrame({"run": n, x: a, y: b}) for n, (a, b, _) in own.items())
        return own, pd.concat(parts)

    positive = float(np.mean(np.concatenate([labels for _, labels, _ in found.values()])))
    left, right = st.columns(2)
    with left:
        roc, data = points(metrics.roc_points, "false_positive_rate", "true_positive_rate")
        show_figure(cached(figures.roc_curves, roc, f"ROC curve, {plain(attribute)}"), "roc", data)
    with right:
        precision, data = points(metrics.precision_recall_points, "recall", "precision")
        title = f"Precision and recall, {plain(attribute)}"
        show_figure(
            cached(figures.precision_recall_curves, precision, positive, title),
            "precision-recall", data,
        )  # fmt: skip
    n_images = max(len(labels) for _, labels, _ in found.values())
    n_positive = max(int(labels.sum()) for _, labels, _ in found.values())
    st.caption(
        f"{n_images:,} test images, {n_positive:,} of them positive; one seed per run. Areas are "
        "computed from all points, at most 400 of which are drawn."
    )


def confident_images(found: dict, runs: dict, attribute: str) -> None:
    """The most confident errors and hits of one run, with images."""
    st.subheader("Most confident errors")
    left, right = st.columns([3, 2])
    name = left.selectbox(
        "Of the run", list(found), format_func=lambda n: label(runs[n]), key="of",
        bind="query-params",
    )  # fmt: skip
    kinds = metrics.CONFIDENT_KINDS
    kind = st.segmented_control(
        "Kind", list(kinds), default="missed", key="kind", bind="query-params", required=True
    )
    count = right.select_slider("Images", [6, 12, 24, 48], 12, key="faces", bind="query-params")
    rows, labels, scores = found[name]
    chosen = metrics.confident_errors(labels, scores, count)[kind]
    odds = metrics.log_odds(scores)
    st.caption(
        f"{kind.capitalize()}: {kinds[kind]}. Below each image: log-odds and number of the image."
    )
    if len(chosen) == 0:
        st.info("There are no such images.", icon=":material/info:")
        return
    image_row(
        pictures(images_of(str(runs[name].path)).images[rows[chosen]]),
        [f"{odds[i]:+.2f}, {rows[i]}" for i in chosen],
        [f"Image {rows[i]}, {plain(attribute)} {kind}, log-odds {odds[i]:+.2f}" for i in chosen],
    )


st.title("Attributes")
st.markdown(
    "Results of each method on every attribute, and whether its gain grows with imbalance. A "
    "*learner* is a method with its configuration, from your runs or from the study in brackets."
)
with errors_in_place():
    frame, broken = all_results()
    for text in broken:
        st.error(literal(text), icon=":material/error:")
    if frame.empty:
        st.info(
            "There is no result on an attribute yet: train a run, or start a study.",
            icon=":material/info:",
        )
        link("train", "Train a run")
        link("ablations", "Start a study")
        st.stop()
    sizes = frame.groupby("data")["attribute"].nunique()  # sorted by name
    sizes = sizes.sort_values(ascending=False, kind="stable")
    left, right = st.columns([3, 2])
    data = left.selectbox("Data", list(sizes.index), key="data", bind="query-params",
                          help="only learners with the same test images are compared")  # fmt: skip
    metric = right.selectbox(
        "Metric", list(studies.ATTRIBUTE_METRICS), format_func=plain, key="metric",
        help=explained(studies.ATTRIBUTE_METRICS),
        bind="query-params",
    )  # fmt: skip
    frame = frame[frame["data"] == data]
    learners = sorted(frame["learner"].unique())
    ours, baseline = studies.default_pair(frame)
    left, right = st.columns(2)
    learner = left.selectbox(
        "Learner", learners, index=learners.index(ours), key="learner", bind="query-params"
    )
    rest = [n for n in learners if n != learner]
    others = right.multiselect(
        "Baselines", rest, [n for n in (baseline, ours) if n in rest][:1], key="with",
        bind="query-params", max_selections=3, wrap=True,
    )  # fmt: skip
    contents(SECTIONS)
    with errors_in_place():
        gain_part(frame, learner, others)
    with errors_in_place():
        table_part(frame, learner, others, metric)
    with errors_in_place():
        one_attribute(frame, learner, others)
