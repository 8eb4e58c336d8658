"""The features of a run in two dimensions: what colors each point, its image and explanation."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.widgets.downloads import downloads
from app.widgets.literal import literal
from app.widgets.run_contents import images_of, model_of
from app.widgets.runs import label
from app.widgets.spreadsheet import as_csv
from app.widgets.uploads import uploaded_images
from app.widgets.viewer import image_scatter, image_sheets, sides
from clmle import RunFolder, figures, methods, metrics, projection, training

NAMES = {"tsne": "t-SNE", "umap": "UMAP", "pca": "PCA"}
NEIGHBORS = 10
MAX_UPLOADS = 24


@dataclasses.dataclass
class View:
    """What is drawn of one run: positions in every round, and for each point what is known."""

    run: RunFolder
    title: str
    frames: list[tuple[str, np.ndarray]]
    images: Any
    rows: np.ndarray
    names: list[str]
    classes: list[str]
    groups: list[str]
    values: Any
    of: str
    texts: list[str]
    sheets: list[tuple[int, bytes]]
    stored: dict
    found: Any
    stem: str


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


def view_of(run: RunFolder, method: str, color: str, dataset: Any, frames: dict) -> View:
    """Everything that the plot of a run shows."""
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
    return View(
        run=run, title=f"{label(run)}, {NAMES[method]}", frames=titles, images=dataset.images,
        rows=stored["rows"], names=names, classes=classes_of(color, names), groups=groups,
        values=values, of=of, texts=text_of(names, stored, found),
        sheets=sheets_of(str(run.path), last), stored=stored, found=found,
        stem=f"{run.name}-{method}",
    )  # fmt: skip


def classes_of(color: str, names: list[str]) -> list[str]:
    """The classes whose colors are the same in every figure, in the order of their indices."""
    if color in ("class", "prediction"):
        return names
    return [f"not {color}", color]


def with_uploads(view: View) -> View:
    """The view with the images that a visitor adds."""
    uploads = None if view.found is None else uploads_of(view.run)
    if uploads is None:
        return view
    files, pixels, predictions = uploads
    near = (view.found.features, predictions.features, NEIGHBORS)
    return dataclasses.replace(
        view,
        frames=[(t, np.concatenate([f, projection.place(f, *near)])) for t, f in view.frames],
        sheets=view.sheets + image_sheets(pixels, np.arange(len(pixels)), len(view.texts)),
        groups=view.groups + [figures.OWN] * len(files),
        values=[*view.values, *np.zeros(len(files))] if len(view.values) else view.values,
        texts=[
            *view.texts,
            *(
                f"{file}, uploaded; predicted as {view.names[p]}"
                for file, p in zip(files, predictions.predicted, strict=True)
            ),
        ],
        found=joined(view.found, predictions),
    )


def limits_of(views: list[View]) -> tuple[float, float] | None:
    """Ends of the color scale that several views share."""
    every = [float(v) for view in views for v in view.values]
    return (min(every), max(every)) if len(views) > 1 and every else None


def draw(
    view: View,
    *,
    limits: tuple[float, float] | None = None,
    channel: str = "",
    second: bool = False,
) -> None:
    """The scatter plot of a view with its images, and the downloads."""
    title = f"{view.title}, {len(view.groups):,} images"
    figure = figures.embedding_map(
        view.frames[-1][1], title, groups=view.groups, classes=view.classes, values=view.values,
        limits=limits, of=view.of,
    )  # fmt: skip
    every = np.concatenate([f for _, f in view.frames])
    for axis, column in (("xaxis", 0), ("yaxis", 1)):
        low, high = every[:, column].min(), every[:, column].max()
        room = 0.03 * (high - low) or 1.0
        figure.update_layout({axis: {"range": [low - room, high + room]}})
    height, width = sides(view.images)
    image_scatter(
        figure, view.sheets, (width, height), view.texts,
        label=f"Scatter plot of {len(view.groups)} images after training; arrow keys step through "
        "them, Enter explains a prediction.",
        frames=view.frames, groups=view.groups,
        explanations=explanations(view.found, view.stored, view.names),
        images=view.rows.tolist() if channel else (), channel=channel, second=second,
    )  # fmt: skip

    def table() -> str:
        columns: dict = {"group": view.groups, "image": view.texts}
        for name, points in view.frames:
            columns[f"x, {name}"], columns[f"y, {name}"] = points[:, 0], points[:, 1]
        return as_csv(pd.DataFrame(columns))

    downloads(
        "Save", f"Save the points and the figure of {view.run.name}",
        {
            "Points of all rounds as CSV": (table, f"{view.stem}.csv"),
            "Figure as HTML": (lambda: figure.to_html(include_plotlyjs=True), f"{view.stem}.html"),
        },
    )  # fmt: skip
