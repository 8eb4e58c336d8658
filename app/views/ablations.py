"""Studies: start one, watch it, and look at its results."""

from pathlib import Path

import streamlit as st

from app.visitors import may_start_studies
from app.widgets.data_facts import plain
from app.widgets.error_display import errors_in_place
from app.widgets.figure import cached, show_figure
from app.widgets.literal import literal
from app.widgets.method_choice import choose_methods
from app.widgets.new_runs import numbers
from app.widgets.own_data import FOLDER, path_of_data
from app.widgets.pages import link
from app.widgets.path_access import check_paths
from app.widgets.progress import Held, counted, progress_bar
from app.widgets.runs import duration, preset_of
from app.widgets.studies import (
    drawn,
    forecast,
    open_study,
    readable_studies,
    stamp,
    study_files,
    tabled,
)
from app.widgets.study_card import own_label, study_cards
from app.widgets.table import show_table
from app.widgets.terms import explained
from clmle import data, figures, studies, training

PAGE = {"title": "Ablations", "icon": ":material/science:", "order": 50}

OWN_DATA = "as in the study"
SUMMARY = "summary"


def request_form():
    """What the visitor asks for: the request, trials at a time, and the name of the results."""
    left, middle, right = st.columns([3, 2, 2])
    names = [*studies.STUDIES, studies.FREE]
    name = left.selectbox(
        "Study", names, index=names.index("table7"), key="new", bind="query-params",
        format_func=lambda n: "a free grid of methods and options" if n == studies.FREE else n,
    )  # fmt: skip
    study = studies.STUDIES.get(name)
    dataset = middle.selectbox("Data", [OWN_DATA, *data.dataset_names(), FOLDER])
    preset = right.selectbox(
        "Budget", list(training.PRESETS), index=list(training.PRESETS).index("reference"),
        help="the shipped results used reference; quick is the smallest",
    )  # fmt: skip
    if study is not None:
        st.markdown(f"**{study.title}.** {study.question}")
        st.caption("Variants: " + ", ".join(study.variants))
    if dataset == FOLDER:
        dataset = path_of_data(st)
    dataset = "" if dataset == OWN_DATA else dataset
    left, right = st.columns(2)
    methods = choose_methods(
        [] if study else ["clmle", "oversampling"], f"methods-{bool(study)}", left,
        placeholder="all of the study", wrap=True,
        help="restricts a study to the variants of these methods",
    )  # fmt: skip
    source = dataset or (study.dataset if study else "toonfaces")
    targets = studies.target_names(training.preset_config(preset, "clmle", source).data)
    attributes = right.multiselect(
        "Attributes or labels", targets, wrap=True, format_func=plain,
        placeholder=f"as in the study: {', '.join(study.attributes) or 'the first'}"
        if study and not dataset else "the first",
    )  # fmt: skip
    first, second, third, fourth = st.columns(4)
    seeds = first.text_input("Seeds", placeholder=_listed(study.seeds if study else (0, 1)))
    thinned = study.ratios if study and not dataset else ()
    ratios = second.text_input(
        "Imbalance ratios", placeholder=_listed(thinned) or "natural class frequencies",
        help="largest over smallest class after thinning the training images",
    )  # fmt: skip
    calibration = third.selectbox(
        "Calibration", ("", "none", "threshold", "balanced-logistic"),
        format_func=lambda how: f"{how}, of every variant" if how else "of each variant",
        help="of every variant alike, so that a table ranks them at equal calibration",
    )  # fmt: skip
    jobs = fourth.number_input("Trials at a time", 0, 64, 0, help="0: one for each core")
    grid = st.text_area(
        "Options to vary, one per line", height=80,
        placeholder="options.scale=4,8\ntrain.iterations=100,200",
        help="part.name=values, where part is train, options or data; all combinations are run",
    )  # fmt: skip
    varied = tuple(line.strip() for line in grid.splitlines() if line.strip())
    request = studies.StudyRequest(
        name, dataset, tuple(attributes), numbers(seeds, int, "Seeds"), tuple(methods),
        numbers(ratios, float, "Ratios"), varied, preset,
        calibration=calibration,
    )  # fmt: skip
    label = st.text_input(
        "Name of the results", placeholder=studies.free_name(request),
        help="letters, digits, - and _; different requests of one study need different names",
    )  # fmt: skip
    return request, int(jobs), label or studies.free_name(request)


def _listed(values) -> str:
    return ", ".join(f"{v:g}" for v in values)


def new_study() -> None:
    """The form, the estimated time, and the button."""
    request, jobs, name = request_form()
    files = study_files()
    readable = tuple(stamp(files[n]) for n in readable_studies()[0])
    found = forecast(request, jobs, readable)
    text = f"**{found.trials} trials**"
    text += f", {found.done} of them already finished" if found.done else ""
    if found.seconds is None:
        text += "; the time is estimated when the first one has finished."
    elif found.left:
        text += f"; about **{duration(max(1, found.seconds))}** with {found.jobs} at a time"
        text += f", {found.basis}."
    st.markdown(text)
    words = (f'"{w}"' if set(w) & set(" ;<>|&") else w for w in request.arguments())
    st.code(f"python -m clmle {' '.join(words)}", None)
    if st.button("Start the study", type="primary", icon=":material/play_arrow:"):
        with progress_bar("images of the data read, to check every trial") as show:
            check_paths(trial.config for trial in request.trials(show))
            study = studies.start_study(request, name, jobs=jobs)
        st.session_state["awaited"] = own_label(study.name)
        st.rerun()
    st.caption("It runs in a separate process; you may close this page.")


def results() -> None:
    """Figure, table and trials of one study."""
    found, broken = readable_studies()
    for text in broken:
        st.error(literal(text), icon=":material/error:")
    if not found:
        st.info("No study has a result yet: start one above.", icon=":material/info:")
        return
    left, right = st.columns([3, 2])
    if st.session_state.get("awaited") in found:  # the study just started has a result
        st.session_state["study"] = st.session_state.pop("awaited")
    if st.session_state.get("study") not in found:
        st.session_state.pop("study", None)  # deleted meanwhile, or without a result yet
    name = left.selectbox("Study", [SUMMARY, *found], key="study", bind="query-params")
    if name == SUMMARY:
        summary(found)
        return
    study = found[name]
    file, stem = stamp(study_files()[name]), name.split(" ")[0]
    metric = right.selectbox(
        "Metric", list(studies.METRIC_LABELS), key="metric", bind="query-params",
        help=explained(studies.METRIC_LABELS.values()),
        format_func=lambda m: studies.METRIC_LABELS[m],
    )  # fmt: skip
    st.markdown(f"**{literal(study.title)}.** {literal(study.question)}")
    configs = {summary["task"]: summary["config"] for summary in study.summaries}
    if kinds := sorted({preset_of(config) for config in configs.values()} - {""}):
        st.caption(f"CLMLE: {', '.join(kinds)}.")
    left, right = st.columns([3, 2])
    variants = study.variants
    base = right.selectbox(
        "Baseline", variants, index=variants.index(study.reference), key=f"base-{name}",
        bind="query-params",
    )  # fmt: skip
    picked = left.multiselect(
        "Variants", variants, key=f"variants-{name}", placeholder=f"all {len(variants)}",
        wrap=True, bind="query-params",
    )  # fmt: skip
    shown = tuple(n for n in variants if n in picked or n == base) if picked else ()
    views = studies.available(study)
    view = st.segmented_control(
        "Figure", views, default="varied" if "varied" in views else views[0], required=True,
        format_func=lambda n: studies.FIGURE_LABELS[n], key="figure", bind="query-params",
    )  # fmt: skip
    with errors_in_place():
        picture = drawn(file, view, metric, base, shown)
        show_figure(picture.figure, f"{name}-{view}-{metric}", picture.data)
        parts = picture.caption.split("`")  # every second one is a command
        st.caption("`".join(p if i % 2 else literal(p) for i, p in enumerate(parts)))
    with errors_in_place():
        st.subheader("Table")
        table = tabled(file, base, shown)
        if table.empty:
            st.info("The variants have no task and seed in common yet; wait for more trials.")
        else:
            printed = studies.printed_table(table)
            show_table(table, f"{stem}-table", printed=printed, column_config=columns(base))
            table_caption(table, shown or variants, base)
    box = st.expander("Trials behind these numbers", key="trials", on_change="rerun")
    if box.open:
        with box:
            trials = studies.trials_behind(study)
            trials = trials[trials["variant"].isin(shown)] if shown else trials
            show_table(trials, f"{stem}-trials")
            st.caption(
                f"{len(trials):,} trials of {literal(study.path)}, with their configurations."
            )


def summary(found: dict) -> None:
    """CLMLE against the strongest baseline of every comparison."""
    files = study_files()
    table = comparisons(tuple(stamp(files[name]) for name in found))
    if table.empty:
        st.info("No comparison of CLMLE with baselines has a result yet.")
        return
    st.markdown(
        "**CLMLE minus the strongest baseline of each comparison**, the one with the highest mean "
        "on test images. Positive: CLMLE is better. Only an interval that excludes zero answers "
        "which is better; a difference of fewer than three seeds has none and is no order."
    )
    spans = table[["difference", "low", "high"]].astype(object)
    rows = dict(zip(table["title"], spans.where(spans.notna(), None).to_numpy(), strict=True))
    show_figure(
        cached(
            figures.differences, {title: tuple(row) for title, row in rows.items()},
            "CLMLE minus the strongest baseline", "difference, 95 % interval over seeds",
        ),
        "summary", table,
    )  # fmt: skip
    number = st.column_config.NumberColumn(format="%+.3f")
    columns = dict.fromkeys(("difference", "low", "high"), number)
    columns |= {"title": st.column_config.TextColumn("comparison", width=200)}
    first = ["title", "difference", "low", "high", "seeds", "tasks"]  # visible on a phone
    shown = table[[*first, *table.columns.difference([*first, "study"], sort=False)]]
    show_table(shown, "summary-table", column_config=columns)
    st.caption("Differences are paired: the same tasks and seeds for both. Choose a study above.")
    link("paper", "Which claims of the paper hold")


def comparisons(changed: tuple):
    """The summary of all results files; ``changed`` are their stamps."""

    def compare():
        paths = counted([Path(path) for path, *_ in changed], "studies compared")
        return studies.comparison_summary(map(open_study, paths))

    return _summaries().get(changed, compare)


@st.cache_resource(show_spinner=False)
def _summaries() -> Held:
    return Held(4)


def table_caption(table, variants, base: str) -> None:
    """What the rows of the table are based on."""
    missing = [n for n in variants if n not in set(table["variant"])]
    if missing:
        st.caption(f"Not in the table for lack of common trials: {literal(', '.join(missing))}.")
    one = table.iloc[0]
    st.caption(
        f"Each row summarizes the same trials (trials: {one['trials']}, tasks: {one['tasks']}, "
        f"seeds: {one['seeds']}). Low and high: 95 % interval over three seeds or more; without "
        f"it the order of rows is no ranking. Differences are paired "
        f"with {literal(base)} on the trials that both have; seconds are measured on one computer."
    )


def columns(base: str) -> dict:
    """Headings and digits of the table."""
    number = st.column_config.NumberColumn
    names = {
        "balanced_accuracy": "balanced accuracy", "spread": "± over seeds", "low": "low",
        "high": "high", "difference": f"minus {base}", "difference_low": "difference, low",
        "difference_high": "difference, high", "average_precision": "average precision",
        "roc_auc": "ROC AUC", "mcc": "MCC", "accuracy": "accuracy",
        "recall_rarest": "recall, rarest class", "recall_commonest": "recall, commonest class",
    }  # fmt: skip
    return {key: number(text, format="%.3f") for key, text in names.items()} | {
        "seconds": number("seconds", format="%.1f"),
        "won": number("trials won"),
        "pairs": number("of trials"),
        "left_out": number("trials left out"),
    }


st.title("Ablations")
st.markdown(
    "A *study* runs several variants on the same tasks and seeds to answer one question. A *trial* "
    "is one of its runs. Shipped results are shown at once; yours are stored in `runs/studies`."
)
with errors_in_place():
    if may_start_studies():
        form = st.expander(
            "Start a study", icon=":material/add:", key="starting", on_change="rerun",
            bind="query-params",
        )  # fmt: skip
        if form.open:
            with form, errors_in_place():
                new_study()
    started = studies.background_studies()
    asked = st.query_params.get("study", "")
    if any(asked == own_label(s.name) and not s.results.exists() for s in started):
        st.session_state["awaited"] = asked  # a link to a study without a result yet
    if started:
        st.header("Your studies")
        study_cards(started)
    st.header("Results")
    st.fragment(results)()
