"""What imbalance does: a circle or sphere of points, methods compared, three guided lessons."""

import re
import time
from pathlib import Path
from typing import Any

import streamlit as st

from app.widgets.downloads import downloads
from app.widgets.error_display import errors_in_place
from app.widgets.figure import cached, show_figure
from app.widgets.lessons import lesson_panel
from app.widgets.playground_controls import controls
from app.widgets.playground_draws import draws, draws_panel
from app.widgets.playground_jobs import playground_jobs
from app.widgets.playground_viewer import packed_trajectories, playground_viewer
from app.widgets.runs import duration
from app.widgets.spreadsheet import as_csv
from app.widgets.sticky import sticky
from app.widgets.terms import meaning
from clmle import playground

PAGE = {"title": "What imbalance does", "icon": ":material/school:", "order": 10}

# The step of a lesson next to the sliders, where the steps themselves are out of sight.
STEP = """<style>
.st-key-playground-step {display: none}
@media (max-width: 640px) and (min-height: 600px) {
  .st-key-playground-step {display: flex; max-height: min(9rem, 20vh); overflow-y: auto}
  .st-key-playground-bar > :has(.st-key-playground-step), .st-key-playground-step
    {grid-column: 1 / -1}
}
@media (min-width: 641px) {
  .stHorizontalBlock:has(> .stColumn .st-key-playground-bar) {flex-wrap: nowrap}
  .stColumn:has(.st-key-playground-bar) {min-width: 17rem}
}
</style>"""

st.title("What imbalance does")
st.markdown(
    "The points of two classes lie on a circle or a sphere: many of the **majority**, few of the "
    "**minority**. A small network sees them rotated, among dimensions of noise, and learns to "
    "separate them. Change the sliders and compare what each method learns from the same points."
)

# The browser draws the title while these are imported.
import pandas as pd  # noqa: E402

from clmle import figures  # noqa: E402


@st.cache_data(max_entries=64, show_spinner=False)
def training_points(problem):
    """Training points, before nuisance dimensions hide them, and labels."""
    return playground.training_positions(problem)


def preview(problem) -> None:
    """The training points, drawn before anything is trained."""
    points, labels = training_points(problem)
    data = pd.DataFrame(points, columns=list("xyz")[: points.shape[1]])
    data["class"] = ["minority" if label else "majority" for label in labels]
    show_figure(cached(figures.playground_points, points, labels), "points", data)


@st.cache_resource(max_entries=40, show_spinner=False)
def packed(keys: tuple, _trajectories: dict) -> bytes:
    """The trajectories of ``keys`` for the viewer; kept, as visitors return to earlier settings."""
    first = next(iter(_trajectories.values()))
    grid, selected = playground.playground_grid(first.problem.dim), hardest(first)
    spec = figures.playground_spec(_trajectories, grid, selected=selected)
    return packed_trajectories(spec, _trajectories, selected)


def _of_modes(t: Any) -> dict[str, int]:
    return {
        "worst mode": round(100 * t.worst_mode_recall[-1]),
        "purity": round(100 * t.purity[-1]),
    }


def final_metrics(trajectories: dict) -> None:
    """Metrics at the end of training, and downloads."""
    rows = [
        {
            "method": title,
            # Rounded as in the titles of the panels: the browser would round halves differently.
            "balanced accuracy": round(100 * t.balanced_accuracy[-1]),
            "plain accuracy": round(100 * plain_accuracy(t)),
            **(_of_modes(t) if t.problem.modes > 1 else {}),
            "minority recall": round(100 * t.recall[-1, 1]),
            "majority recall": round(100 * t.recall[-1, 0]),
            "impostors": round(100 * t.impostors[-1]),
        }
        for title, t in trajectories.items()
    ]
    table = pd.DataFrame(rows)
    percent = {
        name: st.column_config.NumberColumn(format="%.0f %%", help=meaning(name))
        for name in table.columns[1:]
    }
    st.dataframe(table, hide_index=True, column_config=percent)
    st.caption(
        "Test points at the end of training, one seed. *Impostors* are those near the minority. "
        "With several modes, *worst mode* is the recall of the worst mode of the minority and "
        "*purity* the fraction of its 5 nearest points that are of the same mode. The controls are "
        "CLMLE with one part taken away: what it gains over a control is what that part "
        "contributes with this seed."
    )

    def figure() -> str:
        first = next(iter(trajectories.values()))
        grid = playground.playground_grid(first.problem.dim)
        selected = hardest(first)
        return figures.playground_panels(trajectories, grid, selected=selected).to_html()

    def curves() -> str:
        columns = ("method", "step", "balanced accuracy", "majority recall", "minority recall")
        points = [
            (title, step, balanced, *recall)
            for title, t in trajectories.items()
            for step, balanced, recall in zip(t.steps, t.balanced_accuracy, t.recall, strict=True)
        ]
        return as_csv(pd.DataFrame(points, columns=columns))

    downloads(
        "Save", "Save the figure or the learning curves",
        {
            "Figure with all frames as HTML": (figure, "playground.html"),
            "Learning curves as CSV": (curves, "playground.csv"),
        },
    )  # fmt: skip


def plain_accuracy(trajectory) -> float:
    """Accuracy where test points are as imbalanced as the training points."""
    majority, minority = trajectory.recall[-1]
    ratio = trajectory.problem.ratio
    return float((ratio * majority + minority) / (ratio + 1))


def hardest(trajectory) -> int:
    """The minority point with the most impostors around it at the end of training."""
    near = trajectory.frames[-1].neighbors
    impostors = (trajectory.labels[near] != trajectory.labels[:, None]).sum(axis=1)
    return int((impostors - 100 * (trajectory.labels == 0)).argmax())


def progress(keys: list, titles: dict[str, str]) -> None:
    """Progress of the training and the learning curves so far."""

    @st.fragment(run_every=1.0)
    def part() -> None:
        with errors_in_place():
            jobs = playground_jobs().want(keys)
            if all(job.ended for job in jobs):
                st.rerun()
            done = sum(job.progress for job in jobs) / len(jobs)
            began = st.session_state.setdefault("playground-began", time.monotonic())
            text = f"Training {len(jobs)} {'method' if len(jobs) == 1 else 'methods'}"
            if done > 0.1:
                left = (time.monotonic() - began) * (1 - done) / done
                text += f", about {duration(max(1, left))} left"
            st.progress(done, text=text)
            if st.button("Stop", icon=":material/stop:"):
                playground_jobs().cancel(keys)
                st.query_params["train"] = "off"
                st.rerun()
            lines = {
                titles[job.key[1]]: [
                    {"step": f.step, "balanced_accuracy": f.balanced_accuracy}
                    for f in list(job.frames)
                ]
                for job in jobs
            }
            figure = figures.validation_curves(lines)
            figure.update_layout(title={"text": "Balanced accuracy on test points, so far"})
            figure.update_xaxes(range=[0, playground.STEPS])
            show_figure(figure, "so-far")

    part()


st.html(STEP)
playground_jobs().open()
with errors_in_place():
    lessons = st.container()
    left, right = st.columns([1, 3], gap="medium")
    below = st.container()
    with left:
        bar = sticky("playground-bar")
        step = bar.container(key="playground-step")
        problem, clusters, classifier, methods = controls(bar)
        with st.expander("What to try here, and why", icon=":material/lightbulb:"):
            for sentence in playground.suggestions(problem):
                name, text = sentence.split(": ", 1)
                st.markdown(f"**{name}:** {text}")
    titles = {name: playground.playground_title(name) for name in methods}
    keys = [(problem, name, clusters, classifier, playground.EVERY) for name in methods]
    finished = {}
    if not methods:
        with right:
            st.info("Choose one or more methods.", icon=":material/info:")
            preview(problem)
    elif st.query_params.get("train") != "on":
        with right:
            if st.button("Train", type="primary", icon=":material/play_arrow:"):
                st.query_params["train"] = "on"
                st.rerun()
            st.caption("Takes a few seconds. Afterwards every change of a slider trains again.")
            preview(problem)
    else:
        note = right.container()
        jobs = playground_jobs().want(keys)
        shown = [*keys, *draws(keys)]
        earlier, changed = st.session_state.get("playground-keys", ([], 0.0))
        if shown != earlier:
            playground_jobs().cancel([key for key in earlier if key not in shown])
            changed = time.monotonic()
            st.session_state["playground-keys"] = shown, changed
        for job in jobs:
            if job.error is not None:
                raise job.error
        if all(job.trajectory is not None for job in jobs):
            st.session_state.pop("playground-began", None)
            finished = {job.key[1]: job.trajectory for job in jobs}
        with note:
            if not finished:
                progress(keys, titles)
        named = {titles[name]: trajectory for name, trajectory in finished.items()}
        with right:
            playground_viewer(packed(tuple(keys), named) if finished else None)
        if finished:
            with below:
                final_metrics(named)
                draws_panel(keys, titles, changed)
    with lessons:
        lesson_panel(problem, clusters, finished, step)

with st.expander("What is shown and compared"):
    text = Path(__file__).with_suffix(".md").read_text("utf-8")
    st.markdown(re.sub("<!-- .*? -->\n", "", text))  # marks of the generated part
