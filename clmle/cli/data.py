"""``clmle data``: get a data set ready and count its classes."""

from __future__ import annotations

import argparse
from typing import Any

from clmle.cli.options import add_settings, from_flags
from clmle.cli.terminal import NOT_LEARNED, Progress, table

FEW = 20  # images of an identity: CASIA-WebFace's tail, as the paper counts it


def main(arguments: list[str]) -> int:
    from clmle.config import DataConfig

    parser = argparse.ArgumentParser(prog="clmle data", description=__doc__)
    parser.add_argument("dataset", nargs="?", default="toonfaces", help="name or folder")
    parser.add_argument(
        "--list", action="store_true", help="list the data sets and the formats of folders"
    )
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    parser.add_argument("--seed", type=int, default=0, help="seed of a random split")
    add_settings(parser, DataConfig, "data", skip=("dataset",))
    values = parser.parse_args(arguments)

    from clmle.data import describe, registered_datasets
    from clmle.presets import preset_config
    from clmle.training.prepare import load_data, prepare

    if values.list:
        print(table([
            {"name": i.name if i.recognize is None else "PATH", "title": i.title, "kind": i.kind,
             "description": i.description}
            for i in registered_datasets()
        ]))  # fmt: skip
        return 0
    if values.dataset.endswith(".bin"):
        return show_bin(values.dataset)
    attribute = getattr(values, "attribute", "")
    config = from_flags(preset_config("quick", "softmax", values.dataset, attribute), values)
    progress = Progress("images")
    dataset = load_data(config.data, values.seed, progress)
    left_out: tuple[str, ...] = ()
    rows = [r for r in describe(dataset) if r["train"] + r["validation"] + r["test"]]
    if config.data.attribute or config.data.imbalance != "none":
        _, task = prepare(config)
        rows = [
            {"target": one.name, "class": name,
             **{s: int(one.class_counts(s)[c]) for s in ("train", "validation", "test")}}
            for one in getattr(task, "tasks", (task,))
            for c, name in enumerate(one.class_names)
        ]  # fmt: skip
        left_out = getattr(task, "left_out", ())
    if values.json:
        import json

        print(json.dumps(rows, indent=2))
        return 0
    height, width = dataset.images.shape[1:3]
    print(f"{dataset.name}: {len(dataset):,} images of {height} x {width}\n")
    print(table([{k: v for k, v in row.items() if k != "value"} for row in few_rows(rows)]))
    for line in identity_lines(dataset) + pairs_lines(dataset, values.dataset):
        print(f"\n{line}")
    if left_out:
        print(f"\n{NOT_LEARNED}: {', '.join(left_out)}.")
    return 0


def identity_lines(dataset: Any) -> list[str]:
    """How long the tail of identities is, and how many images were left out."""
    import numpy as np

    if "identity" not in dataset.labels:
        return []
    people = dataset.labels["identity"]
    counts = np.bincount(people[people >= 0])
    counts = np.sort(counts[counts > 0])
    one, few = int((counts == 1).sum()), int((counts <= FEW).sum())
    lines = [
        f"{len(counts):,} identities of {counts[0]:,} to {counts[-1]:,} images, "
        f"{np.median(counts):g} at the median, {counts.mean():.1f} on average.",
        f"{one:,} of them ({one / len(counts):.0%}) have 1 image, {few:,} "
        f"({few / len(counts):.0%}) no more than {FEW}.".replace("%", " %"),
    ]
    damaged = int(((people < 0) & (dataset.split < 0)).sum())
    if damaged and "part" not in dataset.metadata:
        what = "1 image cannot be read and is" if damaged == 1 else (
            f"{damaged:,} images cannot be read and are"
        )  # fmt: skip
        lines.append(f"{what} left out.")
    return lines


def pairs_lines(dataset: Any, path: str) -> list[str]:
    """What a list of pairs among the images says, LFW's ``pairs.txt``; its lines are checked."""

    from clmle.data.recognition import read_pairs
    from clmle.files import expanded

    listed = expanded(path) / "pairs.txt"
    if "identity" not in dataset.labels or "file" not in dataset.metadata or not listed.is_file():
        return []
    files = dataset.metadata["file"].tolist()
    damaged = [f for f, p in zip(files, dataset.labels["identity"], strict=True) if p < 0]
    return [f"pairs.txt: {quoted_pairs(read_pairs(listed, files, damaged))}."]


def show_bin(path: str) -> int:
    """A verification set of the community's kind, every image of which is decoded."""
    from clmle.data.recognition import load_bin

    found = load_bin(path, progress=Progress("images"))
    height, width = found.images.shape[1:3]
    print(f"{found.name}: {len(found.images):,} images, read at {height} x {width}")
    print(f"\n{quoted_pairs(found.pairs)}.")
    return 0


def quoted_pairs(pairs: Any) -> str:
    """Numbers of pairs, folds, and pairs of one person."""
    folds = len(set(pairs.fold.tolist()))
    return (
        f"{len(pairs):,} pairs in {folds} fold{'s' * (folds > 1)}, "
        f"{int(pairs.same.sum()):,} of one person"
    )


def few_rows(rows: list[dict[str, Any]], most: int = 50) -> list[dict[str, Any]]:
    """A target of more than ``most`` classes (identities, say) in one row of sums."""
    by_target: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_target.setdefault(row["target"], []).append(row)
    shown = []
    for target, own in by_target.items():
        if len(own) <= most:
            shown += own
            continue
        splits = ("train", "validation", "test")
        sums = {split: sum(row[split] for row in own) for split in splits}
        shown.append({"target": target, "class": f"{len(own):,} classes", **sums})
    return shown
