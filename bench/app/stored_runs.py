"""Made-up finished runs on disk for the comparisons of the app."""

import os

import numpy as np

from clmle.data.toonfaces.specs import ATTRIBUTES
from clmle.files import write_arrays
from clmle.metrics.attributes import attribute_metrics
from clmle.metrics.classification import classification_metrics
from clmle.presets import preset_config
from clmle.projection import projection_path
from clmle.run_folder import RunFolder, create_run

METHODS = ("clmle", "softmax", "oversampling", "focal", "lmle")


def fake_runs(root: str | os.PathLike[str], count: int) -> None:
    """``count`` made-up finished runs: of all attributes and of one attribute alternately."""
    rng = np.random.default_rng(0)
    for i in range(count):
        multi = i % 2 == 0
        attribute = "all" if multi else ATTRIBUTES[i % len(ATTRIBUTES)]
        method = METHODS[i % len(METHODS)]
        run = create_run(root, preset_config("quick", method, "toonfaces", attribute).to_dict())
        names = ATTRIBUTES if multi else (attribute,)
        labels = (rng.random((400, len(names))) < 0.2).astype(int)
        labels[:2] = [[0], [1]]
        scores = rng.normal(size=(400, len(names), 2))
        scores[..., 1] += labels
        if multi:
            test = attribute_metrics(labels, scores, names, n_bootstrap=10)
        else:
            test = classification_metrics(labels[:, 0], scores[:, 0])
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
                "class_counts": counts if multi else counts[0],
                "task": f"toonfaces quick/{'14 attributes' if multi else attribute}",
                "seconds": 30.0, "machine": {}, **({"attributes": names} if multi else {}),
            }
        )  # fmt: skip
        if i >= count - 2:
            stored_features(run, rng)
        run.write_status(state="done", phase="done", step=160, total=160, seconds=30.0, message="")


def stored_features(run: RunFolder, rng: np.random.Generator, n: int = 2400) -> None:
    """Features of three rounds and their projection, as after training."""
    facts = {
        "rows": np.sort(rng.integers(0, 9000, n)), "labels": rng.integers(0, 2, n),
        "clusters": rng.integers(0, 40, n), "split": rng.integers(0, 2, n) * 2,
    }  # fmt: skip
    for round in range(3):
        features = rng.normal(size=(n, 64)).astype(np.float32)
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        run.write_embedding(round, features=features, **facts)
    frames = {f"round_{r:02d}": rng.normal(size=(n, 2)).astype(np.float32) for r in range(3)}
    write_arrays(projection_path(run, "umap"), frames)
