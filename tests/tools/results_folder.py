"""Results files of made-up trials, and the pages made of them."""

import json

import numpy as np
import pytest

from clmle.studies.study_results import read_studies
from tools.report import pages as report

TRAIN = {
    "seed": 0, "iterations": 160, "batch_size": 240, "learning_rate": 0.05, "backbone": "small",
    "device": "auto", "threads": 0, "precision": "auto", "rounds": 4,
}  # fmt: skip


def trial(variant, task, seed, value, *, options=None, ratio=1.0, course=None, method=None,
         dataset="toonfaces", counts=(90, 10), seconds=3.0):  # fmt: skip
    figures = {
        "balanced_accuracy": value, "accuracy": value, "average_precision": value, "roc_auc": value,
        "mcc": value, "recall": [value, value], "confusion": [[1, 0], [0, 1]],
    }  # fmt: skip
    data = {"dataset": dataset, "attribute": task, "size": "quick", "image_size": 40,
            "imbalance": "none", "ratio": ratio}  # fmt: skip
    return {
        "key": f"{variant}-{task}-{seed}-{ratio}", "variant": variant, "method": method or variant,
        "task": f"{dataset.rsplit('/', 1)[-1]}/{task}", "seed": seed, "class_counts": list(counts),
        "validation": figures, "test": figures, "chosen": {}, "best_round": 1,
        "learning_curve": course or [[80, 2.0, 0.5], [160, 4.0, value]], "seconds": seconds,
        "machine": {"device": "cpu", "threads": 1, "torch": "2", "python": "3.11"},
        "config": {"method": method or variant, "options": options or {}, "data": data,
                     "train": TRAIN | {"seed": seed}},
    }  # fmt: skip


def ranking(means, tasks=("Bald", "Smiling"), seeds=(0, 1, 2), noise=0.002, **more):
    rng = np.random.default_rng(0)
    counts = {"Bald": (98, 2), "Smiling": (52, 48)}
    return [
        trial(n, t, s, m + float(rng.normal(0, noise)), counts=counts.get(t, (9, 1)), **more)
        for n, m in means.items()
        for t in tasks
        for s in seeds
    ]


@pytest.fixture
def folder(tmp_path):
    """Writes studies: name -> summaries; returns their folder."""
    where = tmp_path / "docs" / "results"
    where.mkdir(parents=True)

    def write(**studies):
        for name, trials in studies.items():
            lines = "".join(json.dumps(c) + "\n" for c in trials)
            (where / f"{name.replace('_', '-')}.jsonl").write_text(lines)
        return where

    return write


def pages(where):
    return report.make_pages(read_studies(where))


def text_of(where, name="leaderboard"):
    return pages(where)[name].markdown()


OURS = "`clmle (single-label preset)`"
