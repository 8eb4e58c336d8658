"""Attribute by attribute: figures, gains against imbalance, and the faces behind them."""

import numpy as np
import pandas as pd
import streamlit as st

from app.widgets.background_tasks import helpers
from app.widgets.error_display import sentences
from app.widgets.faces import face_row, images_of
from app.widgets.figure import kept, show_figure
from app.widgets.runs import all_runs, label
from app.widgets.studies import readable_studies, stamp, study_files
from app.widgets.table import show_table
from clmle.run_folder import RunFolder

PAPER_SHOWN = ["CLMLE", "LMLE", "CRL-I", "Over-sampling"]


def everything() -> tuple:
    """Rows of all studies and runs as one frame, and a sentence for each that is broken."""
    studies, broken = readable_studies()
    files = study_files()
    stamps = tuple((name, *stamp(files[name])) for name in studies)
    results = []
    for run in all_runs():
        file = run.path / "result.json"
        if file.exists():
            results.append((str(run.path), *stamp(file)[1:]))
    frame, more = _frame(stamps, tuple(results))
    return frame, [*broken, *more]


@st.cache_resource(max_entries=4, show_spinner="Reading runs and studies")
def _frame(studies: tuple, runs: tuple) -> tuple:
    from pathlib import Path

    from clmle.studies.attributes import attribute_frame, run_rows, study_rows

    known, _ = readable_studies()
    rows, broken = run_rows([RunFolder(Path(path)) for path, *_ in runs])
    for name, *_ in studies:
        study = known[name]
        rows += study_rows(study, "" if name.endswith("(shipped)") else "my")
    return attribute_frame(rows), broken


def plain(attribute: str) -> str:
    return attribute.replace("_", " ")


def gain_part(frame, learner: str, others: list[str]) -> None:
    """Gain against imbalance, here and in the paper."""
    from clmle import figures
    from clmle.studies.attributes import gains, mean_gain
    from clmle.studies.paper_comparison import published_gains
    from clmle.studies.statistics import rank_correlation

    st.header("Gain against imbalance")
    bare = frame.drop(columns="confusion")
    tables = {other: kept(gains, bare, learner, other) for other in others}
    tables = {other: g for other, g in tables.items() if len(g)}
    if not tables:
        st.info("These learners share no attribute and seed; choose another to compare with.")
        return
    shown = {other: g.assign(task=[plain(t) for t in g["task"]]) for other, g in tables.items()}
    show_figure(
        kept(figures.gain_by_imbalance, shown, f"Gain of {learner}"),
        "attribute-gain",
        pd.concat([g.assign(baseline=other, learner=learner) for other, g in tables.items()]),
    )
    for other, g in tables.items():
        mean, low, high, won = mean_gain(g)
        text = f"Over {other}: {mean:+.3f} on average"
        if low is not None:
            text += f" (95 % interval over attributes {low:+.3f} to {high:+.3f})"
        text += f", above it on {won} of {len(g)} attributes"
        text += f"; {_seeds(g['seeds'])}, paired."
        found = rank_correlation(g["level"], g["gain"])
        if found:
            text += f" Rank correlation of gain and imbalance {found[0]:+.2f} (p = {found[1]:.3f})."
        st.caption(text)
    with st.expander("The same in the paper (Fig. 9, from its Table 5)"):
        methods = ["Over-sampling", "Down-sampling", "Cost-sensitive", "CRL-I", "LMLE",
                   "Triplet-kNN", "PANDA", "ANet"]  # fmt: skip
        against = st.multiselect("Gain of the paper's CLMLE over", methods, ["Over-sampling"],
                                 key="published", bind="query-params")  # fmt: skip
        if against:
            printed = {f"{m}, in the paper": published_gains(m) for m in against}
            show_figure(
                kept(figures.gain_by_imbalance, printed, "Gain of CLMLE on CelebA, as published"),
                "attribute-gain-paper",
                pd.concat([g.assign(baseline=m) for m, g in printed.items()]),
            )
            st.caption(
                "Photographs and large networks: other data than here. Of the 40 attributes those "
                "whose figures could be read."
            )


def _seeds(counts) -> str:
    low, high = int(min(counts)), int(max(counts))
    if low == high:
        return f"{low} seed" if low == 1 else f"{low} seeds each"
    return f"{low} to {high} seeds"


def table_part(frame, learner: str, others: list[str], measure: str) -> None:
    """Every attribute: the learners, the gain, the paper's columns."""
    from clmle.studies.attributes import ATTRIBUTE_METRICS, compared, gains, without_metrics
    from clmle.studies.paper_comparison import published

    st.header("Every attribute")
    printed = st.multiselect(
        "Columns of the paper (photographs of CelebA, its Table 5)",
        list(published([]).columns.drop("level")), PAPER_SHOWN,
        help="published figures on other data: to compare orders with, not figures",
        key="columns", bind="query-params",
    )  # fmt: skip
    table = compared(frame, [learner, *others], measure)
    if others and measure == ATTRIBUTE_METRICS[0]:
        bare = frame.drop(columns="confusion")
        gain = kept(gains, bare, learner, others[0])[["task", "gain", "low", "high"]]
        table = table.merge(gain, left_on="attribute", right_on="task", how="left")
        table = table.drop(columns="task")
    paper = published(table["attribute"])[printed].add_prefix("paper: ").reset_index(drop=True)
    table = pd.concat([table, paper], axis=1)
    number = st.column_config.NumberColumn
    config: dict = {c: number(format="%.3f") for c in (learner, *others, "gain", "low", "high")}
    config |= {
        "minority": number("rarer class", format="%.1f %%"),
        "level": number("imbalance level", format="%.1f", help="50 less the share, in per cent"),
        **{f"seeds of {n}": None for n in (learner, *others)},
        **{c: number(format="%.2f") for c in paper.columns},
    }
    shown = table.assign(
        attribute=[plain(a) for a in table["attribute"]], minority=100 * table["minority"]
    )
    show_table(table, "attributes", shown=shown, column_config=config)
    counts = [f"{n}: {_seeds(table[f'seeds of {n}'])}" for n in (learner, *others)]
    text = "Means over the seeds that each has (" + "; ".join(counts) + ")."
    if "gain" in table:
        text += f" gain, low, high: over {others[0]}, paired by seed, 95 % interval over seeds."
    st.caption(f"{text} An empty field of the paper has no such attribute or is illegible.")
    shown_runs = set(frame.loc[frame["learner"].isin([learner, *others]), "run"])
    left = without_metrics(run for run in all_runs() if run.name in shown_runs)
    if left:
        st.caption(
            "In no row and no mean, since no image or all images show it, to learn from or to "
            f"judge by: {', '.join(map(plain, left))}."
        )
    st.caption(
        "Balanced accuracy alone can be bought with precision: look at average precision and MCC "
        "too. Labels of CelebA and LFWA are noisy; near the ceiling of that noise it says little."
    )


def one_attribute(frame, learner: str, others: list[str]) -> None:
    """The page of one attribute: seeds, confusion, curves, faces."""
    from clmle import figures
    from clmle.studies.attributes import confusion_of
    from clmle.studies.statistics import t_interval

    st.header("One attribute")
    names = list(frame.sort_values("minority")["attribute"].drop_duplicates())
    attribute = st.selectbox(
        "Attribute", names, format_func=plain, key="attribute", bind="query-params"
    )
    mine = frame[frame["attribute"] == attribute]
    here = [n for n in (learner, *others) if n in set(mine["learner"])]
    st.markdown(f"Rarer class: **{100 * mine['minority'].mean():.1f} %** of the training images.")
    if here:
        per_seed = {
            n: mine.loc[mine["learner"] == n, "balanced_accuracy"].astype(float).tolist()
            for n in here
        }
        data = mine[mine["learner"].isin(here)].drop(columns="confusion")
        show_figure(
            kept(
                figures.leaderboard,
                per_seed,
                {n: t_interval(v) for n, v in per_seed.items()},
                f"{plain(attribute)}: every seed",
                highlight=[learner],
                x="balanced accuracy on test images",
            ),
            "attribute-seeds",
            data,
        )
        for column, name in zip(st.columns(max(2, len(here))), here, strict=False):
            counts = confusion_of(mine, name, attribute)
            if counts:
                with column:
                    kinds = [f"not {plain(attribute)}", plain(attribute)]
                    show_figure(
                        kept(figures.confusion, counts, kinds, name),
                        f"confusion-{name}",
                        pd.DataFrame(counts, index=kinds, columns=kinds).reset_index(),
                    )
        st.caption("Test images, the sum over seeds.")
    runs = {
        run.name: run for run in all_runs()
        if run.name in set(mine["run"]) and run.model_path.exists()
    }  # fmt: skip
    st.subheader("Curves and faces")
    if not runs:
        st.info(
            "Studies keep figures, not scores. Train a run on this attribute (or on all "
            "together) to see its curves, and the faces it is most wrong about.",
            icon=":material/info:",
        )
        st.page_link(
            "views/train.py", label="Train a run", icon=":material/model_training:",
            query_params={"data": mine["data"].iloc[0].split()[0], "attribute": attribute},
        )  # fmt: skip
        return
    chosen = st.multiselect(
        "Runs", list(runs), list(runs)[:2], key="runs", bind="query-params", max_selections=4,
        format_func=lambda n: label(runs[n]),
    )  # fmt: skip
    found = {}
    for name in chosen:
        with sentences():
            scores = scores_of(runs[name])
            if scores is not None:
                found[name] = scores.of(attribute)
    if found:
        with sentences():
            curves(found, runs, attribute)
            faces(found, runs, attribute)


def scores_of(run: RunFolder):
    """Scores of a run's test images; while a process makes them, a note that refreshes itself."""
    from clmle.studies.image_scores import start_scoring, stored_scores

    found = stored_scores(run)
    if found is not None:
        return found
    helper = helpers().want(f"scoring {run.path.resolve()}", lambda: start_scoring(run))
    if helper.failed:
        st.error(helper.last_words(f"The test images of {label(run)} could not be judged."))
        return None

    @st.fragment(run_every=1.0)
    def waiting() -> None:
        st.info(
            f"{label(run)} judges its test images: seconds for a few thousand small ones.",
            icon=":material/hourglass_top:",
        )
        if stored_scores(run) is not None or not helper.running:
            st.rerun()

    waiting()
    return None


def curves(found: dict, runs: dict, attribute: str) -> None:
    """ROC and precision-recall of the chosen runs."""
    from clmle import figures
    from clmle.metrics import precision_recall_points, roc_points

    roc = {label(runs[n]): roc_points(labels, s) for n, (_, labels, s) in found.items()}
    precision = {
        label(runs[n]): precision_recall_points(labels, s) for n, (_, labels, s) in found.items()
    }
    share = float(np.mean(np.concatenate([labels for _, labels, _ in found.values()])))
    left, right = st.columns(2)
    with left:
        show_figure(
            kept(figures.roc_curves, roc, f"ROC, {plain(attribute)}"), "roc",
            _points(roc, "false_positive_rate", "true_positive_rate"),
        )  # fmt: skip
    with right:
        show_figure(
            kept(
                figures.precision_recall_curves, precision, share, f"Precision, {plain(attribute)}"
            ),
            "precision-recall",
            _points(precision, "recall", "precision"),
        )
    counts = [len(labels) for _, labels, _ in found.values()]
    shown = [int(labels.sum()) for _, labels, _ in found.values()]
    st.caption(
        f"{max(counts):,} test images, {max(shown):,} of them show it; one seed a run. The areas "
        "are those of all points, of which at most 400 are drawn."
    )


def _points(curves_: dict, x: str, y: str):
    return pd.concat(pd.DataFrame({"run": name, x: a, y: b}) for name, (a, b, _) in curves_.items())


def faces(found: dict, runs: dict, attribute: str) -> None:
    """The surest mistakes and hits of one run, with its faces."""
    from clmle.metrics.confident_errors import KINDS, confident_errors
    from clmle.metrics.curves import log_odds

    st.subheader("Hardest faces")
    left, right = st.columns([3, 2])
    name = left.selectbox(
        "Of the run", list(found), format_func=lambda n: label(runs[n]), key="of",
        bind="query-params",
    )  # fmt: skip
    kind = st.segmented_control(
        "Kind", list(KINDS), default="missed", key="kind", bind="query-params", required=True
    )
    count = right.select_slider("Faces", [6, 12, 24, 48], 12, key="faces", bind="query-params")
    rows, labels, scores = found[name]
    dataset = images_of(str(runs[name].path))
    places = confident_errors(labels, scores, count)[kind]
    odds = log_odds(scores)
    st.caption(f"{kind.capitalize()}: {KINDS[kind]}. Below each: by how far, and its row.")
    if len(places) == 0:
        st.info("There is none.", icon=":material/info:")
        return
    face_row(
        dataset.images[rows[places]],
        [f"{odds[i]:+.2f}, {rows[i]}" for i in places],
        [f"Image {rows[i]}, {plain(attribute)} {kind}, log-odds {odds[i]:+.2f}" for i in places],
    )


st.title("Attributes")
st.markdown(
    "What each method reaches on every attribute, and whether its gain grows with imbalance. A "
    "*learner* is a method with its settings, from one's own runs or from the study in brackets."
)
with sentences():
    from clmle.studies.attributes import ATTRIBUTE_METRICS, default_pair

    frame, broken = everything()
    for text in broken:
        st.error(text, icon=":material/error:")
    if frame.empty:
        st.info(
            "Nothing has been measured on an attribute yet: train a run, or start a study.",
            icon=":material/info:",
        )
        st.page_link("views/train.py", label="Train a run")
        st.page_link("views/ablations.py", label="Start a study")
        st.stop()
    sizes = frame.groupby("data")["attribute"].nunique().sort_values(ascending=False)
    left, right = st.columns([3, 2])
    data = left.selectbox("Data", list(sizes.index), key="data", bind="query-params",
                          help="only learners with the same test images are compared")  # fmt: skip
    measure = right.selectbox(
        "Figure", list(ATTRIBUTE_METRICS), format_func=lambda f: f.replace("_", " "), key="figure",
        bind="query-params",
    )  # fmt: skip
    frame = frame[frame["data"] == data]
    learners = sorted(frame["learner"].unique())
    ours, baseline = default_pair(frame)
    left, right = st.columns(2)
    learner = left.selectbox(
        "Learner", learners, index=learners.index(ours), key="learner", bind="query-params"
    )
    rest = [n for n in learners if n != learner]
    others = right.multiselect(
        "Compared with", rest, [n for n in (baseline, ours) if n in rest][:1], key="with",
        bind="query-params", max_selections=3, wrap=True,
    )  # fmt: skip
    with sentences():
        gain_part(frame, learner, others)
    with sentences():
        table_part(frame, learner, others, measure)
    with sentences():
        one_attribute(frame, learner, others)
