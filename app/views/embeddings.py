"""Features of a network from round to round, with the image of every point; two runs compared."""

import time
from uuid import uuid4

import streamlit as st

from app.widgets.background_tasks import background_tasks, wait_for
from app.widgets.embedding_view import NAMES, draw, limits_of, view_of, with_uploads
from app.widgets.error_display import errors_in_place
from app.widgets.literal import literal
from app.widgets.live_curves import data_of
from app.widgets.pages import link
from app.widgets.run_contents import images_of
from app.widgets.runs import all_runs, duration, is_active, label
from app.widgets.terms import explained, meaning
from clmle import RunFolder, jobs, projection

PAGE = {"title": "Embeddings", "icon": ":material/scatter_plot:", "order": 40}

DURATION = {
    "umap": "seconds each for a few thousand points; the very first is compiled in a minute",
    "tsne": "seconds each for a few thousand points",
    "pca": "seconds for all of them",
}


def projections(run: RunFolder, method: str):
    """Coordinates by round, as far as they exist; the others are computed meanwhile."""
    rounds = run.embedding_rounds()
    found = projection.load_projection(run, method) or {}
    if len(found) >= len(rounds):
        return found
    path = str(run.path.resolve())
    task = background_tasks().want(
        f"projecting {path} {method} {len(rounds)}",
        lambda: jobs.start_module("clmle", "embed", path, "--method", method),
    )
    if task.failed:
        st.error(task.error("The projection failed; choose another one."))
        return found

    def progress() -> None:
        passed = time.monotonic() - task.began
        left = f"{DURATION[method]}; {duration(passed)} so far"
        if found:
            left = f"about {duration(passed * (len(rounds) - len(found)) / len(found))} left"
        text = f"{NAMES[method]} of {literal(label(run))}: {len(found)} of {len(rounds)} rounds"
        st.progress(len(found) / len(rounds), text=f"{text}, {left}.")

    wait_for(
        lambda: task.running,
        lambda: len(projection.load_projection(run, method) or {}) != len(found),
        progress,
    )
    return found


st.title("Embeddings")
with errors_in_place():
    runs = {run.name: run for run in all_runs() if run.embedding_rounds()}
    if not runs:
        st.info(
            "No run has stored features yet. The demonstration on the first page creates two runs "
            "in minutes; on the page Train you choose data and methods.",
            icon=":material/info:",
        )
        link("start", "Start")
        link("train", "Train")
        st.stop()
    # The latest finished run: one that has just started has little to show.
    done = next((n for n in runs if not is_active(runs[n])), next(iter(runs)))
    wanted = st.query_params.get("run", done)
    left, other, middle, right = st.columns([5, 5, 5, 4])
    name = left.selectbox(
        "Run", list(runs), index=list(runs).index(wanted if wanted in runs else done),
        format_func=lambda n: label(runs[n]),
    )  # fmt: skip
    usual = next(iter(NAMES))
    wanted = st.query_params.get("by", usual)
    method = middle.segmented_control(
        "Projection", list(NAMES), default=wanted if wanted in NAMES else usual, required=True,
        format_func=lambda key: NAMES[key], help=meaning("projection"), wrap=True,
    )  # fmt: skip
    others = ["", *(n for n in runs if n != name)]
    wanted = st.query_params.get("other", "")
    second = other.selectbox(
        "Next to it", others, index=others.index(wanted) if wanted in others else 0,
        format_func=lambda n: label(runs[n]) if n else "no other run", key=f"other-{name}",
    )  # fmt: skip
    if st.query_params.get("run", name) != name:
        for noted in ("round", "point"):  # set by the viewer for the previous run
            st.query_params.pop(noted, None)
    if second != st.query_params.get("other", ""):
        for noted in ("other", "other-round", "other-point"):
            st.query_params.pop(noted, None)
    shown = [runs[n] for n in (name, second) if n]
    datasets = [images_of(str(run.path)) for run in shown]
    kinds = [
        "class", "prediction", "cluster", "split", "loss", "impostors nearby", "local imbalance",
        *(
            n for n in ("style", *datasets[0].attributes)
            if all(n in {**d.metadata, **d.attributes} for d in datasets)
        ),
    ]  # fmt: skip
    wanted = st.query_params.get("color", "class")
    color = right.selectbox(
        "Color by", kinds, index=kinds.index(wanted) if wanted in kinds else 0,
        help=explained(["impostor", "local imbalance", "cluster", "validation images"]),
    )  # fmt: skip
    st.query_params.update({"run": name, "by": method, "color": color})
    if second:
        st.query_params["other"] = second
    for run in shown:
        if is_active(run):
            st.info(
                f"This run is still training: its first {len(run.embedding_rounds())} of "
                f"{run.config()['train']['rounds'] + 1} rounds are shown.",
                icon=":material/hourglass_top:",
            )
            link("train", "Watch the training", runs=run.name)
    views = []
    for column, run, dataset in zip(st.columns(len(shown)), shown, datasets, strict=True):
        with column:
            frames = projections(run, method)
            if frames:
                views.append((column, view_of(run, method, color, dataset, frames)))
    same = len(views) == 2 and len({data_of(run) for run in shown}) == 1
    # Two pages of a browser do not share their selections.
    channel = st.session_state.setdefault("channel", uuid4().hex) if same else ""
    limits = limits_of([view for _, view in views])
    for number, (column, view) in enumerate(views):
        with column:
            whole = view if second else with_uploads(view)
            draw(whole, limits=limits, channel=channel, second=number > 0)
    if views:
        both = " Images chosen in one plot are ringed in the other." if same else ""
        st.caption(
            "Play or drag the slider to see the points move from round to round. Hover over or "
            "touch a point to see its image, click it to see its nearest clusters; with the "
            "keyboard, focus the figure and use the arrow keys and Enter. Rare classes are shown "
            "completely, common ones by a sample. Predictions are those of the best round on "
            f"validation images.{both}"
        )
