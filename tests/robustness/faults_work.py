"""The work that tests/robustness/faults.py interrupts, and its output by name.

The work is small, so that a repetition takes a second or two: digits, a tiny network, 60 faces.
Workers of a sweep are forked from a process that has loaded the libraries.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file

from clmle.cli.features import main as embed
from clmle.config import Config, override
from clmle.data import pixel_writing
from clmle.data.toonfaces import build
from clmle.data.toonfaces.render import render
from clmle.data.toonfaces.specs import draw_image
from clmle.data.toonfaces.styles import style_named
from clmle.files import read_arrays, write_json
from clmle.jobs import worker
from clmle.metrics.classification import classification_metrics
from clmle.presets import preset_config
from clmle.run_folder import RunFolder
from clmle.studies.results import append_result, read_results
from clmle.studies.runner import ATTEMPT, run_trials
from clmle.studies.trials import Trial
from clmle.training import prepare, train, trainer
from tools.report.pages import stale, write_results

TIMES = {
    "seconds", "images_per_second", "machine", "wall", "extract_seconds", "cluster_seconds",
}  # fmt: skip
FACES = "faults"


def tiny(method: str = "clmle", seed: int = 0, iterations: int = 15) -> Config:
    """A run on digits with pretraining, rounds, clusters and momentum."""
    base = preset_config("quick", method, "digits")
    values = {
        "iterations": iterations, "pretrain_iterations": 4, "rounds": 2, "batch_size": 60,
        "n_embedding_samples": 200, "threads": 1, "backbone": "tiny", "seed": seed,
    }  # fmt: skip
    return replace(base, train=override(base.train, values, "train"))


def warm(faces: bool = True, pages: bool = True) -> None:
    """Loads the libraries of the children; computes nothing that starts threads."""
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import torch

    if pages:
        import playwright.sync_api  # noqa: F401
        import plotly.offline  # noqa: F401
        import scipy.stats  # noqa: F401

    torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.1)
    _, task = prepare(tiny())
    labels = task.labels[:100]
    scores = np.random.default_rng(0).random((100, 10))
    classification_metrics(labels, scores)
    if not faces:
        return
    for spec in {spec["style"]: spec for _, _, spec in plan().face_specs()}.values():
        image, _ = draw_image(spec, style_named(spec["style"]), np.random.default_rng(0))
        render(spec, image, 40)


# --- the work -------------------------------------------------------------------------------


def train_digits(folder: Path) -> None:
    trainer.SAVE_EVERY = trainer.STATUS_EVERY = 0.0  # a checkpoint and a status after every step
    run = folder / "run"
    run.mkdir(exist_ok=True)
    if not (run / "config.json").exists():
        write_json(run / "config.json", tiny().to_dict())
    train(RunFolder(run))


def sweep_digits(folder: Path) -> None:
    trials = [Trial(f"{m} {s}", tiny(m, s, 12)) for m in ("softmax", "clmle") for s in (0, 1)]
    workers = [Forked() for _ in range(3)]
    # The worker pool of a sweep starts its workers with this function.
    vars(subprocess)["Popen"] = lambda *_, **__: workers.pop()
    failures = run_trials(trials, folder / "results.jsonl", jobs=2)
    if failures:
        raise SystemExit("; ".join(failures))


class Forked:
    """A worker of a sweep with the interface of ``subprocess.Popen``."""

    others: list[int] = []  # noqa: RUF012  (pipe ends of all workers)

    def __init__(self) -> None:
        (stdin, to_worker), (from_worker, stdout) = os.pipe(), os.pipe()
        self.code: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            for end in (to_worker, from_worker, *self.others):
                os.close(end)
            os.dup2(stdin, 0)
            os.dup2(stdout, 1)
            sys.stdin = os.fdopen(0, encoding="utf-8")
            os.setsid()
            trainer.SAVE_EVERY = trainer.STATUS_EVERY = 0.0
            worker.main(ATTEMPT, 1)
            os._exit(0)
        os.close(stdin)
        os.close(stdout)
        self.others.extend((to_worker, from_worker))
        self.stdin = os.fdopen(to_worker, "wb")
        self.stdout = os.fdopen(from_worker, "rb")

    def poll(self) -> int | None:
        if self.code is None:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code

    def wait(self, timeout: float | None = None) -> int:
        if self.code is None:
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code

    def kill(self) -> None:
        os.kill(self.pid, 9)


def render_faces(folder: Path) -> None:
    from multiprocessing import get_context

    plan()
    pixel_writing.CHUNK = 5
    # Forked workers see the size defined above; the program itself spawns them.
    vars(build)["get_context"] = lambda _: get_context("fork")
    os.environ["CLMLE_CACHE"] = str(folder)
    build.load_toonfaces(FACES, image_size=40, n_workers=2)


def plan() -> build.Plan:
    build.SIZES[FACES] = (40, 10, 10)
    return build.Plan.of(FACES, 40, 0)


def export(folder: Path) -> None:
    """Features of a trained run, in every file format."""
    for kind in ("npz", "parquet", "csv"):
        file = folder / f"features.{kind}"
        if file.exists():
            check(file)
        embed(["run", "--out", str(file), "--split", "test", "--runs-dir", str(folder)])


def check(file: Path) -> None:
    """A file with its final name is complete."""
    import pandas as pd

    if file.suffix == ".npz":
        read_arrays(file)
    elif file.suffix == ".parquet":
        pd.read_parquet(file)
    elif not file.read_text().endswith("\n"):
        raise ValueError(f"{file} is cut off")


def write_report(folder: Path) -> None:
    """The report and its figures, which replace those of fewer results."""
    os.chdir(folder)  # the report names the result files by relative paths
    check_report(folder)
    write_results("results", "docs")


def check_report(folder: Path) -> None:
    """Every file is complete, and either the earlier or the new one."""
    for path in stale("results", "docs"):
        old = folder / "earlier" / path.relative_to("docs")
        if path.exists() != old.exists() or (
            path.exists() and path.read_bytes() != old.read_bytes()
        ):
            raise ValueError(f"{path} is neither the earlier nor the new file")
    for path in Path("docs/figures").glob("*.svg"):
        if not path.read_text(encoding="utf-8").endswith("</svg>\n"):
            raise ValueError(f"{path} is cut off")


# --- the output -----------------------------------------------------------------------------


def of_run(folder: Path) -> dict[str, Any]:
    run = RunFolder(folder / "run")
    found: dict[str, Any] = {"result": timeless(run.result()), "metrics": timeless(run.metrics())}
    found["state"] = run.status()["state"]
    for file in (run.model_path, run.checkpoint_path):
        found |= {f"{file.stem}: {k}": v for k, v in load_file(file).items()}
    for round in run.embedding_rounds():
        found |= {f"round {round}: {k}": v for k, v in run.embedding(round).items()}
    found |= {f"clusters: {k}": v for k, v in (run.clusters() or {}).items()}
    return found


def of_sweep(folder: Path) -> dict[str, Any]:
    rows = timeless(read_results(folder / "results.jsonl"))
    for row in rows:
        row["learning_curve"] = [[step, score] for step, _, score in row["learning_curve"]]
    return {row["variant"]: row for row in rows}


def of_faces(folder: Path) -> dict[str, Any]:
    os.environ["CLMLE_CACHE"] = str(folder)
    if not (folder / "toonfaces" / plan().folder / "table.parquet").exists():
        return {}
    dataset = build.load_plan(plan())
    return {"images": np.asarray(dataset.images), "split": dataset.split, **dataset.attributes}


def of_export(folder: Path) -> dict[str, Any]:
    files = {kind: folder / f"features.{kind}" for kind in ("csv", "parquet")}
    return read_arrays(folder / "features.npz") | {k: f.read_bytes() for k, f in files.items()}


def of_report(folder: Path) -> dict[str, Any]:
    """The report and its figures."""
    files = sorted(p for p in (folder / "docs").rglob("*") if p.is_file() and p.suffix != ".part")
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def apart(work: Callable[[], Any]) -> Any:
    """What ``work`` returns (as JSON) in a forked process.

    Libraries start threads when they compute, and a fork of a process with threads may hang.
    """
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        with suppress(BaseException):
            os.close(read)
            with os.fdopen(write, "w") as out:
                json.dump(work(), out)
            os._exit(0)
        os._exit(1)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    if os.waitpid(pid, 0)[1] != 0:
        raise SystemExit("The output could not be read.")
    return json.loads(text)


def digest(value: Any) -> str:
    """SHA-256 of an array, bytes or JSON value."""
    if isinstance(value, np.ndarray):
        value = f"{value.dtype} {value.shape} ".encode() + value.tobytes()
    if not isinstance(value, bytes):
        value = json.dumps(value, sort_keys=True).encode()
    return hashlib.sha256(value).hexdigest()


def timeless(value: Any) -> Any:
    """``value`` without durations and the description of the machine."""
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in value.items() if k not in TIMES}
    if isinstance(value, list):
        return [timeless(v) for v in value]
    return value


def trained(home: Path) -> Callable[[Path], None]:
    """Trains a run; returns a function that copies it into a folder."""
    apart(lambda: train_digits(home))

    def copy(folder: Path) -> None:
        shutil.copytree(home / "run", folder / "run")

    return copy


def studies(home: Path) -> Callable[[Path], None]:
    """Writes a report of some results; returns a function that copies it and adds the others."""

    def before() -> None:
        (home / "results").mkdir()
        for name, rows in STUDIES.items():
            for number, summary in enumerate(rows):
                if number < len(rows) - 3:  # the others follow after the first report
                    append_result(home / "results" / f"{name}.jsonl", summary)
        os.chdir(home)
        write_results("results", "docs")

    apart(before)

    def copy(folder: Path) -> None:
        for name in ("results", "docs"):
            shutil.copytree(home / name, folder / name)
        shutil.copytree(home / "docs", folder / "earlier")
        for name, rows in STUDIES.items():
            for summary in rows[-3:]:
                append_result(folder / "results" / f"{name}.jsonl", summary)

    return copy


def made_up(variant: str, attribute: str, seed: int, value: float, ratio: float) -> dict[str, Any]:
    """A made-up result of a trial."""
    config = tiny("clmle" if variant == "clmle" else "softmax", seed).to_dict()
    config["data"] |= {"dataset": "toonfaces", "attribute": attribute, "ratio": ratio}
    names = ("balanced_accuracy", "accuracy", "average_precision", "roc_auc", "mcc")
    metrics = dict.fromkeys(names, value) | {
        "recall": [value, value], "confusion": [[9, 1], [2, 8]],
    }  # fmt: skip
    return {
        "key": f"{variant}-{attribute}-{seed}-{ratio:g}", "variant": variant,
        "method": config["method"], "task": f"toonfaces/{attribute}", "seed": seed,
        "class_counts": [90, 10], "validation": metrics, "test": metrics, "chosen": {},
        "best_round": 1, "learning_curve": [[5, 1.0, 0.5], [15, 2.0, value]], "seconds": 2.0,
        "machine": {"device": "cpu", "threads": 1, "torch": "2", "python": "3.11"},
        "config": config,
    }  # fmt: skip


STUDIES = {
    name: [
        made_up(v, a, s, round(0.7 + 0.1 * i - r / 1000 + s / 100, 4), r)
        for s in (0, 1)
        for r in ratios
        for a in ("Bald", "Smiling")
        for i, v in enumerate(("softmax", "clmle"))
    ]
    for name, ratios in (
        ("leaderboard", (1.0,)),
        ("imbalance", (1.0, 10.0)),
        ("classifier", (100.0,)),
    )
}
