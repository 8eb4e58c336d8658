"""What a network sees: features from round to round, with the face of every point."""

import dataclasses
from pathlib import Path

import numpy as np
import streamlit as st

from app.widgets.background_tasks import helpers
from app.widgets.error_display import sentences
from app.widgets.faces import images_of
from app.widgets.models import model_of
from app.widgets.runs import all_runs, is_active, label
from app.widgets.spreadsheet import as_csv
from app.widgets.uploads import uploaded_images
from app.widgets.viewer import face_scatter, face_sheets
from clmle.jobs.process import start_module
from clmle.run_folder import RunFolder

# The first is shown unasked: as in the paper (Fig. 5), and UMAP must be compiled first.
NAMES = {"tsne": "t-SNE", "umap": "UMAP", "pca": "PCA"}
PATIENCE = {
    "umap": "seconds each for a few thousand points, the first a minute or two, to compile",
    "tsne": "seconds each for a few thousand points",
    "pca": "seconds for all of them",
}
NEAR = 10  # neighbors that make a neighborhood
MOST_OWN = 24  # images handed in


def projection(run: RunFolder, method: str):
    """Coordinates by round, of those made so far; the others come while one looks."""
    from clmle.projection import load_projection

    rounds = run.embedding_rounds()
    found = load_projection(run, method) or {}
    if len(found) >= len(rounds):
        return found
    path = str(run.path.resolve())
    helper = helpers().want(
        f"projecting {path} {method} {len(rounds)}",
        lambda: start_module("clmle", "embed", path, "--method", method),
    )
    if helper.failed:
        st.error(helper.last_words("The projection failed; try another one."))
        return found

    @st.fragment(run_every=1.5)
    def waiting() -> None:
        st.progress(
            len(found) / len(rounds),
            text=f"{NAMES[method]} of {label(run)}: {len(found)} of {len(rounds)} rounds; "
            f"{PATIENCE[method]}.",
        )
        now = load_projection(run, method) or {}
        if len(now) != len(found) or not helper.running:
            st.rerun()

    waiting()
    return found


@st.cache_data(max_entries=4, show_spinner="Judging the images shown")
def judgement_of(path: str, changed: float):
    """What the run's best round says of the images whose features are stored; None so far."""
    from clmle.training import explain

    run = RunFolder(Path(path))
    if not run.model_path.exists():
        return None
    stored = run.embedding(run.embedding_rounds()[-1])
    return explain(run, images_of(path).images[stored["rows"]], stored["labels"])


@st.cache_data(max_entries=4, show_spinner=False)
def around(path: str, round_: int, k: int):
    """Impostors around every point in a round's features."""
    from clmle.metrics import local_imbalance

    stored = RunFolder(Path(path)).embedding(round_)
    return local_imbalance(stored["features"], stored["labels"], k)


@st.cache_resource(max_entries=4, show_spinner="Putting the faces side by side")
def sheets_of(path: str, round_: int):
    """The images of a run whose features are stored, as sheets."""
    rows = RunFolder(Path(path)).embedding(round_)["rows"]
    return face_sheets(images_of(path).images, rows)


def groups(stored: dict, color: str, names: list[str], dataset, judged) -> list[str]:
    """What every point is colored by, where that is a name."""
    if color == "cluster":
        return ["test image" if c < 0 else f"cluster {c}" for c in stored["clusters"]]
    if color == "split":
        return [["training image", "", "held out"][s] for s in stored["split"]]
    if color == "mistake" and judged is not None:
        return [
            f"{names[c]}, {'right' if p == c else 'taken for ' + names[p]}"
            for c, p in zip(stored["labels"], judged.predicted, strict=True)
        ]
    if color in dataset.attributes:
        words = {1: color, 0: f"not {color}", -1: "unknown"}
        return [words[int(v)] for v in dataset.attributes[color][stored["rows"]]]
    if color in dataset.metadata:
        return [str(v) for v in np.asarray(dataset.metadata[color])[stored["rows"]]]
    return [names[c] for c in stored["labels"]]


def numbers(run: RunFolder, color: str, last: int, judged):
    """What every point is colored by, where that is a number, and what it is called."""
    if color == "loss" and judged is not None:
        return np.minimum(judged.loss, np.quantile(judged.loss, 0.99)), "loss"
    if color == "impostors nearby":
        found = around(str(run.path), last, NEAR)
        return found.impostor_rate, f"share of impostors among {NEAR} neighbors"
    if color == "local imbalance":
        found = around(str(run.path), last, NEAR)
        return found.relative_density, "same class nearby, relative to its overall fraction"
    return (), ""


def table_of(titles, by: list[str], texts: list[str]) -> bytes:
    """Every point in every round, as CSV."""
    import pandas as pd

    columns: dict = {"group": by, "image": texts}
    for title, points in titles:
        columns[f"x, {title}"], columns[f"y, {title}"] = points[:, 0], points[:, 1]
    return as_csv(pd.DataFrame(columns)).encode()


def handed_in(run: RunFolder):
    """Images of one's own: names, pixels and what the run says of them; None where there are none.

    They are judged as if of the first class, which only their losses depend on.
    """
    from clmle.training import explain

    with st.expander("Images of your own among them", icon=":material/add_photo_alternate:"):
        shape = model_of(run).image_shape
        found = uploaded_images(
            "Images", shape, "own-images", MOST_OWN,
            f"cut to their middle, {shape[0]} x {shape[1]} pixels; they stay in this session",
        )  # fmt: skip
        st.caption(
            f"Each becomes a star among the {NEAR} images most like it, at the median of their "
            "places; click it to see how it is judged."
        )
    if not found:
        return None
    pixels = np.stack([image for _, image in found])
    return (
        [name for name, _ in found],
        pixels,
        explain(run, pixels, np.zeros(len(found), dtype=int)),
    )


def both(judged, own):
    """Two judgements as one, the images handed in last."""
    joined = {}
    for field in ("features", "scores", "predicted", "loss", "clusters", "similarity"):
        first, second = getattr(judged, field), getattr(own, field)
        joined[field] = None if first is None else np.concatenate([first, second])
    return dataclasses.replace(judged, **joined)


def explanation(judged, stored: dict, names: list[str]):
    """Scores and nearest clusters of every point, for the viewer."""
    if judged is None:
        return None
    from clmle.metrics.classification import finite

    why: dict = {"classes": names, "scores": finite(judged.scores)}
    if judged.clusters is not None:
        members: dict = {}
        for k in np.unique(judged.clusters):
            rows = np.flatnonzero(stored["clusters"] == k)
            # The members most like their cluster stand for it.
            own = judged.features[rows].mean(axis=0) if len(rows) else 0
            best = rows[np.argsort(-(judged.features[rows] @ own))[:4]] if len(rows) else rows
            members[int(k)] = [names[judged.cluster_classes[k]], best.tolist()]
        why |= {
            "near": judged.clusters,
            "similarity": judged.similarity,
            "clusters": members,
        }
    return why


st.title("Embeddings")
with sentences():
    from clmle.methods import get_method

    runs = {run.name: run for run in all_runs() if run.embedding_rounds()}
    if not runs:
        st.info(
            "No run has features to show yet. The demonstration on the first page makes two in "
            "minutes; on Train you choose data and methods yourself.",
            icon=":material/info:",
        )
        st.page_link("views/start.py", label="Start", icon=":material/play_circle:")
        st.page_link("views/train.py", label="Train", icon=":material/model_training:")
        st.stop()
    left, middle, right = st.columns([3, 2, 2])
    # The latest that is done: of one that has just begun there is little to see.
    done = next((n for n in runs if not is_active(runs[n])), next(iter(runs)))
    wanted = st.query_params.get("run", done)
    name = left.selectbox(
        "Run", list(runs), index=list(runs).index(wanted if wanted in runs else done),
        format_func=lambda n: label(runs[n]),
    )  # fmt: skip
    if st.query_params.get("run", name) != name:
        for noted in ("round", "point"):  # by the viewer, of the run looked at before
            st.query_params.pop(noted, None)
    st.query_params["run"] = name
    run = runs[name]
    usual = next(iter(NAMES))
    wanted = st.query_params.get("by", usual)
    method = middle.segmented_control(
        "Projection", list(NAMES), default=wanted if wanted in NAMES else usual,
        format_func=lambda key: NAMES[key],
    ) or usual  # fmt: skip
    dataset = images_of(str(run.path))
    kinds = ["class", "mistake", "cluster", "split", "loss", "impostors nearby", "local imbalance"]
    kinds += [n for n in ("style",) if n in dataset.metadata] + list(dataset.attributes)
    wanted = st.query_params.get("color", "class")
    color = right.selectbox("Color by", kinds, index=kinds.index(wanted) if wanted in kinds else 0)
    st.query_params.update({"by": method, "color": color})
    if is_active(run):
        st.info(
            f"This run is still being trained: shown are its first {len(run.embedding_rounds())} "
            f"rounds of {run.config()['train']['rounds'] + 1}.",
            icon=":material/hourglass_top:",
        )
        st.page_link(
            "views/train.py", label="Watch it", icon=":material/model_training:",
            query_params={"runs": run.name},
        )  # fmt: skip
    frames = projection(run, method)
    if frames:
        from clmle import figures
        from clmle.projection import place
        from clmle.training import config_from_dict, embedding_task_of

        target = config_from_dict(run.config()).data.attribute
        class_names = list(embedding_task_of(dataset, target).class_names)
        if target == "all" or "," in target:
            st.caption(f"Of its attributes the first is shown: {class_names[1]}.")
        last = max(run.embedding_rounds())
        stored = run.embedding(last)
        model = run.model_path
        judged = judgement_of(str(run.path), model.stat().st_mtime if model.exists() else 0.0)
        # All rounds are colored alike, by what was known at the end: points can be followed.
        by = groups(stored, color, class_names, dataset, judged)
        values, of = numbers(run, color, last, judged)
        start = "prior features" if get_method(run.config()["method"]).uses_clusters else "start"
        titles = [(f"round {r}" if r else start, frames[r]) for r in sorted(frames)]
        height, width = dataset.images.shape[1:3]
        sheets = sheets_of(str(run.path), last)
        texts = [
            f"{class_names[c]}{'' if p == c else f', judged {class_names[p]}'}; "
            f"{'held out' if s else f'cluster {k}' if k >= 0 else 'training'}; image {r}"
            for c, p, s, k, r in zip(
                stored["labels"],
                stored["labels"] if judged is None else judged.predicted,
                stored["split"],
                stored["clusters"],
                stored["rows"],
                strict=True,
            )
        ]
        own = None if judged is None else handed_in(run)
        if own is not None:
            names, pixels, said = own
            titles = [
                (t, np.concatenate([f, place(f, judged.features, said.features, NEAR)]))
                for t, f in titles
            ]
            sheets = sheets + face_sheets(pixels, np.arange(len(pixels)), len(texts))
            by += [figures.OWN] * len(names)
            values = [*values, *np.zeros(len(names))] if len(values) else values
            texts += [
                f"{name}, handed in; judged {class_names[p]}"
                for name, p in zip(names, said.predicted, strict=True)
            ]
            judged = both(judged, said)
        figure = figures.embedding_map(
            titles[-1][1],
            f"{label(run)}, {NAMES[method]}, {len(by):,} images",
            groups=by,
            values=values,
            of=of,
        )
        every = np.concatenate([f for _, f in titles])
        for axis, column in (("xaxis", 0), ("yaxis", 1)):
            low, high = every[:, column].min(), every[:, column].max()
            room = 0.03 * (high - low) or 1.0
            figure.update_layout({axis: {"range": [low - room, high + room]}})
        face_scatter(
            figure,
            sheets,
            (width, height),
            texts,
            label=f"Scatter of {len(by)} images after training; arrow keys step through them, "
            "Enter explains one.",
            frames=titles,
            groups=by,
            why=explanation(judged, stored, class_names),
        )
        st.caption(
            "Play or drag the slider to see the points move from round to round. Hover or touch a "
            "point for its face, click it for its nearest clusters; with the keyboard, focus the "
            "figure and use the arrow keys and Enter. Rare classes are shown in full, common ones "
            "by a sample. Judged by the best round on validation images."
        )
        with st.popover("Save", icon=":material/download:", help="Save the points and the figure"):
            stem = f"{run.name}-{method}"
            st.download_button(
                "Points of all rounds as CSV", lambda: table_of(titles, by, texts), f"{stem}.csv",
                "text/csv",
            )  # fmt: skip
            st.download_button(
                "Figure as HTML", lambda: figure.to_html(include_plotlyjs=True), f"{stem}.html",
                "text/html",
            )  # fmt: skip
