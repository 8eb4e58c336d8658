"""Run a trial, and summarize its run as one line of a results file."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clmle.data.registry import find_dataset
from clmle.errors import InputError
from clmle.files import write_json
from clmle.jobs.lock import file_lock
from clmle.run_folder import RunFolder
from clmle.studies.trials import Trial

METRICS = (
    "balanced_accuracy", "accuracy", "average_precision", "roc_auc", "mcc", "recall", "confusion",
    "shots", "subpopulations", "impostor_rate", "minority_impostor_rate", "neighbor_purity",
    "train_margin", "margin", "unseen_retrieval",
)  # fmt: skip
LONG = ("within_margin", "rules")  # one value for every class or attribute: too long for a summary
LOCK_SECONDS = 60.0  # a worker of a killed study needs some to save its checkpoint


def run_trial(trial: Trial, folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Train the run of a trial and return its summary."""
    from clmle.training import train

    path = Path(folder)
    began = time.monotonic()
    held = f"Another process is training {path}; wait until it ends."
    with file_lock(path / ".lock", held, timeout=LOCK_SECONDS):
        if not (path / "config.json").exists():
            write_json(path / "config.json", trial.config.to_dict())
        run = RunFolder(path)
        summary = summarize(trial, run, train(run)) | _open_set_metrics(run)
    return summary | {"wall": round(time.monotonic() - began, 1)}


def attempt(task: dict[str, Any]) -> dict[str, Any]:
    """Run one trial in a worker: {"variant", "config", "folder"} -> {"summary"} or {"error"}."""
    from clmle.training import Stopped, config_from_dict

    try:
        trial = Trial(task["variant"], config_from_dict(task["config"]))
        return {"summary": run_trial(trial, task["folder"])}
    except InputError as error:
        return {"error": str(error)}
    except Stopped:
        return {"error": "it was stopped; its checkpoint is saved"}
    except Exception as error:
        return {"error": " ".join(f"{type(error).__name__}: {error}".split())}


def summarize(trial: Trial, run: RunFolder, result: Mapping[str, Any]) -> dict[str, Any]:
    """The summary of a run: configuration, metrics of both splits, validation learning curve."""
    config = trial.config.to_dict()
    return {
        "key": trial.key,
        "variant": trial.variant,
        "method": config["method"],
        "task": result["task"],
        "seed": config["train"]["seed"],
        "class_counts": result["class_counts"],
        **{s: _kept(result[s]) for s in ("validation", "test")},
        **({"attributes": _of_attributes(result)} if "attributes" in result else {}),
        "chosen": _rounded({k: v for k, v in result["chosen"].items() if k not in LONG}),
        "best_round": result["best_round"],
        "learning_curve": [
            [line["step"], round(line["seconds"], 1), _rounded(line["balanced_accuracy"])]
            for line in run.metrics("validation")
        ],
        **_activity(run),
        "seconds": round(result["seconds"], 1),
        "machine": result["machine"],
        "config": config,
    }


def _activity(run: RunFolder) -> dict[str, Any]:
    """How much Eq. 9 did: fractions of samples with a hinge above zero, part of the gradient."""
    lines = [line for line in run.metrics("train") if "active_between" in line]
    if not lines:
        return {}
    quarter = max(1, len(lines) // 4)
    first, last = lines[:quarter], lines[-quarter:]

    def mean(part: list[dict[str, Any]], name: str) -> float:
        return float(round(sum(line[name] for line in part) / len(part), 5))

    return {
        "activity": {
            "first_quarter": mean(first, "active_between"),
            "last_quarter": mean(last, "active_between"),
            "gradient_fraction": mean(lines, "gradient_fraction"),
        }
    }


def _open_set_metrics(run: RunFolder) -> dict[str, Any]:
    """Metrics on unseen identities, for data sets that have them."""
    info = find_dataset(run.config()["data"]["dataset"])
    if info is None or info.load_open_set is None:
        return {}
    from clmle.studies.open_set import evaluate_open_set

    metrics = evaluate_open_set(run).metrics
    for part in ("verification", "open_set"):
        # The mean over folds is kept without the folds; seconds differ from run to run.
        if metrics[part] is None:  # no distractors
            continue
        metrics[part] = {k: v for k, v in metrics[part].items() if k not in ("folds", "seconds")}
    return {"recognition": _rounded(metrics)}


def _of_attributes(result: Mapping[str, Any]) -> dict[str, Any]:
    """Metrics of both splits and training counts of each attribute that has test metrics."""
    counts = dict(zip(result["attributes"], result["class_counts"], strict=True))
    found = {s: result[s]["attributes"] for s in ("validation", "test")}
    return {
        name: {
            "class_counts": counts[name],
            **{s: _kept(f[name]) for s, f in found.items() if name in f},
        }
        for name in found["test"]
    }


def _kept(metrics: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _rounded(metrics[name]) for name in METRICS if name in metrics}


def _rounded(value: Any) -> Any:
    """Numbers with five decimals, also within lists and dicts."""
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    return value
