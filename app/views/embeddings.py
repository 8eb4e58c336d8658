"""Features of a network from round to round, with the image of every point."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from app.widgets.background_tasks import background_tasks, wait_for
from app.widgets.downloads import downloads
from app.widgets.error_display import errors_in_place
from app.widgets.literal import literal
from app.widgets.pages import link
from app.widgets.run_contents import images_of, model_of
from app.widgets.runs import all_runs, is_active, label
from app.widgets.spreadsheet import as_csv
from app.widgets.uploads import uploaded_images
from app.widgets.viewer import image_scatter, image_sheets, sides
from clmle import RunFolder, figures, jobs, methods, metrics, projection, training

PAGE = {"title": "Embeddings", "icon": ":material/scatter_plot:", "order": 40}

# The first is the default: the paper uses it (Fig. 5), and UMAP is compiled on first use.
NAMES = {"tsne": "t-SNE", "umap": "UMAP", "pca": "PCA"}
DURATION = {
    "umap": "seconds each for a few thousand points; the very first is compiled in a minute",
    "tsne": "seconds each for a few thousand points",
    "pca": "seconds for all of them",
}
NEIGHBORS = 10
MAX_UPLOADS = 24


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
        text = f"{NAMES[method]} of {literal(label(run))}: {len(found)} of {len(rounds)} rounds; "
        st.progress(len(found) / len(rounds), text=f"{text}{DURATION[method]}.")

    wait_for(
        lambda: task.running,
        lambda: len(projection.load_projection(run, method) or {}) != len(found),
        progress,
    )
    return found


@st.cache_data(max_entries=4, show_spinner="Predicting the classes of the images shown")
def explanation_of(path: str, changed: float):
    """Predictions of the run's best round for its stored images; None before the first round."""
    run = RunFolder(Path(path))
    if not run.model_path.exists():
        return None
    stored = run.embedding(run.embedding_rounds()[-1])
    return training.explain(run, images_of(path).images[stored["rows"]], stored["labels"])


@st.cache_data(max_entries=4, show_spinner=False)
def neighborhoods(path: str, round_: int, k: int):
    """Impostors around every point in the features of a round."""
    stored = RunFolder(Path(path)).embedding(round_)
    return metrics.local_imbalance(stored["features"], stored["labels"], k)


@st.cache_resource(max_entries=4, show_spinner="Preparing the images")
def sheets_of(path: str, round_: int):
    """The images of a run whose features are stored, as sheets."""
    rows = RunFolder(Path(path)).embedding(round_)["rows"]
    return image_sheets(images_of(path).images, rows)


def groups_of(stored: dict, color: str, names: list[str], dataset, found) -> list[str]:
    """The group that colors each point, where ``color`` is a name."""
    if color == "cluster":
        return ["test image" if c < 0 else f"cluster {c}" for c in stored["clusters"]]
    if color == "split":
        return [["training image", "", "held out"][s] for s in stored["split"]]
    if color == "prediction" and found is not None:
        return [
            f"{names[c]}, {'correct' if p == c else 'predicted as ' + names[p]}"
            for c, p in zip(stored["labels"], found.predicted, strict=True)
        ]
    if color in dataset.attributes:
        words = {1: color, 0: f"not {color}", -1: "unknown"}
        return [words[int(v)] for v in dataset.attributes[color][stored["rows"]]]
    if color in dataset.metadata:
        return [str(v) for v in np.asarray(dataset.metadata[color])[stored["rows"]]]
    return [names[c] for c in stored["labels"]]


def values_of(run: RunFolder, color: str, last: int, found):
    """The number that colors each point, where ``color`` is a number, and its name."""
    if color == "loss" and found is not None:
        return np.minimum(found.loss, np.quantile(found.loss, 0.99)), "loss"
    if color == "impostors nearby":
        near = neighborhoods(str(run.path), last, NEIGHBORS)
        return near.impostor_rate, f"fraction of impostors among {NEIGHBORS} neighbors"
    if color == "local imbalance":
        near = neighborhoods(str(run.path), last, NEIGHBORS)
        return near.relative_density, "same class nearby, relative to its overall fraction"
    return (), ""


def uploads_of(run: RunFolder):
    """Uploaded images: names, pixels and predictions; None where there are none.

    They are treated as images of the first class; only their losses depend on it.
    """
    if len(model_of(run).image_shape) != 3:  # learned from features
        return None
    with st.expander("Add your own images", icon=":material/add_photo_alternate:"):
        found = uploaded_images("Images", model_of(run), "own-images", MAX_UPLOADS)
        st.caption(
            f"Each image becomes a star at the median position of the {NEIGHBORS} images with the "
            "most similar features; click it to see its prediction explained."
        )
    if not found:
        return None
    pixels = np.stack([image for _, image in found])
    predictions = training.explain(run, pixels, np.zeros(len(found), dtype=int))
    return [name for name, _ in found], pixels, predictions


def joined(found, more):
    """Two explanations as one."""
    fields = {}
    for field in ("features", "scores", "predicted", "loss", "clusters", "similarity"):
        first, second = getattr(found, field), getattr(more, field)
        fields[field] = None if first is None else np.concatenate([first, second])
    return dataclasses.replace(found, **fields)


def explanations(found, stored: dict, names: list[str]):
    """Scores and nearest clusters of every point, for the viewer."""
    if found is None:
        return None
    facts: dict = {"classes": names, "scores": metrics.finite(found.scores)}
    if found.clusters is not None:
        members: dict = {}
        for k in np.unique(found.clusters):
            rows = np.flatnonzero(stored["clusters"] == k)
            # The members closest to the mean of the cluster represent it.
            mean = found.features[rows].mean(axis=0) if len(rows) else 0
            best = rows[np.argsort(-(found.features[rows] @ mean))[:4]] if len(rows) else rows
            members[int(k)] = [names[found.cluster_classes[k]], best.tolist()]
        facts |= {"near": found.clusters, "similarity": found.similarity, "clusters": members}
    return facts


def text_of(names: list[str], stored: dict, found) -> list[str]:
    """What is known of every point, in words."""
    predicted = stored["labels"] if found is None else found.predicted
    columns = (stored[key] for key in ("labels", "split", "clusters", "rows"))
    return [
        f"{names[c]}{'' if p == c else f', predicted as {names[p]}'}; "
        f"{'held out' if s else f'cluster {k}' if k >= 0 else 'training'}; image {r}"
        for p, c, s, k, r in zip(predicted, *columns, strict=True)
    ]


def embedding(run: RunFolder, method: str, color: str, dataset, frames: dict) -> None:
    """The scatter plot of a run with its images, and the downloads."""
    config = training.config_from_dict(run.config())
    target = config.data.attribute
    names = list(training.embedding_task_of(dataset, config).class_names)
    if target == "all" or "," in target:
        st.caption(f"The run predicts several attributes; the first is shown: {literal(names[1])}.")
    last = max(run.embedding_rounds())
    stored, model = run.embedding(last), run.model_path
    found = explanation_of(str(run.path), model.stat().st_mtime if model.exists() else 0.0)
    # All rounds have the colors of the last one, so that points can be followed.
    groups = groups_of(stored, color, names, dataset, found)
    values, of = values_of(run, color, last, found)
    start = "start"
    if methods.get_method(run.config()["method"]).uses_clusters:
        start = "pretrained features"
    titles = [(f"round {r}" if r else start, frames[r]) for r in sorted(frames)]
    sheets, texts = sheets_of(str(run.path), last), text_of(names, stored, found)
    uploads = None if found is None else uploads_of(run)
    if uploads is not None:
        files, pixels, predictions = uploads
        near = (found.features, predictions.features, NEIGHBORS)
        titles = [(t, np.concatenate([f, projection.place(f, *near)])) for t, f in titles]
        sheets = sheets + image_sheets(pixels, np.arange(len(pixels)), len(texts))
        groups += [figures.OWN] * len(files)
        values = [*values, *np.zeros(len(files))] if len(values) else values
        texts += [
            f"{file}, uploaded; predicted as {names[p]}"
            for file, p in zip(files, predictions.predicted, strict=True)
        ]
        found = joined(found, predictions)
    title = f"{label(run)}, {NAMES[method]}, {len(groups):,} images"
    figure = figures.embedding_map(titles[-1][1], title, groups=groups, values=values, of=of)
    every = np.concatenate([f for _, f in titles])
    for axis, column in (("xaxis", 0), ("yaxis", 1)):
        low, high = every[:, column].min(), every[:, column].max()
        room = 0.03 * (high - low) or 1.0
        figure.update_layout({axis: {"range": [low - room, high + room]}})
    height, width = sides(dataset.images)
    image_scatter(
        figure, sheets, (width, height), texts,
        label=f"Scatter plot of {len(groups)} images after training; arrow keys step through "
        "them, Enter explains a prediction.",
        frames=titles, groups=groups, explanations=explanations(found, stored, names),
    )  # fmt: skip
    st.caption(
        "Play or drag the slider to see the points move from round to round. Hover over or touch "
        "a point to see its image, click it to see its nearest clusters; with the keyboard, focus "
        "the figure and use the arrow keys and Enter. Rare classes are shown completely, common "
        "ones by a sample. Predictions are those of the best round on validation images."
    )

    def table() -> str:
        columns: dict = {"group": groups, "image": texts}
        for title, points in titles:
            columns[f"x, {title}"], columns[f"y, {title}"] = points[:, 0], points[:, 1]
        return as_csv(pd.DataFrame(columns))

    stem = f"{run.name}-{method}"
    downloads(
        "Save", "Save the points and the figure",
        {
            "Points of all rounds as CSV": (table, f"{stem}.csv"),
            "Figure as HTML": (lambda: figure.to_html(include_plotlyjs=True), f"{stem}.html"),
        },
    )  # fmt: skip


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
    left, middle, right = st.columns([3, 2, 2])
    # The latest finished run: one that has just started has little to show.
    done = next((n for n in runs if not is_active(runs[n])), next(iter(runs)))
    wanted = st.query_params.get("run", done)
    name = left.selectbox(
        "Run", list(runs), index=list(runs).index(wanted if wanted in runs else done),
        format_func=lambda n: label(runs[n]),
    )  # fmt: skip
    if st.query_params.get("run", name) != name:
        for noted in ("round", "point"):  # set by the viewer for the previous run
            st.query_params.pop(noted, None)
    st.query_params["run"] = name
    run = runs[name]
    usual = next(iter(NAMES))
    wanted = st.query_params.get("by", usual)
    method = middle.segmented_control(
        "Projection", list(NAMES), default=wanted if wanted in NAMES else usual, required=True,
        format_func=lambda key: NAMES[key],
    )  # fmt: skip
    dataset = images_of(str(run.path))
    kinds = [
        "class", "prediction", "cluster", "split", "loss", "impostors nearby", "local imbalance",
        *(name for name in ("style",) if name in dataset.metadata), *dataset.attributes,
    ]  # fmt: skip
    wanted = st.query_params.get("color", "class")
    color = right.selectbox("Color by", kinds, index=kinds.index(wanted) if wanted in kinds else 0)
    st.query_params.update({"by": method, "color": color})
    if is_active(run):
        st.info(
            f"This run is still training: its first {len(run.embedding_rounds())} of "
            f"{run.config()['train']['rounds'] + 1} rounds are shown.",
            icon=":material/hourglass_top:",
        )
        link("train", "Watch the training", runs=run.name)
    frames = projections(run, method)
    if frames:
        embedding(run, method, color, dataset, frames)
