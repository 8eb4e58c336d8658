"""``clmle ablate``: run the cells of a study that have no result yet, and show what came out."""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from clmle.cli.terminal import Progress, duration, show, table
from clmle.errors import InputError


def main(arguments: list[str]) -> int:
    values = parse(arguments)

    from clmle.files import runs_dir
    from clmle.studies.catalog import STUDIES
    from clmle.studies.runner import sweep
    from clmle.studies.trials import read_results
    from clmle.studies.validation import check_trials

    if values.list:
        rows = [
            {"study": s.name, "variants": len(s.variants), "question": s.question}
            for s in STUDIES.values()
        ]
        print(table(rows))
        return 0
    if not values.study:
        raise InputError("Say which study: clmle ablate STUDY; clmle ablate --list names them.")
    (jobs,) = whole_numbers(values.jobs, "--jobs", single=True)
    trials = cells_asked_for(values)
    if values.precision:
        trials = [in_precision(trial, values.precision) for trial in trials]
    results = Path(values.results or runs_dir() / "studies" / f"{values.study}.jsonl")
    siblings = finished_beside(results)
    if values.dry_run:
        check_trials(trials, render=False)
        print(foretold(values.study, trials, read_results(results), siblings, jobs))
        return 0
    check_trials(trials, Progress("images"))
    progress = Progress("cells")

    def tell(done: int, total: int, text: str) -> None:
        if text:
            show(text, last=True)
        progress(done, total)

    try:
        failures = sweep(
            trials, results, jobs=jobs, launcher=values.launcher, known=siblings, tell=tell
        )
    except KeyboardInterrupt:
        show("", last=True)
        print("clmle: stopped; the same command goes on from here.", file=sys.stderr)
        return 130
    print(table(outcome(trials, read_results(results))) or "No cell has a result.")
    print(f"\n{results}")
    for sentence in failures:
        print(f"clmle: failed: {sentence}", file=sys.stderr)
    return 1 if failures else 0


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="clmle ablate",
        description=f"{__doc__} Stopped or killed, the same command goes on.",
        allow_abbrev=False,
    )
    parser.add_argument("study", nargs="?", help="its name (see --list), or grid for a free one")
    parser.add_argument("--list", action="store_true", help="name the studies")
    parser.add_argument("--dataset", default="", help="toonfaces, digits or a folder")
    parser.add_argument(
        "--attributes",
        default="",
        help="with commas; all: each by itself; together: all on one network",
    )
    parser.add_argument("--seeds", default="", help="with commas, such as 0,1,2")
    parser.add_argument("--methods", default="", help="of a grid; of a study, only these")
    parser.add_argument("--ratios", default="", help="imbalance ratios, with commas")
    parser.add_argument(
        "--set", action="append", default=[], metavar="PART.NAME=V1,V2", dest="grid",
        help="try these values of a option, such as train.learning_rate=0.02,0.05 or "
        "options.scale=4,8; given several times, every combination",
    )  # fmt: skip
    parser.add_argument("--preset", default="reference", help="the budget (default: reference)")
    parser.add_argument(
        "--precision", default="", choices=("", "float32", "bfloat16"),
        help="number format of the network; a cell done in either counts as done",
    )  # fmt: skip
    parser.add_argument("--jobs", default="0", help="cells at a time (default: one a core)")
    parser.add_argument("--launcher", default="local", choices=("local", "ray"))
    parser.add_argument("--results", help="JSON lines (default: runs/studies/STUDY.jsonl)")
    parser.add_argument(
        "--dry-run", action="store_true", help="only say how many cells, and how long they take"
    )
    return parser.parse_args(arguments)


def finished_beside(results: Path) -> list[dict[str, Any]]:
    """Cells of the other studies in the same folder: several studies hold the same cell."""
    from clmle.studies.trials import read_results

    others = [p for p in sorted(results.parent.glob("*.jsonl")) if p.name != results.name]
    return [summary for path in others for summary in read_results(path)]


def in_precision(trial: Any, precision: str) -> Any:
    """The cell trained in another number format; its key stays."""
    train = replace(trial.config.train, precision=precision)
    return replace(trial, config=replace(trial.config, train=train))


def cells_asked_for(values: argparse.Namespace) -> list[Any]:
    """The cells of the study named on the command line, all names and numbers checked."""
    from clmle.studies.request import Request, words

    request = Request(
        values.study,
        values.dataset,
        tuple(words(values.attributes)),
        tuple(whole_numbers(values.seeds, "--seeds")),
        tuple(words(values.methods)),
        tuple(numbers(values.ratios, "--ratios")),
        tuple(values.grid),
        values.preset,
    )
    return request.trials(Progress("images"))


def numbers(text: str, option: str) -> list[float]:
    from clmle.studies.request import words

    try:
        return [float(word) for word in words(text)]
    except ValueError as error:
        raise InputError(
            f"{option} is {text!r}, but must be numbers with commas between."
        ) from error


def whole_numbers(text: str, option: str, single: bool = False) -> list[int]:
    """Whole numbers from 0 on; exactly one where ``single``."""
    from clmle.studies.request import words

    found = words(text)
    if not all(w.isascii() and w.isdigit() for w in found) or (single and len(found) != 1):
        kind = "one whole number" if single else "whole numbers with commas between"
        raise InputError(f"{option} is {text!r}, but must be {kind}, from 0 on.")
    return list(dict.fromkeys(int(w) for w in found))


def foretold(
    study: str,
    trials: Sequence[Any],
    results: Sequence[Mapping[str, Any]],
    siblings: Sequence[Mapping[str, Any]],
    jobs: int,
) -> str:
    """How many cells there are, how many are done, and how long the others will take."""
    from clmle.studies.eta import forecast

    ahead = forecast(trials, results, siblings, jobs=jobs)
    text = f"{study}: {ahead.trials} cells, {ahead.done} done, {ahead.left} to go"
    if not ahead.left:
        return f"{text}."
    if ahead.seconds is None:
        return f"{text}; how long that takes is known once a cell is done."
    return f"{text}; about {duration(ahead.seconds)} with {ahead.jobs} at a time, {ahead.basis}."


def outcome(trials: Sequence[Any], results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A row for each variant (at each ratio): mean over targets and seeds, spread over seeds.

    The spread is the root of the mean variance over seeds of the same target.
    """
    done = {(r["key"], r["variant"]): r for r in results}
    groups: dict[tuple[str, float], list[Mapping[str, Any]]] = {}
    for trial in trials:
        data = trial.config.data
        runs = groups.setdefault((trial.variant, data.ratio), [])
        if (trial.key, trial.variant) in done:
            runs.append(done[trial.key, trial.variant])
    several = len({ratio for _, ratio in groups}) > 1
    rows = []
    for (variant, ratio), runs in groups.items():
        targets: dict[str, list[float]] = {}
        for run in runs:
            targets.setdefault(run["task"], []).append(run["test"]["balanced_accuracy"])
        repeated = [statistics.variance(v) for v in targets.values() if len(v) > 1]
        row: dict[str, Any] = {"variant": variant}
        if several:
            row["ratio"] = f"{ratio:g}"
        row["balanced accuracy"] = (
            statistics.fmean(map(statistics.fmean, targets.values())) if runs else None
        )
        row["spread over seeds"] = statistics.fmean(repeated) ** 0.5 if repeated else None
        row["n"] = len(runs)
        row["seconds"] = round(statistics.fmean(r["seconds"] for r in runs)) if runs else None
        rows.append(row)
    return rows
