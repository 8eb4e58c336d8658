"""Cells of a grid: one run each, named by its settings, kept as one line of a results file."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clmle.errors import InputError
from clmle.files import write_json
from clmle.run_folder import RunFolder
from clmle.settings import Settings, override

KEPT = (
    "balanced_accuracy",
    "accuracy",
    "average_precision",
    "roc_auc",
    "mcc",
    "recall",
    "confusion",
)


@dataclass(frozen=True)
class Cell:
    """One run of a grid: its settings, and the name of its variant in tables."""

    variant: str
    settings: Settings

    @property
    def key(self) -> str:
        """16 hexadecimal digits of everything that decides the result."""
        tree = self.settings.to_dict()
        for machine in ("device", "threads", "precision"):
            tree["train"].pop(machine)
        text = json.dumps(tree, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def cross(
    variants: Mapping[str, Settings],
    *,
    attributes: Sequence[str] = ("",),
    seeds: Sequence[int] = (0,),
    ratios: Sequence[float] = (),
) -> list[Cell]:
    """Every variant on every attribute at every imbalance ratio with every seed.

    Seeds come last in nesting but first in order: a sweep that is stopped has whole seeds.
    """
    cells = []
    for seed, ratio, attribute in itertools.product(seeds, ratios or (None,), attributes):
        for name, settings in variants.items():
            data: dict[str, Any] = {"attribute": attribute} if attribute else {}
            if ratio is not None:
                data |= {"imbalance": "step", "ratio": ratio}
            cells.append(
                Cell(
                    name,
                    replace(
                        settings,
                        data=override(settings.data, data, "data"),
                        train=override(settings.train, {"seed": seed}, "train"),
                    ),
                )
            )
    return cells


def run_cell(cell: Cell, folder: str | os.PathLike[str]) -> dict[str, Any]:
    """Train the run of a cell in ``folder``/KEY (going on where a killed one stood); its summary.

    The run folder is removed once its summary is made.
    """
    from clmle.training import train

    path = Path(folder) / cell.key
    if not (path / "settings.json").exists():
        path.mkdir(parents=True, exist_ok=True)
        write_json(path / "settings.json", cell.settings.to_dict())
    run = RunFolder(path)
    result = train(run)
    summary = summarise(cell, run, result)
    shutil.rmtree(path, ignore_errors=True)
    return summary


def summarise(cell: Cell, run: RunFolder, result: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of a run: settings, figures of both splits, its course over steps."""
    settings = cell.settings.to_dict()
    course = [
        [line["step"], round(line["seconds"], 1), _rounded(line["balanced_accuracy"])]
        for line in run.metrics("validation")
    ]
    return {
        "key": cell.key,
        "variant": cell.variant,
        "method": settings["method"],
        "task": result["task"],
        "seed": settings["train"]["seed"],
        "class_counts": result["class_counts"],
        **{s: {k: _rounded(result[s][k]) for k in KEPT} for s in ("validation", "test")},
        "chosen": _rounded({k: v for k, v in result["chosen"].items() if k != "within_margin"}),
        "best_round": result["best_round"],
        "course": course,
        "seconds": round(result["seconds"], 1),
        "machine": result["machine"],
        "settings": settings,
    }


def read_results(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Summaries of a results file (JSON lines), the last one of every key; [] where it is not."""
    file = Path(path)
    if not file.exists():
        return []
    found: dict[str, dict[str, Any]] = {}
    lines = file.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        try:
            summary = json.loads(line)
            found[summary["key"] + summary["variant"]] = summary
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            if number == len(lines):
                break  # killed while writing: that cell is run again
            raise InputError(
                f"{file}, line {number} is not a result ({error}); remove it."
            ) from error
    return list(found.values())


def append_result(path: str | os.PathLike[str], summary: Mapping[str, Any]) -> None:
    """Add one line; a half-written last line of an earlier kill is cut off first."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    with open(file, "ab+") as out:
        size = out.seek(0, os.SEEK_END)
        if size:
            out.seek(size - 1)
            if out.read(1) != b"\n":
                out.seek(0)
                out.truncate(out.read().rfind(b"\n") + 1)
        out.write(json.dumps(summary, separators=(",", ":")).encode() + b"\n")


def waiting(cells: Iterable[Cell], results: Iterable[Mapping[str, Any]]) -> list[Cell]:
    """The cells that have no result yet, each once."""
    done = {r["key"] + r["variant"] for r in results}
    missing: dict[str, Cell] = {}
    for cell in cells:
        if cell.key + cell.variant not in done:
            missing.setdefault(cell.key + cell.variant, cell)
    return list(missing.values())


def _rounded(value: Any) -> Any:
    """Numbers with five digits after the point, in lists and dicts too."""
    if isinstance(value, float):
        return round(value, 5)
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    return value
