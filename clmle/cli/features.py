"""``clmle features``: unit features of images by a trained run, to .npz, .csv or .parquet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from clmle import data, training
from clmle.cli.parser import CommandParser, add_run, opened
from clmle.cli.terminal import Progress
from clmle.errors import InputError
from clmle.files import atomic_path


def main(arguments: list[str]) -> int:
    """Run ``clmle features``."""
    parser = CommandParser(
        "features",
        "Compute the unit features of images by the best round of a trained run and write them to\n"
        "a file, with row, label and predicted class of every image.",
        ["features RUN --out features.npz", "features RUN --out mine.csv --images photos/"],
        "RUN --out FILE [options]",
    )
    add_run(parser)
    parser.add_argument(
        "--out", required=True, metavar="FILE", help="file to write: .npz, .csv or .parquet"
    )
    parser.add_argument(
        "--split", default="test", choices=("train", "validation", "test"),
        help="images of the run's data set (default: test)",
    )  # fmt: skip
    parser.add_argument("--images", metavar="FOLDER", help="images of this folder instead")
    values = parser.parse(arguments)

    out = Path(values.out)
    if out.suffix not in (".npz", ".csv", ".parquet"):
        raise InputError(f"--out is {out}, but must end in .npz, .csv or .parquet.")
    run = opened(values.run, values.runs_dir)
    model = training.load_model(run)
    if values.images:
        images, rows, labels = _own_images(values.images, model.image_shape)
    else:
        _, task = training.prepare_run(run)
        rows = task.rows(values.split)
        images, labels = task.images[rows], task.labels[rows]
    features, scores = model.embed(images), model.scores(images)
    columns = {"row": rows, "label": labels, "predicted": scores.argmax(axis=1)}
    _write(out, features, scores, columns)
    print(f"{len(rows):,} features of {features.shape[1]} dimensions in {out}")
    return 0


def _own_images(
    folder: str, shape: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return images, rows and labels (-1) of a folder, read at the size of the run's images."""
    images = data.load_folder(folder, image_size=shape[:2], progress=Progress("images")).images
    if shape[2] == 1:  # the run was trained on gray images
        images = images.mean(axis=3, keepdims=True).round().astype(np.uint8)
    return images, np.arange(len(images)), np.full(len(images), -1)


def _write(out: Path, features: np.ndarray, scores: np.ndarray, columns: dict[str, Any]) -> None:
    with atomic_path(out) as temporary:
        if out.suffix == ".npz":
            with open(temporary, "wb") as file:
                np.savez(file, features=features, scores=scores, **columns)
            return
        import pandas as pd

        names = {f"f{i}": features[:, i] for i in range(features.shape[1])}
        frame = pd.DataFrame({**columns, **names})
        if out.suffix == ".csv":
            frame.to_csv(temporary, index=False)
        else:
            frame.to_parquet(temporary)
