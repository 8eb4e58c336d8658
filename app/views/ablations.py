"""Studies: start one, watch it, and look at what came out, cell by cell."""

import streamlit as st

from app.widgets.error_display import sentences
from app.widgets.figure import show_figure
from app.widgets.path_access import check_path, check_paths
from app.widgets.runs import duration
from app.widgets.studies import (
    SHIPPED,
    drawn,
    open_study,
    readable_studies,
    stamp,
    study_files,
    tabled,
)
from app.widgets.study_card import mine, study_cards
from app.widgets.table import show_table

OWN_DATA = "the study's own"


def numbers(text: str, kind: type, what: str) -> tuple:
    """Numbers of a text field, commas between."""
    from clmle.errors import InputError

    try:
        return tuple(kind(part) for part in text.replace(";", ",").split(",") if part.strip())
    except ValueError as error:
        raise InputError(
            f"{what} are {text!r}; write numbers with commas, such as 0, 1."
        ) from error


def request_form():
    """What the person asks for, as a request; and how many cells at a time, and its name."""
    from clmle.data import dataset_names
    from clmle.errors import InputError
    from clmle.methods import method_names
    from clmle.presets import PRESETS, preset_config
    from clmle.studies.background import free_name
    from clmle.studies.catalog import STUDIES
    from clmle.studies.request import FREE, StudyRequest
    from clmle.studies.validation import target_names

    left, middle, right = st.columns([3, 2, 2])
    names = [*STUDIES, FREE]
    name = left.selectbox(
        "Study", names, index=names.index("table7"), key="new", bind="query-params",
        format_func=lambda n: "a free grid of methods and settings" if n == FREE else n,
    )  # fmt: skip
    study = STUDIES.get(name)
    dataset = middle.selectbox("Data", [OWN_DATA, *dataset_names(), "my own folder"])
    preset = right.selectbox(
        "Budget", list(PRESETS), index=list(PRESETS).index("reference"),
        help="reference is what the shipped results ran on; quick is the smallest",
    )  # fmt: skip
    if study is not None:
        st.markdown(f"**{study.title}.** {study.question}")
        st.caption("Variants: " + ", ".join(study.variants))
    if dataset == "my own folder":
        dataset = st.text_input("Folder of images", placeholder="/path/to/images")
        if not dataset:
            raise InputError("Name the folder of images, or choose other data.")
        check_path(dataset)
    dataset = "" if dataset == OWN_DATA else dataset
    left, right = st.columns(2)
    methods = left.multiselect(
        "Methods", method_names(), default=["clmle", "oversampling"] if study is None else [],
        placeholder="all of the study", wrap=True,
        help="of a study, only its variants of these methods",
    )  # fmt: skip
    data = preset_config(preset, "clmle", dataset or (study.dataset if study else "toonfaces"))
    targets = target_names(data.data)
    attributes = right.multiselect(
        "Attributes or labels", targets, wrap=True,
        placeholder=f"the study's own: {', '.join(study.attributes) or 'the first'}"
        if study and not dataset else "the first one",
    )  # fmt: skip
    first, second, third = st.columns(3)
    seeds = first.text_input("Seeds", placeholder=_plain(study.seeds if study else (0, 1)))
    thinned = study.ratios if study and not dataset else ()
    ratios = second.text_input(
        "Imbalance ratios", placeholder=_plain(thinned) or "as the data are",
        help="training images are thinned to these, largest over smallest class",
    )  # fmt: skip
    jobs = third.number_input("Cells at a time", 0, 64, 0, help="0: one for each core")
    grid = st.text_area(
        "Settings to vary, one a line", placeholder="options.scale=4,8\ntrain.iterations=100,200",
        help="part.name=values, with train, options or data before the point; "
        "every combination is tried", height=80,
    )  # fmt: skip
    request = StudyRequest(
        name,
        dataset,
        tuple(attributes),
        numbers(seeds, int, "Seeds"),
        tuple(methods),
        numbers(ratios, float, "Ratios"),
        tuple(line.strip() for line in grid.splitlines() if line.strip()),
        preset,
    )
    label = st.text_input(
        "Name of the results", placeholder=free_name(request),
        help="letters, digits, - and _; several requests of one study need several names",
    )  # fmt: skip
    return request, int(jobs), label or free_name(request)


def _plain(values) -> str:
    return ", ".join(f"{v:g}" for v in values)


@st.cache_data(max_entries=50, show_spinner=False)
def ahead(request, jobs: int, changed: tuple):
    """Cells, time, and on what the guess rests; ``changed`` are the stamps of results files."""
    from pathlib import Path

    from clmle.studies.eta import forecast

    own: list = []
    shipped: list = []
    for path, *_ in changed:
        summaries = open_study(Path(path)).summaries
        (shipped if Path(path).parent == SHIPPED else own).extend(summaries)
    return forecast(request.trials(), (), own, shipped, jobs)


def new_study() -> None:
    """The form, what it would cost, and the button."""
    from clmle.studies.background import start_study

    request, jobs, name = request_form()
    files = study_files()
    readable = tuple(stamp(files[n]) for n in readable_studies()[0])
    found = ahead(request, jobs, readable)
    text = f"**{found.trials} cells**"
    text += f", {found.done} of them finished already" if found.done else ""
    if found.seconds is None:
        text += "; how long they take is known once one is done."
    elif found.left:
        text += f"; about **{duration(max(1, found.seconds))}** with {found.jobs} at a time"
        text += f", {found.basis}."
    st.markdown(text)
    st.code(f"python -m clmle {' '.join(_quoted(w) for w in request.arguments())}", None)
    if st.button("Start the study", type="primary", icon=":material/play_arrow:"):
        with st.spinner("Checking every cell"):
            check_paths(trial.config for trial in request.trials())
            study = start_study(request, name, jobs=jobs)
        st.session_state["awaited"] = mine(study.name)
        st.rerun()
    st.caption("It runs in a process of its own: this page may be closed.")


def _quoted(word: str) -> str:
    return f'"{word}"' if set(word) & set(" ;<>|&") else word


def results() -> None:
    """One study's picture, table and cells."""
    from clmle.studies.study_figures import FIGURE_LABELS, METRIC_LABELS, available
    from clmle.studies.study_figures import trials_behind as behind
    from clmle.text import counted, listed

    studies, broken = readable_studies()
    for text in broken:
        st.error(text, icon=":material/error:")
    if not studies:
        st.info("No study has a result yet: start one above.", icon=":material/info:")
        return
    left, right = st.columns([3, 2])
    default = next((n for n in studies if n.startswith("components ")), next(iter(studies)))
    if st.session_state.get("awaited") in studies:  # the study just started has a result
        st.session_state["study"] = st.session_state.pop("awaited")
    if st.session_state.get("study") not in studies:
        st.session_state.pop("study", None)  # deleted meanwhile, or without a result yet
    name = left.selectbox(
        "Study", list(studies), index=list(studies).index(default), key="study", bind="query-params"
    )
    study = studies[name]
    file = stamp(study_files()[name])
    measure = right.selectbox(
        "Figure",
        list(METRIC_LABELS),
        format_func=lambda m: METRIC_LABELS[m],
        key="figure",
        bind="query-params",
    )
    st.markdown(f"**{study.title}.** {study.question}")
    left, right = st.columns([3, 2])
    variants = study.variants
    first = study.reference
    base = right.selectbox(
        "Compared with",
        variants,
        index=variants.index(first),
        key=f"base-{name}",
        bind="query-params",
    )
    picked = left.multiselect(
        "Variants shown",
        variants,
        key=f"variants-{name}",
        placeholder=f"all {len(variants)}",
        wrap=True,
        bind="query-params",
    )
    shown = tuple(n for n in variants if n in picked or n == base) if picked else ()
    views = available(study)
    view = st.segmented_control(
        "Picture", views, default="varied" if "varied" in views else views[0], required=True,
        format_func=lambda n: FIGURE_LABELS[n], key="picture", bind="query-params",
    )  # fmt: skip
    with sentences():
        picture = drawn(file, view, measure, base, shown)
        show_figure(picture.figure, f"{name}-{view}-{measure}", picture.data)
        st.caption(picture.caption)
    with sentences():
        st.subheader("Table")
        table = tabled(file, base, shown)
        if table.empty:
            st.info("The variants share no task and seed yet; wait for more cells.")
        else:
            show_table(table, f"{name.split(' ')[0]}-table", column_config=columns(base))
            few = [n for n in shown or variants if n not in set(table["variant"])]
            if few:
                st.caption(f"Too few cells to be in the table: {listed(few)}.")
            one = table.iloc[0]
            st.caption(
                f"Each row rests on the same {counted(one['trials'], 'trial')}: "
                f"{counted(one['tasks'], 'task')}, {counted(one['seeds'], 'seed')}. low and high: "
                f"95 % interval over seeds. Differences are paired with {base}, on the cells both "
                "have; seconds of one machine."
            )
    box = st.expander("The cells behind these numbers", key="cells", on_change="rerun")
    if box.open:
        with box:
            trials = behind(study)
            trials = trials[trials["variant"].isin(shown)] if shown else trials
            show_table(trials, f"{name.split(' ')[0]}-cells")
            st.caption(f"{len(trials):,} cells of {study.path}; each line holds all its settings.")


def columns(base: str) -> dict:
    """Headings and digits of the table."""
    number = st.column_config.NumberColumn
    names = {
        "balanced_accuracy": "balanced accuracy", "spread": "± over seeds", "low": "low",
        "high": "high", "difference": f"minus {base}", "difference_low": "its low",
        "difference_high": "its high", "average_precision": "average precision",
        "roc_auc": "ROC AUC", "mcc": "MCC", "accuracy": "accuracy",
        "recall_rarest": "recall, rarest class", "recall_commonest": "recall, commonest class",
    }  # fmt: skip
    found = {key: number(text, format="%.3f") for key, text in names.items()}
    return found | {
        "seconds": number("seconds", format="%.1f"),
        "won": number("cells won"),
        "pairs": number("of cells"),
        "left_out": number("cells left out"),
    }


st.title("Ablations")
st.markdown(
    "A *study* is one question, put to several variants on the same tasks and seeds. A *cell* is "
    "one run of it. Those shipped are shown at once; yours are kept in `runs/studies`."
)
with sentences():
    from clmle.studies.background import background_studies

    form = st.expander(
        "Start a study", icon=":material/add:", key="starting", on_change="rerun",
        bind="query-params",
    )  # fmt: skip
    if form.open:
        with form, sentences():
            new_study()
    started = background_studies()
    asked = st.query_params.get("study", "")
    if any(asked == mine(s.name) and not s.results.exists() for s in started):
        st.session_state["awaited"] = asked  # a link to a study without a result yet
    if started:
        st.header("Started here")
        study_cards(started)
    st.header("Results")
    st.fragment(results)()
