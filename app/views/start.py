"""What this is: networks that learn at once, and a demonstration with images."""

import streamlit as st

from app.first_view import TEXT, TITLE

PAGE = {"title": "Start", "icon": ":material/play_circle:", "order": 0}

QUESTIONS: tuple[tuple[str, str, dict[str, str], str], ...] = (
    (
        "imbalance", "What does imbalance do?", {"lesson": "break-softmax"},
        "Points of two classes on a circle, many of one and few of the other: move a slider and "
        "watch a network ignore the minority class within seconds. Three short lessons.",
    ),
    (
        "ablations", "Which method is best?", {"study": "summary"},
        "All comparisons at once: CLMLE against the strongest baseline on every data set, with "
        "confidence intervals. Where it is better, and where it is not.",
    ),
    (
        "paper", "Which claims hold?", {},
        "Each claim of the paper with its tests: reproduced, reproduced in part or not. The "
        "equations as printed next to their corrections, and the published tables.",
    ),
)  # fmt: skip

st.title(TITLE)
st.markdown(TEXT)

from app.widgets.browser_playground import browser_playground  # noqa: E402

browser_playground()

# The browser draws the title while these are imported, 0.1 s on a server that has just started.
from app.visitors import read_only  # noqa: E402
from app.widgets.demonstration import demonstration_data, start_demonstration, was_run  # noqa: E402
from app.widgets.error_display import errors_in_place  # noqa: E402
from app.widgets.live_curves import live  # noqa: E402
from app.widgets.pages import link  # noqa: E402
from app.widgets.runs import all_runs  # noqa: E402

link("imbalance", "All sliders, methods and lessons")
st.subheader("The same with images")
st.markdown(
    "**CLMLE** divides every class into clusters of equal size and separates neighboring clusters "
    "of different classes by a margin, so that a rare class has as many neighbors as a common one. "
    "The demonstration trains CLMLE, oversampling with tuned thresholds and a plain softmax on "
    "handwritten digits: 89 images of 0, and ever fewer down to 4 of 9."
)

with errors_in_place():
    runs = {run.name: run for run in all_runs()}
    demo = [runs[name] for name in st.query_params.get_all("demo") if name in runs]
    if not demo:
        again = " again" if was_run(runs.values()) else ""
        if read_only():
            st.caption("This server is read-only: the demonstration cannot be started here.")
        elif st.button(
            f"Run the demonstration{again}", type="primary", icon=":material/play_arrow:"
        ):
            st.query_params["demo"] = start_demonstration()
            st.rerun()
        st.caption(
            "Trains CLMLE (single-label preset, with threshold tuning), oversampling with the "
            "same threshold tuning, and softmax, in less than a minute on two cores. The "
            "comparison with oversampling, which gets the same tuning, is the fair one; one seed "
            "is an example."
        )
        if runs:
            text = "Show the run" if len(runs) == 1 else f"Show all {len(runs)} runs"
            link("train", text)
    else:
        demonstration_data()
        live(demo, "demo")
        if all(run.status()["state"] == "done" for run in demo):
            st.success("Done. Next, look at the features of the networks.")
            link("embeddings", "Embeddings before and after training", run=demo[0].name)
        if st.button("Start over", icon=":material/restart_alt:"):
            st.query_params.clear()
            st.rerun()

st.subheader("Or start with a question")
for column, (name, question, query, answer) in zip(st.columns(3), QUESTIONS, strict=True):
    with column.container(border=True, height="stretch"):
        link(name, question, **query)
        st.caption(answer)
