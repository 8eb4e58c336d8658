"""What this is, and a demonstration that starts at once."""

import dataclasses
import os

import streamlit as st

QUESTIONS = (
    (
        "imbalance", "What does imbalance do?", ":material/school:", {"lesson": "break-softmax"},
        "A circle with many points of one class and few of the other: turn a dial and watch a "
        "network give up the few, in seconds. Three short lessons.",
    ),
    (
        "ablations", "Which method is best?", ":material/science:",
        {"study": "leaderboard (shipped)"},
        "CLMLE and its strongest rivals on the same tasks and seeds, with intervals: where it "
        "wins, and where it does not.",
    ),
    (
        "paper", "What of the paper was repaired?", ":material/article:", None,
        "What fails as printed beside what repairs it, what each repair is worth, and the "
        "published tables.",
    ),
)  # fmt: skip

st.title("Learning from imbalanced classes")
st.markdown(
    "When one class is rare, a network learns to ignore it. **CLMLE** cuts every class into "
    "clusters of equal size and pushes neighboring clusters apart by a margin, so that a rare "
    "class faces as many neighbors as a common one. Here it learns next to a plain softmax, "
    "from illustrated faces of which only 6\u00a0% wear glasses."
)

# The browser draws the title while these are read, 0.1 s on a server that has just begun.
from app.widgets.error_display import sentences  # noqa: E402
from app.widgets.live_curves import live  # noqa: E402
from app.widgets.runs import all_runs  # noqa: E402


def start_demo() -> None:
    """Both methods at once, half of the cores each, the same budget."""
    from clmle.jobs.launch import launch
    from clmle.presets import preset_config

    threads = max(1, (os.cpu_count() or 2) // 2)
    names = []
    for method in ("clmle", "softmax"):
        config = preset_config("quick", method, "toonfaces", "Eyeglasses")
        train = dataclasses.replace(config.train, threads=threads)
        names.append(launch(dataclasses.replace(config, train=train)).name)
    st.query_params["demo"] = names


with sentences():
    runs = {run.name: run for run in all_runs()}
    demo = [runs[name] for name in st.query_params.get_all("demo") if name in runs]
    if not demo:
        again = "Run the demonstration again" if runs else "Run the demonstration"
        if st.button(again, type="primary", icon=":material/play_arrow:"):
            start_demo()
            st.rerun()
        st.caption(
            "Trains CLMLE and softmax side by side in under 3 minutes on two cores; "
            "the first time it also draws 9,000 faces."
        )
        if runs:
            what = "run there is" if len(runs) == 1 else f"{len(runs)} runs there are"
            st.page_link(
                "views/train.py", label=f"See the {what}", icon=":material/model_training:"
            )
    else:
        live(demo, "demo")
        if all(run.status()["state"] == "done" for run in demo):
            st.success("Done. Now look at what the two networks see.")
            st.page_link(
                "views/embeddings.py", label="Embeddings before and after",
                icon=":material/scatter_plot:", query_params={"run": demo[0].name},
            )  # fmt: skip
        if st.button("Start over", icon=":material/restart_alt:"):
            st.query_params.clear()
            st.rerun()

st.subheader("Or begin with a question")
for place, (name, question, icon, query, answer) in zip(st.columns(3), QUESTIONS, strict=True):
    with place.container(border=True, height="stretch"):
        st.page_link(f"views/{name}.py", label=question, icon=icon, query_params=query)
        st.caption(answer)
