"""``clmle data``: get a data set ready and count its classes."""

from __future__ import annotations

import argparse

from clmle.commands.options import add_settings, from_flags
from clmle.commands.screen import Progress, table


def main(arguments: list[str]) -> int:
    from clmle.settings import DataSettings, Settings

    parser = argparse.ArgumentParser(prog="clmle data", description=__doc__)
    parser.add_argument("dataset", nargs="?", default="toonfaces", help="name or folder")
    parser.add_argument("--list", action="store_true", help="name the data sets that need no files")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    parser.add_argument("--seed", type=int, default=0, help="seed of a random split")
    add_settings(parser, DataSettings, "data", skip=("dataset",))
    values = parser.parse_args(arguments)

    from clmle.data import dataset_names, describe
    from clmle.training.prepare import load_data, prepare

    if values.list:
        print("\n".join(dataset_names()))
        return 0
    from clmle.methods.softmax import NoOptions

    settings = from_flags(Settings(options=NoOptions()), values)
    progress = Progress("images")
    dataset = load_data(settings.data, values.seed, progress)
    rows = [r for r in describe(dataset) if r["train"] + r["validation"] + r["test"]]
    if settings.data.attribute or settings.data.imbalance != "none":
        _, task = prepare(settings)
        rows = [
            {"target": task.name, "class": name,
             **{s: int(task.class_counts(s)[c]) for s in ("train", "validation", "test")}}
            for c, name in enumerate(task.class_names)
        ]  # fmt: skip
    if values.json:
        import json

        print(json.dumps(rows, indent=2))
        return 0
    height, width = dataset.images.shape[1:3]
    print(f"{dataset.name}: {len(dataset):,} images of {height} x {width}\n")
    print(table([{k: v for k, v in row.items() if k != "value"} for row in rows]))
    return 0
