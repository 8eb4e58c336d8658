"""``clmle data``: prepare a data set and count its classes."""

import json
from typing import Any

import numpy as np

import clmle
from clmle import data, training
from clmle.cli.parser import CommandParser, from_options
from clmle.cli.terminal import MOST_CLASSES, NOT_TRAINED, Progress, table
from clmle.config import DataConfig
from clmle.data.base import UNKNOWN
from clmle.data.recognition import read_pairs
from clmle.files import expanded
from clmle.text import counted

# Options of the data that change which images of which classes a run has.
SHAPING = ("attribute", "imbalance", "counts", "merge", "validation", "validation_size")
MINORITY = 20  # most images of a minority identity, as the paper counts CASIA-WebFace


def main(arguments: list[str]) -> int:
    """Run ``clmle data``."""
    parser = CommandParser(
        "data",
        "Read or render a data set and count the images of every class and split.",
        [
            "data --list",
            "data toonfaces --attribute Bald --imbalance step --ratio 100",
            "data lfw/",
        ],
        "[DATASET] [options]",
    )
    parser.add_argument(
        "dataset", nargs="?", default="toonfaces", metavar="DATASET",
        help="name of a data set, path of a folder, or a .bin file of pairs (default: toonfaces)",
    )  # fmt: skip
    parser.add_argument(
        "--list", action="store_true", help="list the data sets and the formats of folders"
    )
    parser.add_argument(
        "--json", action="store_true", help="print the counts, warnings and skipped files as JSON"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of a random split")
    parser.add_config(DataConfig, "data", skip=("dataset",))
    values = parser.parse(arguments)

    if values.list:
        print(table([
            {"name": i.name if i.recognize is None else "PATH", "title": i.title, "kind": i.kind,
             "state": i.state(), "description": i.description}
            for i in data.registered_datasets()
        ]))  # fmt: skip
        return 0
    if values.dataset.endswith(".bin"):
        return show_bin(values.dataset)
    attribute = getattr(values, "attribute", "")
    config = from_options(
        clmle.preset_config("quick", "softmax", values.dataset, attribute), values
    )
    progress = Progress("images")
    dataset = training.load_data(config.data, values.seed, progress)
    left_out: tuple[str, ...] = ()
    rows = [r for r in data.describe(dataset) if r["train"] + r["validation"] + r["test"]]
    checksum = ""
    if any(getattr(config.data, n) != getattr(DataConfig, n) for n in SHAPING):
        task = training.make_task(dataset, config.data, values.seed)
        checksum = data.index_checksum(task.train)
        rows = task_rows(task)
        left_out = getattr(task, "left_out", ())
    if values.json:
        kind = "identities" if config.data.attribute == "identity" else None
        title = data.dataset_info(config.data.dataset, kind).title
        found = {"format": title, **as_json(dataset, rows)}
        print(json.dumps(found | ({"train_checksum": checksum} if checksum else {}), indent=2))
        return 0
    n, *shape = dataset.images.shape
    what = (
        f"images of {shape[0]} x {shape[1]} pixels"
        if shape[1:]
        else f"rows of {shape[0]:,} features"
    )
    print(f"{dataset.name}: {n:,} {what}\n")
    if dataset.recognized:
        print(f"Read as: {dataset.recognized}.\n")
    print(table([{k: v for k, v in row.items() if k != "value"} for row in summed_rows(rows)]))
    if config.data.imbalance != "none":
        print(f"\nChecksum of the indices of the training images: {checksum}")
    for line in identity_lines(dataset) + pairs_lines(dataset, values.dataset):
        print(f"\n{line}")
    if left_out:
        print(f"\n{NOT_TRAINED}: {', '.join(left_out)}.")
    return 0


def task_rows(task: Any) -> list[dict[str, Any]]:
    """Counts of each class and split of a task, or of the tasks of several attributes."""
    return [
        {"target": one.name, "class": name,
         **{s: int(one.class_counts(s)[c]) for s in data.SPLITS}}
        for one in getattr(task, "tasks", (task,))
        for c, name in enumerate(one.class_names)
    ]  # fmt: skip


def as_json(dataset: Any, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What ``--json`` prints: how the data were read, and the images of each class and split."""
    targets: dict[str, Any] = {}
    for row in rows:
        # A task is named after its data set, too.
        name = row["target"].removeprefix(f"{dataset.name}/")
        kind = "attribute" if name in dataset.attributes else "classes"
        own = targets.setdefault(name, {"kind": kind, "classes": [], "counts": {}})
        if row.get("value") != UNKNOWN:
            own["classes"].append(row["class"])
        own["counts"][row["class"]] = {split: row[split] for split in data.SPLITS}
    split = np.asarray(dataset.split)
    return {
        "dataset": dataset.name,
        "images": len(dataset),
        "image_shape": list(dataset.images.shape[1:]),
        "recognized": dataset.recognized,
        "default_target": dataset.targets[0],
        "splits": {
            **{name: int((split == i).sum()) for i, name in enumerate(data.SPLITS)},
            "left out": int((split < 0).sum()),
        },
        "targets": targets,
        "warnings": list(dataset.warnings),
        "skipped": {reason: list(files) for reason, files in dataset.skipped.items()},
    }


def identity_lines(dataset: Any) -> list[str]:
    """Describe the long tail of identities and count unreadable images."""
    if "identity" not in dataset.labels:
        return []
    identities = dataset.labels["identity"]
    counts = np.bincount(identities[identities >= 0])
    counts = np.sort(counts[counts > 0])
    one, minority = int((counts == 1).sum()), int((counts <= MINORITY).sum())
    lines = [
        f"{len(counts):,} identities with {counts[0]:,} to {counts[-1]:,} images each, "
        f"median {np.median(counts):g}, mean {counts.mean():.1f}.",
        f"{one:,} of them ({one / len(counts):.0%}) have 1 image, {minority:,} "
        f"({minority / len(counts):.0%}) at most {MINORITY}.".replace("%", " %"),
    ]
    damaged = int(((identities < 0) & (dataset.split < 0)).sum())
    if damaged and "part" not in dataset.metadata:
        verb = "image cannot be read and is", "images cannot be read and are"
        lines.append(f"{counted(damaged, *verb)} left out.")
    return lines


def pairs_lines(dataset: Any, path: str) -> list[str]:
    """Check and count the pairs of ``pairs.txt``, where the folder has one."""
    listed = expanded(path) / "pairs.txt"
    if "identity" not in dataset.labels or "file" not in dataset.metadata or not listed.is_file():
        return []
    files = dataset.metadata["file"].tolist()
    damaged = [f for f, p in zip(files, dataset.labels["identity"], strict=True) if p < 0]
    return [f"pairs.txt: {describe_pairs(read_pairs(listed, files, damaged))}."]


def show_bin(path: str) -> int:
    """Decode and describe a verification set in a .bin file."""
    found = data.load_bin(path, progress=Progress("images"))
    height, width = found.images.shape[1:3]
    print(f"{found.name}: {len(found.images):,} images, {height} x {width} pixels")
    print(f"\n{describe_pairs(found.pairs)}.")
    return 0


def describe_pairs(pairs: Any) -> str:
    """Count pairs, folds and genuine pairs."""
    folds = counted(len(set(pairs.fold.tolist())), "fold")
    return f"{len(pairs):,} pairs in {folds}, {int(pairs.same.sum()):,} genuine"


def summed_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sum the rows of a target with many classes, such as identities, in one row."""
    by_target: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_target.setdefault(row["target"], []).append(row)
    found = []
    for target, own in by_target.items():
        if len(own) > MOST_CLASSES:
            sums = {split: sum(row[split] for row in own) for split in data.SPLITS}
            own = [{"target": target, "class": f"{len(own):,} classes", **sums}]
        found += own
    return found
