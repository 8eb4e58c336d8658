"""What a network sees: features before and after training, with the face of every point."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import streamlit as st

from app.widgets.guard import sentences
from app.widgets.runs import all_runs, label
from app.widgets.viewer import face_scatter
from clmle.run_folder import RunFolder

NAMES = {"umap": "UMAP", "tsne": "t-SNE", "pca": "PCA"}


def projection(run: RunFolder, method: str):
    """Coordinates by round; while a process makes them, a note that refreshes itself."""
    from clmle.projection import load_projection

    found = load_projection(run, method)
    if found is not None:
        return found
    key = f"projecting-{run.name}-{method}"
    process = st.session_state.get(key)
    if process is None:
        root = Path(__file__).resolve().parents[2]
        st.session_state[key] = process = subprocess.Popen(
            [sys.executable, "-m", "clmle", "project", str(run.path.resolve()), "--by", method],
            env=os.environ | {"PYTHONPATH": str(root)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    if process.poll() not in (None, 0):
        said = process.stderr.read().decode() if process.stderr else ""
        st.error(said.strip()[-300:] or "The projection failed; try another one.")
        return None

    @st.fragment(run_every=1.5)
    def waiting() -> None:
        st.info(
            f"{NAMES[method]} of {label(run)} is being computed: seconds for a few thousand "
            "points, and once up to half a minute to compile.",
            icon=":material/hourglass_top:",
        )
        if load_projection(run, method) is not None or process.poll() is not None:
            st.rerun()

    waiting()
    return None


@st.cache_resource(max_entries=2, show_spinner="Reading the images")
def images_of(path: str):
    """The data set of a run."""
    from clmle.settings import DataSettings
    from clmle.training import load_data

    settings = RunFolder(Path(path)).settings()
    return load_data(DataSettings(**settings["data"]), settings["train"]["seed"])


def groups(run: RunFolder, stored: dict, colour: str, names: list[str], dataset) -> list[str]:
    """What every point is coloured by."""
    if colour == "class":
        return [names[c] for c in stored["labels"]]
    if colour == "cluster":
        return ["test image" if c < 0 else f"cluster {c}" for c in stored["clusters"]]
    if colour == "split":
        return [["training image", "", "held out"][s] for s in stored["split"]]
    return [str(v) for v in np.asarray(dataset.columns["style"])[stored["rows"]]]


st.title("Embeddings")
with sentences():
    runs = {run.name: run for run in all_runs() if run.embedding_rounds()}
    if not runs:
        st.info("No run has features to show yet: start one.", icon=":material/info:")
        st.page_link("views/train.py", label="Train")
        st.stop()
    left, middle, right = st.columns([3, 2, 2])
    wanted = st.query_params.get("run", next(iter(runs)))
    name = left.selectbox(
        "Run", list(runs), index=list(runs).index(wanted) if wanted in runs else 0,
        format_func=lambda n: label(runs[n]),
    )  # fmt: skip
    st.query_params["run"] = name
    run = runs[name]
    method = middle.segmented_control(
        "Projection", list(NAMES), default="umap", format_func=lambda key: NAMES[key]
    )
    dataset = images_of(str(run.path))
    kinds = ["class", "cluster", "split", *(["style"] if "style" in dataset.columns else [])]
    colour = right.segmented_control("Colour by", kinds, default="class") or "class"
    frames = projection(run, method or "umap")
    if frames is not None:
        from clmle import figures
        from clmle.training import settings_from_dict, shown_of

        target = settings_from_dict(run.settings()).data.attribute
        task = shown_of(dataset, target)
        class_names = list(task.class_names)
        if target == "all" or "," in target:
            st.caption(f"Of its attributes the first is shown: {class_names[1]}.")
        first, last = min(frames), max(frames)
        stored = run.embedding(last)
        titles = {first: "before (prior features)" if first == 0 else f"round {first}"}
        if run.settings()["method"] in ("softmax", "over-sampling", "cost-sensitive"):
            titles[first] = "before (no training)"
        titles[last] = f"after round {last}" if last != first else titles[first]
        # Before and after are coloured alike, by what was known at the end: points can be followed.
        by = groups(run, stored, colour, class_names, dataset)
        figure = figures.embedding_scatter(
            [(titles[r], frames[r]) for r in sorted({first, last})],
            by,
            f"{label(run)}, {NAMES[method or 'umap']}, {len(by):,} images",
            height=560,
        )
        texts = [
            f"{class_names[c]}; {'held out' if s else f'cluster {k}' if k >= 0 else 'training'}; "
            f"image {r}"
            for c, s, k, r in zip(
                stored["labels"], stored["split"], stored["clusters"], stored["rows"], strict=True
            )
        ]
        alt = f"Scatter of {len(by)} faces before and after training; arrow keys step through."
        face_scatter(figure, dataset.images[stored["rows"]], texts, label=alt)
        st.caption(
            "Hover or touch a point to see its face; with the keyboard, focus the figure and use "
            "the arrow keys. Rare classes are shown in full, common ones by a sample."
        )
