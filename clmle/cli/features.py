"""``clmle features``: features of images by a trained run or a published network, to a file."""

from pathlib import Path
from typing import Any

import numpy as np

from clmle import data, training
from clmle.cli.parser import CommandParser, add_run, opened
from clmle.cli.terminal import Progress
from clmle.data.base import UNKNOWN
from clmle.errors import InputError
from clmle.files import atomic_path, write_arrays
from clmle.run_folder import RunFolder


def main(arguments: list[str]) -> int:
    """Run ``clmle features``."""
    parser = CommandParser(
        "features",
        "Compute the unit features of images by the best round of a trained run and write them to\n"
        "a file, with row, file, label and predicted class of every image. With --backbone,\n"
        "compute the features of a data set by a published network: a table that is itself a data\n"
        "set.",
        [
            "features RUN --out features.npz",
            "features RUN --out mine.csv --images photos/",
            "features photos/ --backbone efficientnet-lite0 --out features.parquet",
            "train features.parquet",
        ],
        "RUN|DATA --out FILE [options]",
    )
    add_run(parser)
    parser.add_argument(
        "--out", required=True, metavar="FILE",
        help="file to write: .npz, .csv or .parquet; with --backbone also .npy, next to a table",
    )  # fmt: skip
    parser.add_argument(
        "--split", default="test", choices=("train", "validation", "test"),
        help="images of the run's data set (default: test)",
    )  # fmt: skip
    parser.add_argument("--images", metavar="FOLDER", help="images of this folder instead")
    parser.add_argument(
        "--backbone", metavar="NAME",
        help="network for a data set: efficientnet-lite0, timm:NAME, torchvision:NAME, "
        "open_clip:MODEL/WEIGHTS, transformers:NAME, or an .onnx or TorchScript (.pt) file",
    )  # fmt: skip
    parser.add_argument("--labels", help="with --backbone: table of labels of a folder of images")
    parser.add_argument(
        "--image-size", type=int, metavar="PIXELS",
        help="with --backbone: size of the images (default: what the network was trained on)",
    )  # fmt: skip
    parser.add_argument(
        "--size", choices=("quick", "standard", "large"),
        help="with --backbone: size of illustrated faces (default: quick)",
    )  # fmt: skip
    parser.add_argument(
        "--normalization", choices=("imagenet", "half", "unit", "raw"),
        help="with --backbone: pixels of a network in a file: minus mean over deviation of "
        "ImageNet (default), -1 to 1, 0 to 1, or 0 to 255",
    )  # fmt: skip
    parser.add_argument("--device", default="auto", help="with --backbone: auto, cpu, cuda, ...")
    values = parser.parse(arguments)
    if values.backbone:
        from clmle.cli.backbone_features import write_backbone_features

        return write_backbone_features(values)

    out = Path(values.out)
    if out.suffix not in (".npz", ".csv", ".parquet"):
        raise InputError(f"--out is {out}, but must end in .npz, .csv or .parquet.")
    run = opened(values.run, values.runs_dir)
    model = training.load_model(run)
    if values.images and len(model.image_shape) != 3:
        raise InputError(f"Run {run.name} learned from features; it cannot read images.")
    if values.images:
        images, columns = _own_images(values.images, model.image_shape, run)
    else:
        dataset, task = training.prepare_run(run)
        rows = task.rows(values.split)
        images, columns = task.images[rows], {"row": rows}
        if "file" in dataset.metadata:
            columns["file"] = np.asarray(dataset.metadata["file"])[rows]
        columns["label"] = task.labels[rows]
    features, scores = model.embed(images), model.scores(images)
    columns["predicted"] = scores.argmax(axis=1)
    _write(out, features, scores, columns)
    print(f"{len(images):,} features of {features.shape[1]} dimensions in {out}")
    return 0


def _own_images(
    folder: str, shape: tuple[int, ...], run: RunFolder
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return images of a folder at the size of the run's images, and columns about them.

    A label is the index in the run's classes; other classes of the folder follow after these.
    """
    dataset = data.load_folder(
        folder, image_size=(shape[0], shape[1]), progress=Progress("images"), labeled=False,
        value_range=run.value_range,
    )  # fmt: skip
    images = dataset.images
    if shape[2] == 1:  # the run was trained on gray images
        images = images.mean(axis=3, keepdims=True).round().astype(np.uint8)
    columns = {"row": np.arange(len(images)), "file": np.asarray(dataset.metadata["file"])}
    columns["label"] = np.full(len(images), UNKNOWN)
    if dataset.targets:
        values, names = dataset.values_of(dataset.targets[0])
        index = {name: i for i, name in enumerate(dict.fromkeys([*_class_names(run), *names]))}
        columns["label"] = np.array([*map(index.__getitem__, names), UNKNOWN])[values]
        columns["class"] = np.array([*names, ""])[values]
    return images, columns


def _class_names(run: RunFolder) -> list[str]:
    """Class names of a run of one target; none if it has several, or did not store them."""
    facts = run.data_facts()
    targets = list(facts["class_names"].values()) if facts else []
    return [str(name) for name in targets[0]] if len(targets) == 1 else []


def _write(out: Path, features: np.ndarray, scores: np.ndarray, columns: dict[str, Any]) -> None:
    if out.suffix == ".npz":
        write_arrays(out, {"features": features, "scores": scores, **columns})
        return
    import pandas as pd

    names = {f"f{i}": features[:, i] for i in range(features.shape[1])}
    frame = pd.DataFrame({**columns, **names})
    with atomic_path(out) as temporary:
        if out.suffix == ".csv":
            frame.to_csv(temporary, index=False)
        else:
            frame.to_parquet(temporary)
