"""What is disturbed (tests/robustness/faults.py): work in a folder, and what it leaves there, by name.

Small, so that a kill costs a second or two: digits, a tiny network, 60 faces. What would be started
anew (workers of a sweep) is forked from a process that has loaded the libraries.
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
from clmle.data.toonfaces import build
from clmle.data.toonfaces.render import render
from clmle.data.toonfaces.specs import draw_image
from clmle.data.toonfaces.styles import style_named
from clmle.figures.export import digest as export_digest
from clmle.figures.export import digest_in
from clmle.files import read_arrays, write_json
from clmle.jobs import worker
from clmle.metrics.classification import classification_metrics
from clmle.presets import preset_config
from clmle.run_folder import RunFolder
from clmle.studies.runner import sweep
from clmle.studies.trials import Trial, append_result, read_results
from clmle.training import prepare, train, trainer
from tools.report.markdown import Page
from tools.report.page import make_page, write_results
from tools.report.study import read_studies

TIMES = {
    "seconds", "images_per_second", "machine", "wall", "extract_seconds", "cluster_seconds",
}  # fmt: skip
FACES = "faults"


def tiny(method: str = "clmle", seed: int = 0, iterations: int = 15) -> Config:
    """A run on digits: prior features, rounds, clusters, momentum."""
    base = preset_config("quick", method, "digits")
    values = {
        "iterations": iterations, "pretrain_iterations": 4, "rounds": 2, "batch_size": 60,
        "n_embedding_samples": 200, "threads": 1, "backbone": "tiny", "seed": seed,
    }  # fmt: skip
    return replace(base, train=override(base.train, values, "train"))


def warm(faces: bool = True, pages: bool = True) -> None:
    """Load what each child would load for itself; nothing that starts threads is computed."""
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
    classification_metrics(labels, scores, n_bootstrap=2)
    if not faces:
        return
    for look in {look["style"]: look for _, _, look in plan().cast()}.values():
        image, _ = draw_image(look, style_named(look["style"]), np.random.default_rng(0))
        render(look, image, 40)


# --- what is done ---------------------------------------------------------------------------


def train_digits(folder: Path) -> None:
    trainer.SAVE_EVERY = trainer.TOLD_EVERY = 0.0  # a checkpoint and a status after every step
    run = folder / "run"
    run.mkdir(exist_ok=True)
    if not (run / "config.json").exists():
        write_json(run / "config.json", tiny().to_dict())
    train(RunFolder(run))


def sweep_digits(folder: Path) -> None:
    cells = [Trial(f"{m} {s}", tiny(m, s, 12)) for m in ("softmax", "clmle") for s in (0, 1)]
    workers = [Forked() for _ in range(3)]
    # What the crew of a sweep starts its workers with.
    vars(subprocess)["Popen"] = lambda *_, **__: workers.pop()
    failures = sweep(cells, folder / "results.jsonl", jobs=2)
    if failures:
        raise SystemExit("; ".join(failures))


class Forked:
    """A worker of a sweep, as ``subprocess.Popen`` would start one."""

    others: list[int] = []  # noqa: RUF012  (of all of them: their ends of pipes)

    def __init__(self) -> None:
        (read, tell), (on_validation, write) = os.pipe(), os.pipe()
        self.code: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            for end in (tell, on_validation, *self.others):
                os.close(end)
            os.dup2(read, 0)
            os.dup2(write, 1)
            sys.stdin = os.fdopen(0, encoding="utf-8")
            os.setsid()
            trainer.SAVE_EVERY = trainer.TOLD_EVERY = 0.0
            worker.main(1)
            os._exit(0)
        os.close(read)
        os.close(write)
        self.others.extend((tell, on_validation))
        self.stdin = os.fdopen(tell, "w", encoding="utf-8")
        self.stdout = os.fdopen(on_validation, encoding="utf-8")

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
    build.CHUNK = 5
    # Forked workers know of the size above; the program itself spawns them.
    vars(build)["get_context"] = lambda _: get_context("fork")
    build.load_toonfaces(FACES, image_size=40, n_workers=2, root=folder)


def plan() -> build.Plan:
    build.SIZES[FACES] = (40, 10, 10)
    return build.Plan(FACES, 40, 0)


def export(folder: Path) -> None:
    """Features of a run that was trained before, in all kinds of files."""
    for kind in ("npz", "parquet", "csv"):
        file = folder / f"features.{kind}"
        if file.exists():
            check(file)
        embed(["run", "--out", str(file), "--split", "test", "--runs-dir", str(folder)])


def check(file: Path) -> None:
    """What bears its final name is whole."""
    import pandas as pd

    if file.suffix == ".npz":
        read_arrays(file)
    elif file.suffix == ".parquet":
        pd.read_parquet(file)
    elif not file.read_text().endswith("\n"):
        raise ValueError(f"{file} is cut off")


def write_page(folder: Path) -> None:
    """The page of results and its figures, in place of those of fewer results."""
    os.chdir(folder)  # the page names files of results as they were given
    check_page(folder, make_page(read_studies("results")))
    write_results("results", "docs/RESULTS.md")


def check_page(folder: Path, page: Page) -> None:
    """Every file is the earlier one or the one to be written, and whole."""
    earlier = folder / "earlier"
    text = (folder / "docs" / "RESULTS.md").read_text(encoding="utf-8")
    if text not in ((earlier / "RESULTS.md").read_text(encoding="utf-8"), page.markdown()):
        raise ValueError("RESULTS.md is neither page")
    for name, figure in page.figures.items():
        drawn, old = folder / "docs" / "figures" / name, earlier / "figures" / name
        if digest_in(drawn) not in (digest_in(old), export_digest(figure)):
            raise ValueError(f"{name} is neither figure")
        if drawn.exists() and not drawn.read_text(encoding="utf-8").endswith("</svg>\n"):
            raise ValueError(f"{name} is cut off")


# --- what is left ---------------------------------------------------------------------------


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
    dataset = build._open(folder / plan().folder, plan())
    if dataset is None:
        return {}
    return {"images": np.asarray(dataset.images), "split": dataset.split, **dataset.attributes}


def of_export(folder: Path) -> dict[str, Any]:
    files = {kind: folder / f"features.{kind}" for kind in ("csv", "parquet")}
    return read_arrays(folder / "features.npz") | {k: f.read_bytes() for k, f in files.items()}


def of_page(folder: Path) -> dict[str, Any]:
    """The page and its figures; what was there before is no more than that."""
    files = sorted(p for p in (folder / "docs").rglob("*") if p.is_file() and p.suffix != ".part")
    return {p.name: p.read_bytes() for p in files}


def apart(work: Callable[[], Any]) -> Any:
    """What ``work`` returns (JSON) in a process of its own.

    Libraries start threads where they compute, and a fork of a process with threads may hang.
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
    with os.fdopen(read) as reported:
        text = reported.read()
    if os.waitpid(pid, 0)[1] != 0:
        raise SystemExit("What was left could not be read.")
    return json.loads(text)


def digest(value: Any) -> str:
    """The same for what is the same to the bit."""
    if isinstance(value, np.ndarray):
        value = f"{value.dtype} {value.shape} ".encode() + value.tobytes()
    if not isinstance(value, bytes):
        value = json.dumps(value, sort_keys=True).encode()
    return hashlib.sha256(value).hexdigest()


def timeless(value: Any) -> Any:
    """``value`` without what a clock or the machine has a part in."""
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in value.items() if k not in TIMES}
    if isinstance(value, list):
        return [timeless(v) for v in value]
    return value


def trained(home: Path) -> Callable[[Path], None]:
    """Copies one trained run into a folder that is to be exported from."""
    apart(lambda: train_digits(home))

    def copy(folder: Path) -> None:
        shutil.copytree(home / "run", folder / "run")

    return copy


def studies(home: Path) -> Callable[[Path], None]:
    """Copies results into a folder, beside the page of the first of them."""

    def before() -> None:
        (home / "results").mkdir()
        for name, cells in STUDIES.items():
            for number, summary in enumerate(cells):
                if number < len(cells) - 3:  # the rest comes after the first page
                    append_result(home / "results" / f"{name}.jsonl", summary)
        os.chdir(home)
        write_results("results", "docs/RESULTS.md")

    apart(before)

    def copy(folder: Path) -> None:
        for name in ("results", "docs"):
            shutil.copytree(home / name, folder / name)
        shutil.copytree(home / "docs", folder / "earlier")
        for name, cells in STUDIES.items():
            for summary in cells[-3:]:
                append_result(folder / "results" / f"{name}.jsonl", summary)

    return copy


def made_up(variant: str, attribute: str, seed: int, value: float, ratio: float) -> dict[str, Any]:
    """A summary of a cell that was never run."""
    config = tiny("clmle" if variant == "clmle" else "softmax", seed).to_dict()
    config["data"] |= {"dataset": "toonfaces", "attribute": attribute, "ratio": ratio}
    names = ("balanced_accuracy", "accuracy", "average_precision", "roc_auc", "mcc")
    figures = dict.fromkeys(names, value) | {
        "recall": [value, value], "confusion": [[9, 1], [2, 8]],
    }  # fmt: skip
    return {
        "key": f"{variant}-{attribute}-{seed}-{ratio:g}", "variant": variant,
        "method": config["method"], "task": f"toonfaces/{attribute}", "seed": seed,
        "class_counts": [90, 10], "validation": figures, "test": figures, "chosen": {},
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
    for name, ratios in (("leaderboard", (1.0,)), ("imbalance", (1.0, 10.0)), ("rule", (100.0,)))
}
