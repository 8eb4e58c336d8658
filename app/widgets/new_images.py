"""Predictions for images that the visitor drops: a table with pictures, and a download."""

import base64
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from app.widgets.run_contents import model_of
from app.widgets.spreadsheet import as_csv
from app.widgets.uploads import uploaded_images
from clmle import RunFolder

MOST_IMAGES = 60
MOST_CLASSES = 20  # with a column of probabilities each
SIDE = 64  # pixels of a picture in the table


def new_images(run: RunFolder, found: Any) -> None:
    """Drop images and see class and probabilities of each."""
    model = model_of(run)
    if len(model.image_shape) != 3:
        st.info(
            "This run was trained on features; predict a table of features with clmle features.",
            icon=":material/info:",
        )
        return
    images = uploaded_images("Images to predict", model, "new-images", MOST_IMAGES)
    if not images:
        st.caption(
            "Images are cropped and resized as the training images. They are kept in this session "
            "only."
        )
        return
    files, pixels = [name for name, _ in images], np.stack([image for _, image in images])
    scores = model.scores(pixels)
    if scores.ndim == 3:
        scores = scores[:, found.place]
    probabilities = found.fitted.probabilities(scores)
    predicted = scores.argmax(axis=1)
    table = predictions(files, predicted, probabilities, found.class_names)
    pictures = pd.DataFrame({"image": [_address(image) for image in pixels]})
    shown = pd.concat([pictures, table], axis=1)
    part = st.column_config.ProgressColumn(format="%.3f", min_value=0.0, max_value=1.0)
    st.dataframe(
        shown, hide_index=True, row_height=SIDE + 8,
        column_config={
            "image": st.column_config.ImageColumn("image", width="small"),
            **{name: part for name in table.columns if name.startswith("probability")},
        },
    )  # fmt: skip
    st.download_button(
        "Predictions as CSV", lambda: as_csv(table), f"{run.name}-predictions.csv", "text/csv",
        icon=":material/download:",
    )  # fmt: skip
    if sentence := less_probable(predicted, probabilities):
        st.info(sentence, icon=":material/info:")
    st.caption(
        "The class is that of the classifier of the run. Probabilities are fitted on validation "
        "images and hold for images of the same kind and class frequencies."
    )


def less_probable(predicted: np.ndarray, probabilities: np.ndarray) -> str:
    """Why the classes of some images are not their most probable ones; empty if all are."""
    n = int((probabilities.argmax(axis=1) != predicted).sum())
    if not n:
        return ""
    return (
        f"The class of {n:,} of {len(predicted):,} images is not their most probable one: the "
        "classifier of the run counts all classes alike, so that it predicts a rare class from a "
        "lower probability on. *Threshold and cost* chooses by the costs of errors."
    )


def predictions(
    files: list[str], predicted: np.ndarray, probabilities: np.ndarray, names: tuple[str, ...]
) -> pd.DataFrame:
    """File, class, its probability, and the probability of every class if there are few."""
    columns: dict[str, Any] = {
        "file": files,
        "class": [names[c] for c in predicted],
        "probability": probabilities[np.arange(len(files)), predicted],
    }
    if len(names) <= MOST_CLASSES:
        columns |= {f"probability of {n}": p for n, p in zip(names, probabilities.T, strict=True)}
    return pd.DataFrame(columns)


def _address(image: np.ndarray) -> str:
    """A picture (H, W, C) as a data address, each pixel as a square."""
    from PIL import Image

    times = max(1, SIDE // image.shape[0])
    large = image.repeat(times, axis=0).repeat(times, axis=1)
    buffer = BytesIO()
    Image.fromarray(large[..., 0] if large.shape[-1] == 1 else large).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
