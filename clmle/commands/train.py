"""``clmle train``: train a run with live progress; a killed or stopped run goes on."""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from typing import Any

from clmle.commands.options import add_settings, from_flags, merge, read_config
from clmle.commands.screen import Progress, figures_table, show, time_left


def main(arguments: list[str]) -> int:
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    first.add_argument("--method", default=None)
    first.add_argument("--config", default=None)
    known, _ = first.parse_known_args(arguments)

    from clmle.methods import get_method, method_names
    from clmle.presets import PRESETS, preset_settings
    from clmle.settings import DataSettings, TrainSettings

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
    add_settings(parser, DataSettings, "data", skip=("dataset",))
    add_settings(parser, TrainSettings, "training")
    add_settings(parser, cls.Options, f"options of {method}")
    values = parser.parse_args(arguments)

    from pathlib import Path

    from clmle.files import runs_dir
    from clmle.run_folder import create_run, open_run

    root = values.runs_dir or runs_dir()
    if values.run:
        folder = Path(values.run)
        run = open_run(folder.parent, folder.name)
    elif values.resume:
        run = open_run(root, values.resume)
    else:
        dataset = values.dataset or tree.get("data", {}).get("dataset", "toonfaces")
        target = getattr(values, "attribute", tree.get("data", {}).get("attribute", ""))
        settings = preset_settings(values.preset, method, dataset, target)
        settings = from_flags(merge(settings, tree), values)
        settings = replace(settings, data=replace(settings.data, dataset=dataset))
        check_before_starting(settings)
        run = create_run(root, settings.to_dict())
    return train_and_show(run)


def check_before_starting(settings: Any) -> None:
    """Load the data and make the method once, so that a bad setting leaves no run behind."""
    from clmle.training.kinds import make_method
    from clmle.training.network import pick_device
    from clmle.training.prepare import prepare

    pick_device(settings.train.device)
    _, task = prepare(settings, Progress("images"))
    make_method(settings.method, settings.options, task, settings.train)


def train_and_show(run: Any) -> int:
    from clmle.training import Stopped, train

    print(f"run {run.name}", file=sys.stderr)
    printed = 0.0

    def report(status: dict[str, Any]) -> None:
        nonlocal printed
        pause = 0.4 if sys.stderr.isatty() else 5.0
        if time.monotonic() - printed >= pause:
            printed = time.monotonic()
            figures = run.metrics("validation")
            best = max((m["balanced_accuracy"] for m in figures), default=None)
            shown = "" if best is None else f", best balanced accuracy so far {best:.3f}"
            show(
                f"step {status['step']} of {status['total']}, {status['phase']}"
                f"{time_left(status['seconds_left'])}{shown}"
            )

    try:
        result = train(run, report=report)
    except Stopped:
        show(f"stopped; go on with: clmle train --run {run.path}", last=True)
        return 130
    show(f"done in {result['seconds']:.0f} s", last=True)
    print(f"{result['task']}, test images:\n")
    print(figures_table(result["test"], result["class_names"]))
    return 0
