"""``clmle embed``: unit features of images by a trained run, to .npz, .csv or .parquet."""

from __future__ import annotations

import argparse
from pathlib import Path

from clmle.cli.terminal import Progress


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="clmle embed", description=__doc__)
    parser.add_argument("run", help="name of a run")
    parser.add_argument("--out", required=True, help="file to write: .npz, .csv or .parquet")
    parser.add_argument(
        "--split", default="test", choices=("train", "validation", "test"), help="which images"
    )
    parser.add_argument("--images", help="a folder of your own images instead")
    parser.add_argument("--runs-dir", help="folder of run folders (default: ./runs)")
    values = parser.parse_args(arguments)

    import numpy as np

    from clmle.data import load_folder
    from clmle.errors import InputError
    from clmle.files import atomic_path, runs_dir
    from clmle.run_folder import open_run
    from clmle.training import config_from_dict, load_model, prepare

    out = Path(values.out)
    if out.suffix not in (".npz", ".csv", ".parquet"):
        raise InputError(f"--out is {out}, but must end in .npz, .csv or .parquet.")
    run = open_run(values.runs_dir or runs_dir(), values.run)
    model = load_model(run)
    if values.images:
        dataset = load_folder(
            values.images, image_size=model.image_shape[:2], progress=Progress("images")
        )
        images, rows = dataset.images, np.arange(len(dataset))
        if model.image_shape[2] == 1:  # the run learned from gray images
            images = images.mean(axis=3, keepdims=True).round().astype(np.uint8)
        labels = np.full(len(rows), -1)
    else:
        _, task = prepare(config_from_dict(run.config()))
        rows = task.rows(values.split)
        images, labels = task.images[rows], task.labels[rows]
    features, scores = model.embed(images), model.scores(images)
    columns = {"row": rows, "label": labels, "predicted": scores.argmax(axis=1)}
    with atomic_path(out) as temporary:
        if out.suffix == ".npz":
            with open(temporary, "wb") as file:
                np.savez(file, features=features, scores=scores, **columns)
        else:
            import pandas as pd

            names = {f"f{i}": features[:, i] for i in range(features.shape[1])}
            frame = pd.DataFrame({**columns, **names})
            if out.suffix == ".csv":
                frame.to_csv(temporary, index=False)
            else:
                frame.to_parquet(temporary)
    print(f"{len(rows):,} features of {features.shape[1]} dimensions in {out}")
    return 0
