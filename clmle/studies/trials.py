"""Cells of a grid: one run each, named by its settings, kept as one line of a results file."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clmle.config import Config, override
from clmle.data.registry import find_dataset
from clmle.errors import InputError
from clmle.files import as_sentence, from_json, write_json
from clmle.run_folder import RunFolder

KEPT = (
    "balanced_accuracy",
    "accuracy",
    "average_precision",
    "roc_auc",
    "mcc",
    "recall",
    "confusion",
)
LONG = ("within_margin", "rules")  # chosen for every class or attribute: too long for a summary
LOCK_SECONDS = 60.0
# Settings that came after the first results, at the value that those had without knowing: there
# they leave the key as it was, so that no finished cell is run again.
LATER: dict[str, dict[str, Any]] = {
    "data": {"split": 0},
    "train": {"mirror": True, "shown": 2400, "clip": 0.0},
    "options": {
        "head": "linear",
        "head_scale": 8.0,
        "head_loss": "softmax",
        "max_class_fraction": 1.0,
        "corrected": True,
        "readiness": 0.0,
        "hard_fraction": 1.0,
    },
}


@dataclass(frozen=True)
class Trial:
    """One run of a grid: its settings, and the name of its variant in tables."""

    variant: str
    config: Config

    @property
    def key(self) -> str:
        """16 hexadecimal digits of everything that decides the result."""
        tree = self.config.to_dict()
        for machine in ("device", "threads", "precision"):
            tree["train"].pop(machine)
        for part, first in LATER.items():
            kept = tree[part].items()
            tree[part] = {k: v for k, v in kept if k not in first or v != first[k]}
        text = json.dumps(tree, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def cross(
    variants: Mapping[str, Config],
    *,
    attributes: Sequence[str] = ("",),
    seeds: Sequence[int] = (0,),
    ratios: Sequence[float] = (),
) -> list[Trial]:
    """Every variant on every attribute at every imbalance ratio with every seed.

    Seeds come last in nesting but first in order: a sweep that is stopped has whole seeds.
    """
    trials = []
    for seed, ratio, attribute in itertools.product(seeds, ratios or (None,), attributes):
        for name, config in variants.items():
            data: dict[str, Any] = {"attribute": attribute} if attribute else {}
            if ratio is not None:
                data |= {"imbalance": "step", "ratio": ratio}
            trials.append(
                Trial(
                    name,
                    replace(
                        config,
                        data=override(config.data, data, "data"),
                        train=override(config.train, {"seed": seed}, "train"),
                    ),
                )
            )
    return trials


def run_trial(trial: Trial, folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Train the run of a cell in ``folder``, its own, or go on where a killed one stood.

    Returns its summary. The folder stays: whoever records the summary removes it.

    Raises
    ------
    InputError
        Settings that cannot be used, or another process is training this run.
    """
    from filelock import FileLock, Timeout

    from clmle.training import train

    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    try:
        # Waits for the worker of a sweep that was killed just now to save and go.
        with FileLock(path / ".lock", timeout=LOCK_SECONDS):
            if not (path / "config.json").exists():
                write_json(path / "config.json", trial.config.to_dict())
            run = RunFolder(path)
            summary = summarize(trial, run, train(run)) | _unseen_people(run)
    except Timeout as error:
        raise InputError(f"Another process is training {path}; wait until it ends.") from error
    return summary | {"wall": round(time.monotonic() - began, 1)}


def summarize(trial: Trial, run: RunFolder, result: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a run: settings, figures of both splits, its course over steps."""
    config = trial.config.to_dict()
    splits = ("validation", "test")
    course = [
        [line["step"], round(line["seconds"], 1), _rounded(line["balanced_accuracy"])]
        for line in run.metrics("validation")
    ]
    return {
        "key": trial.key,
        "variant": trial.variant,
        "method": config["method"],
        "task": result["task"],
        "seed": config["train"]["seed"],
        "class_counts": result["class_counts"],
        **{s: {k: _rounded(result[s][k]) for k in KEPT} for s in splits},
        **({"attributes": _of_attributes(result)} if "attributes" in result else {}),
        "chosen": _rounded({k: v for k, v in result["chosen"].items() if k not in LONG}),
        "best_round": result["best_round"],
        "learning_curve": course,
        "seconds": round(result["seconds"], 1),
        "machine": result["machine"],
        "config": config,
    }


def _unseen_people(run: RunFolder) -> dict[str, Any]:
    """Figures of people never seen in training, where the run's data have such."""
    info = find_dataset(run.config()["data"]["dataset"])
    if info is None or info.load_open_set is None:
        return {}
    from clmle.studies.open_set import evaluate_open_set

    metrics = evaluate_open_set(run).metrics
    for part in ("verification", "open_set"):
        # The folds' own figures are in the mean; those of a clock change from run to run.
        metrics[part] = {k: v for k, v in metrics[part].items() if k not in ("folds", "seconds")}
    return {"recognition": _rounded(metrics)}


def _of_attributes(result: Mapping[str, Any]) -> dict[str, Any]:
    """Figures of both splits and training counts of each attribute that could be judged."""
    counts = dict(zip(result["attributes"], result["class_counts"], strict=True))
    found = {s: result[s]["attributes"] for s in ("validation", "test")}
    return {
        name: {
            "class_counts": counts[name],
            **{s: {k: _rounded(f[name][k]) for k in KEPT} for s, f in found.items() if name in f},
        }
        for name in found["test"]
    }


def read_results(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Summaries of a results file (JSON lines), the last one of every cell; [] where it is not.

    A half-written last line counts as not there: its cell is run again.

    Raises
    ------
    InputError
        The file cannot be read, or another line than the last is damaged.
    """
    file = Path(path)
    try:
        lines = file.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise as_sentence(error, file) from error
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for number, line in enumerate(lines, start=1):
        try:
            summary = from_json(line)
            found[summary["key"], summary["variant"]] = summary
        except (ValueError, KeyError, TypeError) as error:
            if number < len(lines):
                raise InputError(
                    f"{file}, line {number} is not a result ({error}); remove that line."
                ) from error
    return list(found.values())


def append_result(path: str | os.PathLike[str], summary: Mapping[str, Any]) -> None:
    """Add one line, on disk when this returns; a damaged last line is cut off first.

    Raises
    ------
    InputError
        The disk is full or the file cannot be written.
    """
    file = Path(path)
    line = json.dumps(summary, separators=(",", ":")).encode() + b"\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(file, "ab+") as out:
            out.seek(0)
            out.truncate(_whole(out.read()))
            out.write(line)
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise as_sentence(error, file) from error


def waiting(trials: Iterable[Trial], results: Iterable[Mapping[str, Any]]) -> list[Trial]:
    """The cells that have no result yet, each once."""
    done = {(r["key"], r["variant"]) for r in results}
    missing: dict[tuple[str, str], Trial] = {}
    for trial in trials:
        name = (trial.key, trial.variant)
        if name not in done:
            missing.setdefault(name, trial)
    return list(missing.values())


def estimate_seconds(
    trials: Iterable[Trial], results: Sequence[Mapping[str, Any]], jobs: int = 1
) -> float | None:
    """Time that ``cells`` will take on ``jobs`` processes, None while there is no result.

    Told from finished cells of the same variant, else of the same method, else from all.
    """
    if not results:
        return None
    spent: dict[tuple[str, str], list[float]] = {}
    for r in results:
        for group in (("variant", r["variant"]), ("method", r["method"]), ("all", "")):
            spent.setdefault(group, []).append(r["seconds"])
    total = 0.0
    for trial in trials:
        groups = (("variant", trial.variant), ("method", trial.config.method), ("all", ""))
        known = next(spent[group] for group in groups if group in spent)
        total += sum(known) / len(known)
    return total / jobs


def _whole(content: bytes) -> int:
    """Length of ``content`` without a last line that is half-written or no JSON."""
    end = content.rfind(b"\n") + 1
    start = content.rfind(b"\n", 0, max(0, end - 1)) + 1
    try:
        from_json(content[start:end] or b"0")
    except ValueError:
        return start
    return end


def _rounded(value: Any) -> Any:
    """Numbers with five digits after the point, in lists and dicts too."""
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    return value
