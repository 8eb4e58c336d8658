"""How long the app's pages take to open with many runs on disk: python -m bench.pages

The script of a page is run whole, without a browser. The first opening reads the files and draws
anew; later ones find in memory what has not changed. A new server loads the libraries besides,
once for all pages.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from bench.report import print_rows
from clmle.data.toonfaces import ATTRIBUTES
from clmle.files import write_arrays
from clmle.metrics.attributes import attribute_metrics
from clmle.metrics.classification import classification_metrics
from clmle.presets import preset_config
from clmle.projection import projection_path
from clmle.run_folder import RunFolder, create_run

PAGES = (
    "start", "imbalance", "data", "train", "embeddings", "ablations", "attributes", "recognition",
    "margins", "paper",
)  # fmt: skip
METHODS = ("clmle", "softmax", "oversampling", "focal", "lmle")


def fake_runs(root: str | os.PathLike[str], count: int) -> None:
    """``count`` finished runs that were never trained: of all attributes, and of one, in turns."""
    rng = np.random.default_rng(0)
    for i in range(count):
        together = i % 2 == 0
        attribute = "all" if together else ATTRIBUTES[i % len(ATTRIBUTES)]
        method = METHODS[i % len(METHODS)]
        run = create_run(root, preset_config("quick", method, "toonfaces", attribute).to_dict())
        names = ATTRIBUTES if together else (attribute,)
        labels = (rng.random((400, len(names))) < 0.2).astype(int)
        labels[:2] = [[0], [1]]
        scores = rng.normal(size=(400, len(names), 2))
        scores[..., 1] += labels
        if together:
            test = attribute_metrics(labels, scores, names, n_bootstrap=10)
        else:
            test = classification_metrics(labels[:, 0], scores[:, 0], n_bootstrap=10)
        for step in range(0, 160, 5):
            run.append_metrics(kind="train", step=step, loss=1 / (step + 1), learning_rate=0.05)
        for round in range(5):
            line = {k: test[k] for k in ("balanced_accuracy", "accuracy", "recall")}
            run.append_metrics(kind="validation", step=40 * round, round=round, **line)
        counts = [[4800, 1200]] * len(names)
        run.write_result(
            {
                "validation": test, "test": test, "chosen": {}, "best_round": 4,
                "class_names": ["not shown", "shown"],
                "class_counts": counts if together else counts[0],
                "task": f"toonfaces quick/{'14 attributes' if together else attribute}",
                "seconds": 30.0, "machine": {},
            }
        )  # fmt: skip
        if i >= count - 2:
            stored_features(run, rng)
        run.write_status(state="done", phase="done", step=160, total=160, seconds=30.0, message="")


def stored_features(run: RunFolder, rng: np.random.Generator, shown: int = 2400) -> None:
    """Features of three rounds and their picture, as after a training."""
    facts = {
        "rows": np.sort(rng.integers(0, 9000, shown)), "labels": rng.integers(0, 2, shown),
        "clusters": rng.integers(0, 40, shown), "split": rng.integers(0, 2, shown) * 2,
    }  # fmt: skip
    for round in range(3):
        features = rng.normal(size=(shown, 64)).astype(np.float32)
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        run.write_embedding(round, features=features, **facts)
    frames = {f"round_{r:02d}": rng.normal(size=(shown, 2)).astype(np.float32) for r in range(3)}
    write_arrays(projection_path(run, "umap"), frames)


def run(quick: bool = False) -> list[dict]:
    """Seconds and CPU seconds of each page with 50 runs: first opening, then the median of 5."""
    from streamlit.testing.v1 import AppTest

    main = Path(__file__).resolve().parents[1] / "app" / "main.py"
    rows = []
    before = os.environ.get("CLMLE_RUNS")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CLMLE_RUNS"] = folder
        fake_runs(folder, 10 if quick else 50)
        for name in PAGES:
            times = []
            for _ in range(6):
                app = AppTest.from_file(str(main), default_timeout=120)
                app.switch_page(f"views/{name}.py")
                wall, cpu = time.perf_counter(), time.process_time()
                app.run()
                times.append((time.perf_counter() - wall, time.process_time() - cpu))
                assert not app.exception, name
            walls, cpus = zip(*times[1:], strict=True)
            rows.append(
                {
                    "page": name,
                    "first opening s": f"{times[0][0]:.2f}",
                    "later s": f"{median(walls):.2f}",
                    "later CPU s": f"{median(cpus):.2f}",
                }
            )
    if before is None:
        del os.environ["CLMLE_RUNS"]
    else:
        os.environ["CLMLE_RUNS"] = before
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    print_rows("Pages of the app with 50 runs on disk", run(parser.parse_args().quick))
