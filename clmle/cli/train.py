"""``clmle train``: train a run with live progress; a killed or stopped run goes on.

Several processes train one run together where torchrun starts them: docs/guide/distributed.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from typing import Any

from clmle.cli.options import add_settings, from_flags, merge, read_config
from clmle.cli.terminal import Progress, metrics_table, show, time_left


def main(arguments: list[str]) -> int:
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--method", default=None)
    first.add_argument("--config", default=None)
    known, _ = first.parse_known_args(arguments)

    from clmle.config import DataConfig, TrainConfig
    from clmle.methods import get_method, method_names
    from clmle.presets import PRESETS, preset_config

    tree = read_config(known.config) if known.config else {}
    method = known.method or tree.get("method") or "clmle"
    cls = get_method(method)
    parser = argparse.ArgumentParser(prog="clmle train", description=__doc__, allow_abbrev=False)
    parser.add_argument("dataset", nargs="?", default=None, help="toonfaces, digits or a folder")
    parser.add_argument("--method", default="clmle", help=f"one of: {', '.join(method_names())}")
    parser.add_argument("--preset", default="quick", choices=list(PRESETS), help="the budget")
    parser.add_argument("--config", help="TOML or JSON file of settings; options given here win")
    parser.add_argument("--runs-dir", help="folder of run folders (default: ./runs)")
    parser.add_argument("--resume", metavar="RUN", help="go on with this run")
    parser.add_argument("--run", metavar="FOLDER", help="train the run prepared in this folder")
    parser.add_argument(
        "--at-a-time", type=int, default=0, metavar="N",
        help="wait until fewer than N other runs train (default: start at once)",
    )  # fmt: skip
    add_settings(parser, DataConfig, "data", skip=("dataset",))
    add_settings(parser, TrainConfig, "training")
    add_settings(parser, cls.Options, f"options of {method}")
    values = parser.parse_args(arguments)

    from pathlib import Path

    from clmle.files import runs_dir
    from clmle.jobs.run_queue import wait_for_slot
    from clmle.run_folder import open_run
    from clmle.training.distributed import leave, world_of_environment
    from clmle.training.torchrun import run_of_job

    world = world_of_environment()
    root = values.runs_dir or runs_dir()
    if values.run:
        folder = Path(values.run)
        run = open_run(folder.parent, folder.name)
    elif values.resume:
        run = open_run(root, values.resume)
    else:
        dataset = values.dataset or tree.get("data", {}).get("dataset", "toonfaces")
        target = getattr(values, "attribute", tree.get("data", {}).get("attribute", ""))
        config = preset_config(values.preset, method, dataset, target)
        config = from_flags(merge(config, tree), values)
        config = replace(config, data=replace(config.data, dataset=dataset))

        def begin() -> str:
            check_before_starting(config, world)
            return str(run_of_job(root, config.to_dict()).path)

        folder = Path(world.broadcast_from_main(begin))
        run = open_run(folder.parent, folder.name)
    if values.at_a_time and world.is_main and not wait_for_slot(run, values.at_a_time):
        return 130
    code = train_and_show(run, world)
    leave(world, code)
    return code


def check_before_starting(config: Any, world: Any) -> None:
    """Load the data and make the method once, so that a bad setting leaves no run behind."""
    from clmle.training.factory import make_method
    from clmle.training.prepare import prepare

    world.device(config.train.device)
    _, task = prepare(config, Progress("images"))
    world.shard_method(
        lambda train: make_method(config.method, config.options, task, train), config.train
    )


def train_and_show(run: Any, world: Any) -> int:
    from clmle.training import Stopped, train
    from clmle.training.torchrun import job_name

    if world.is_main:
        print(f"run {run.name}", file=sys.stderr)
    printed = 0.0

    def report(status: dict[str, Any]) -> None:
        nonlocal printed
        pause = 0.4 if sys.stderr.isatty() else 5.0
        if time.monotonic() - printed >= pause:
            printed = time.monotonic()
            metrics = run.metrics("validation")
            best = max((m["balanced_accuracy"] for m in metrics), default=None)
            shown = "" if best is None else f", best balanced accuracy so far {best:.3f}"
            show(
                f"step {status['step']} of {status['total']}, {status['phase']}"
                f"{time_left(status['seconds_left'])}{shown}"
            )

    try:
        result = train(run, report=report, world=world)
    except Stopped:
        if world.is_main:
            show(f"stopped; go on with: clmle train --run {run.path}", last=True)
        # To torchrun any other code is a failure, after which it would start the run again.
        return 0 if job_name() else 130
    if not world.is_main:
        return 0
    show(f"done in {result['seconds']:.0f} s", last=True)
    print(f"{result['task']}, test images:\n")
    print(metrics_table(result["test"], result["class_names"], result.get("no_training", ())))
    return 0
