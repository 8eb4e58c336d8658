"""``clmle predict``: predict the classes of images or features and write them to a table."""

import csv
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from clmle.cli.parser import CommandParser, add_runs_dir
from clmle.cli.terminal import Progress
from clmle.errors import InputError, some
from clmle.files import atomic_path, expanded
from clmle.text import counted


def main(arguments: list[str]) -> int:
    """Run ``clmle predict``."""
    values = make_parser().parse(arguments)
    out = expanded(values.out)
    if out.suffix != ".csv":
        raise InputError(f"--out is {out}, but must end in .csv.")
    from clmle.training.model_folder import open_model
    from clmle.training.predict import prediction_batches, unread_sentence
    from clmle.training.prediction_inputs import inputs_of

    model = open_model(values.model, values.runs_dir, values.device)
    problems: dict[str, str] = {}
    inputs = inputs_of(model, values.source, problems.__setitem__)
    what = "images" if len(model.image_shape) == 3 else "rows"
    began, n = time.perf_counter(), 0
    with atomic_path(out) as temporary, open(temporary, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        for columns in prediction_batches(
            model, inputs, n_clusters=values.clusters, progress=Progress(what)
        ):
            if not n:
                table.writerow(columns)
            table.writerows(_rows(columns))
            n += len(columns[inputs.key])
        if not n:
            raise InputError(f"No image of {values.source} can be read; {_reasons(problems)}.")
    speed = n / max(time.perf_counter() - began, 1e-9)
    print(f"{n:,} predictions in {out}, {speed:,.0f} {what} per second")
    if problems:
        print(f"clmle: {unread_sentence(problems)}", file=sys.stderr)
    if inputs.skipped:
        left_out = counted(len(inputs.skipped), "file is", "files are")
        print(f"clmle: {left_out} left out: {_reasons(inputs.skipped)}.", file=sys.stderr)
    return 0


def _rows(columns: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Return the rows of columns, numbers with six digits."""
    shown = []
    for values in columns.values():
        array = np.asarray(values)
        numbers = array.dtype.kind == "f"
        shown.append([f"{value:.6g}" for value in array] if numbers else array.tolist())
    return zip(*shown, strict=True)


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(
        "predict",
        "Predict the classes of images, or of rows of features, by a trained model and write a\n"
        "table: file (or row), predicted class, calibrated probability of each class, and the\n"
        "nearest clusters where the classifier has clusters. A file that cannot be read is named\n"
        "and left out.",
        [
            "predict RUN photos/ --out predictions.csv",
            "predict shared-model/ photos/ --out predictions.csv",
            "predict RUN features.parquet --out predictions.csv",
        ],
        "MODEL IMAGES|FEATURES --out FILE [options]",
    )
    parser.add_argument(
        "model", metavar="MODEL",
        help="name of a run, its folder, or the folder of a model (clmle export --to folder)",
    )  # fmt: skip
    parser.add_argument(
        "source", metavar="IMAGES|FEATURES",
        help="folder of images or one image; for a model of features a .parquet, .csv, .npz or "
        ".npy file",
    )  # fmt: skip
    parser.add_argument("--out", required=True, metavar="FILE", help="table to write (.csv)")
    parser.add_argument(
        "--clusters", type=int, default=3, metavar="N", help="nearest clusters (default: 3)"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, ... (default: auto)")
    add_runs_dir(parser)
    return parser


def _reasons(problems: dict[str, str]) -> str:
    return some((f"{name} ({why})" for name, why in problems.items()), 20)
