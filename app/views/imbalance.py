"""What imbalance does: a live circle or sphere, methods side by side, three guided lessons."""

import streamlit as st

from app.widgets.error_display import sentences
from app.widgets.figure import kept, show_figure
from app.widgets.lessons import lesson_panel
from app.widgets.playground_controls import controls
from app.widgets.playground_jobs import studio
from app.widgets.playground_viewer import packed_trajectories, playground_viewer
from app.widgets.spreadsheet import as_csv

st.title("What imbalance does")
st.markdown(
    "Two classes on a circle or a sphere, in turns. The **majority** has many points, the "
    "**minority** few. A small network may bend it to tell them apart. Turn the dials and watch "
    "what each method makes of it."
)


@st.cache_data(max_entries=64, show_spinner=False)
def points_of(problem):
    """Training points and labels."""
    from clmle.playground import playground_task

    task = playground_task(problem)
    return task.images[task.train], task.labels[task.train]


def preview(problem) -> None:
    """The training points, drawn at once whatever is being trained."""
    import pandas as pd

    from clmle import figures

    points, labels = points_of(problem)
    data = pd.DataFrame(points, columns=list("xyz")[: points.shape[1]])
    kind = ["minority" if label else "majority" for label in labels]
    show_figure(kept(figures.playground_points, points, labels), "points", data.assign(kind=kind))


@st.cache_resource(max_entries=40, show_spinner=False)
def packed(keys: tuple, _courses: dict) -> bytes:
    """The courses of ``keys`` for the viewer: most turns of a dial come back to some."""
    from clmle import figures
    from clmle.playground import playground_grid

    first = next(iter(_courses.values()))
    selected = hardest(first)
    spec = figures.playground_spec(_courses, playground_grid(first.problem.dim), selected=selected)
    return packed_trajectories(spec, _courses, selected)


def reached(courses: dict) -> None:
    """The figures that the courses end with."""
    import pandas as pd

    from clmle import figures
    from clmle.playground import playground_grid

    first = next(iter(courses.values()))
    selected = hardest(first)
    grid = playground_grid(first.problem.dim)
    rows = [
        {
            "method": title,
            # Rounded as in the panels' titles: the browser would round halves the other way.
            "balanced accuracy": round(100 * c.balanced_accuracy[-1]),
            "minority found": round(100 * c.recall[-1, 1]),
            "majority found": round(100 * c.recall[-1, 0]),
            "impostors near the minority": round(100 * c.impostors[-1]),
        }
        for title, c in courses.items()
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        column_config={
            name: st.column_config.NumberColumn(format="%.0f %%") for name in list(rows[0])[1:]
        },
    )
    curve = pd.DataFrame(
        [
            {"method": t, "step": s, "balanced accuracy": b, "majority": r[0], "minority": r[1]}
            for t, c in courses.items()
            for s, b, r in zip(c.steps, c.balanced_accuracy, c.recall, strict=True)
        ]
    )
    with st.popover("Save", icon=":material/download:", help="Save figure or figures' data"):
        st.download_button(
            "Figure with all frames as HTML",
            lambda: figures.playground_panels(courses, grid, selected=selected).to_html(),
            "sphere.html",
            "text/html",
        )
        st.download_button("Curves as CSV", lambda: as_csv(curve), "sphere.csv")


def hardest(course) -> int:
    """The minority point with the most impostors around it at the end of training."""
    near = course.frames[-1].neighbors
    impostors = (course.labels[near] != course.labels[:, None]).sum(axis=1)
    return int((impostors - 100 * (course.labels == 0)).argmax())


def waiting(keys: list, titles: dict[str, str]) -> None:
    """Progress of what is being trained; the curves as far as they are known."""
    import time

    from clmle import figures
    from clmle.metrics.classification import balanced_accuracy

    @st.fragment(run_every=1.0)
    def part() -> None:
        with sentences():
            jobs = studio().want(keys)
            if all(job.ended for job in jobs):
                st.rerun()
            share = sum(job.progress for job in jobs) / len(jobs)
            began = st.session_state.setdefault("sphere-began", time.monotonic())
            spent = time.monotonic() - began
            left = (
                f", about {max(1, spent * (1 - share) / share):.0f} s left" if share > 0.1 else ""
            )
            st.progress(share, text=f"Training {len(jobs)} methods, frame by frame{left}")
            if st.button("Stop", icon=":material/stop:"):
                studio().keep_only([], keys)
                st.query_params["train"] = "off"
                st.rerun()
            lines = {
                titles[job.key[1]]: [
                    {"step": f.step, "balanced_accuracy": balanced_accuracy(f.confusion)}
                    for f in list(job.frames)
                ]
                for job in jobs
            }
            figure = figures.validation_curves(lines)
            figure.update_layout(title={"text": "Balanced accuracy on test points, so far"})
            figure.update_xaxes(range=[0, 200])
            show_figure(figure, "so-far")

    part()


studio().open()
with sentences():
    from clmle.methods import variant_title

    lessons = st.container()
    left, right = st.columns([3, 2])
    with left:
        problem, clusters, methods = controls()
    with right:
        preview(problem)
    titles = {name: variant_title(name) for name in methods}
    keys = [(problem, name, clusters) for name in methods]
    finished = {}
    if not methods:
        st.info("Choose a method or several above.", icon=":material/info:")
    elif st.query_params.get("train") != "on":
        if st.button("Train", type="primary", icon=":material/play_arrow:"):
            st.query_params["train"] = "on"
            st.rerun()
        st.caption("Takes a few seconds. After that it trains again whenever you turn a dial.")
    else:
        note = st.container()
        jobs = studio().want(keys)
        studio().keep_only(keys, st.session_state.get("sphere-keys", []))
        st.session_state["sphere-keys"] = keys
        for job in jobs:
            if job.error is not None:
                raise job.error
        if all(job.course is not None for job in jobs):
            st.session_state.pop("sphere-began", None)
            finished = {job.key[1]: job.course for job in jobs}
            named = {titles[name]: course for name, course in finished.items()}
        with note:
            if not finished:
                waiting(keys, titles)
        playground_viewer(packed(tuple(keys), named) if finished else None)
        if finished:
            reached(named)
    with lessons:
        lesson_panel(problem, clusters, finished)

with st.expander("What is drawn, and what is compared"):
    st.markdown(
        """
- **Outer ring**: what the method's own rule would decide at each place. **Diamonds**: the
  minority. **Dots**: the majority, spread inwards so that they can be told apart. **Hollow
  marks**: centroids of clusters. The dotted arc is the margin a1 around the selected point's
  cluster: no cluster of the other class should come nearer.
- **Impostors** are nearest neighbors of another class. Select a point to see its own.
- Every method is the laboratory's own, with the same points, network, seed, 200 steps of 64
  points and learning rate. Softmax takes points as they come; triplet, A-Softmax and
  oversampling draw both classes evenly.
- The network starts as the identity, so that local_imbalance are good before any training:
  rules that look at neighbors start well, and the question is whether training spoils them.
  CLMLE is Eq. 9 alone, repaired; the recipe for images adds a softmax and fitted offsets.
- With one mode a class oversampling, A-Softmax and even *CLMLE as printed* do better than
  CLMLE; with two it is level with oversampling; from three on it leads, and as printed it finds
  nothing of the minority. LMLE and A-Softmax vary much from draw to draw.
- Shares are of 240 test points of each class; one draw is an example, not a result.
"""
    )
