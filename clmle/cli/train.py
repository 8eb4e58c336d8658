"""``clmle train``: train a run with live progress, or resume one.

Started by torchrun, several processes train one run together.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import clmle
from clmle import training
from clmle.cli.parser import CommandParser, add_runs_dir, from_options, merge, opened, read_config
from clmle.cli.terminal import Progress, metrics_table, show, time_left
from clmle.config import DataConfig, TrainConfig
from clmle.errors import InputError
from clmle.files import runs_dir
from clmle.jobs.run_queue import wait_for_slot
from clmle.methods import method_names, method_options
from clmle.run_folder import RunFolder
from clmle.tracking._base import TRACKERS, check_trackers
from clmle.training.torchrun import job_name, run_of_job


def main(arguments: list[str]) -> int:
    """Run ``clmle train``."""
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--method")
    first.add_argument("--config")
    known, _ = first.parse_known_args(arguments)
    tree = read_config(known.config) if known.config else {}
    method = known.method or tree.get("method") or "clmle"
    values = make_parser(method).parse(arguments)
    if values.resume and values.dataset:
        raise InputError("--resume takes the data set from the run; leave the data set out.")

    from clmle.training.distributed import leave, world_of_environment

    check_trackers(values.log)

    world = world_of_environment()
    if values.resume:
        run = opened(values.resume, values.runs_dir)
    else:
        config = config_of(values, tree, method)

        def begin() -> str:
            check_before_starting(config, world)
            return str(run_of_job(values.runs_dir or runs_dir(), config.to_dict()).path)

        run = RunFolder(Path(world.broadcast_from_main(begin)))
    if values.at_a_time and world.is_main and not wait_for_slot(run, values.at_a_time):
        return 130
    code = train_and_show(run, world, values.log)
    leave(world, code)
    return code


def make_parser(method: str) -> CommandParser:
    """Return the parser of the command, with the options of a method."""
    parser = CommandParser(
        "train",
        "Train a method on a data set, or resume a run that was stopped or killed.",
        [
            "train digits",
            "train toonfaces --attribute Bald --method oversampling --seed 1",
            "train photos/ --preset standard --iterations 2000",
            "train --resume RUN",
        ],
        "[DATASET] [options]",
        {"--run": "--resume"},
    )
    parser.add_argument(
        "dataset", nargs="?", metavar="DATASET",
        help="name of a data set, or path of a folder of images (default: toonfaces)",
    )  # fmt: skip
    parser.add_argument(
        "--method", default=method, metavar="METHOD",
        help=f"(default: clmle) one of: {', '.join(method_names())}",
    )  # fmt: skip
    parser.add_argument(
        "--preset",
        default="quick",
        choices=list(training.PRESETS),
        help="training budget (default: quick)",
    )
    parser.add_argument(
        "--config", metavar="FILE", help="TOML or JSON file of options; command-line options win"
    )
    parser.add_argument("--resume", metavar="RUN", help="resume this run (a name, or its folder)")
    add_runs_dir(parser)
    parser.add_argument(
        "--at-a-time", type=int, default=0, metavar="N",
        help="wait until fewer than N other runs train (default: start at once)",
    )  # fmt: skip
    parser.add_argument(
        "--log", action="append", default=[], choices=TRACKERS, metavar="TRACKER",
        help=f"log to this tracker, too: {', '.join(TRACKERS)}; may be given several times (a "
        "resumed run goes on with those it has)",
    )  # fmt: skip
    parser.add_config(DataConfig, "data", skip=("dataset",))
    parser.add_config(TrainConfig, "training")
    parser.add_config(method_options(method), f"options of {method}")
    return parser


def config_of(values: argparse.Namespace, tree: dict[str, Any], method: str) -> Any:
    """Return the preset's config with the config file and then the options put in place."""
    file = tree.get("data", {})
    dataset = values.dataset or file.get("dataset", "toonfaces")
    attribute = getattr(values, "attribute", file.get("attribute", ""))
    config = clmle.preset_config(values.preset, method, dataset, attribute)
    config = from_options(merge(config, tree), values)
    return replace(config, data=replace(config.data, dataset=dataset))


def check_before_starting(config: Any, world: Any) -> None:
    """Load the data and build the method once, so that an invalid config leaves no run folder."""
    from clmle.training.factory import make_method

    world.device(config.train.device)
    _, task = training.prepare(config, Progress("images"))
    world.shard_method(
        lambda train: make_method(config.method, config.options, task, train), config.train
    )


def train_and_show(run: Any, world: Any, log: Sequence[str] = ()) -> int:
    """Train a run, print its progress and its test metrics, and return the exit code."""
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
            text = "" if best is None else f", best balanced accuracy so far {best:.3f}"
            show(
                f"step {status['step']} of {status['total']}, {status['phase']}"
                f"{time_left(status['seconds_left'])}{text}"
            )

    try:
        result = training.train(run, report=report, world=world, log=log)
    except training.Stopped:
        if world.is_main:
            show(f"stopped; resume it with: clmle train --resume {run.path}", last=True)
        # To torchrun any other code is a failure, after which it would start the run again.
        return 0 if job_name() else 130
    if not world.is_main:
        return 0
    show(f"done in {result['seconds']:.0f} s", last=True)
    print(f"{result['task']}, test images:\n")
    print(metrics_table(result["test"], result["class_names"], result.get("no_training", ())))
    for warning in run.warnings():
        print(f"\n{warning}", file=sys.stderr)
    return 0
