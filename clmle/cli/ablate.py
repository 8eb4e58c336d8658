"""``clmle ablate``: run the trials of a named study."""

import argparse
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from statistics import fmean, variance
from typing import Any

from clmle import studies
from clmle.cli.parser import CommandParser
from clmle.cli.terminal import Progress, duration, show, table
from clmle.errors import InputError
from clmle.files import runs_dir
from clmle.text import words


def main(arguments: list[str]) -> int:
    """Run ``clmle ablate``."""
    values = make_parser().parse(arguments)
    if values.list:
        rows = [
            {"study": s.name, "variants": len(s.variants), "question": s.question}
            for s in studies.STUDIES.values()
        ]
        print(table(rows))
        return 0
    if not values.study:
        raise InputError("Name a study: clmle ablate STUDY; clmle ablate --list lists them.")
    if values.study == "grid":
        raise InputError("clmle ablate grid is now clmle sweep.")
    return run_request(values.study, values)


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(
        "ablate",
        "Train the trials of a named study in parallel and print a table of its variants. Trials\n"
        "that have a result are not run again: repeat the command to resume.",
        ["ablate --list", "ablate leaderboard --dry-run", "ablate leaderboard --seeds 0,1"],
        "STUDY [options]",
    )
    parser.add_argument("study", nargs="?", metavar="STUDY", help="name of the study")
    parser.add_argument("--list", action="store_true", help="list the studies and their questions")
    add_grid_options(parser, "study")
    return parser


def add_grid_options(parser: CommandParser, what: str) -> None:
    """Add the options that a study and a free grid share."""
    only = "only these methods of the study" if what == "study" else "methods to train"
    parser.add_argument("--dataset", default="", help="name of a data set, or path of a folder")
    parser.add_argument(
        "--attributes", default="",
        help="attributes with commas; all: each alone; together: all in one multi-label run",
    )  # fmt: skip
    parser.add_argument("--seeds", default="", help="seeds with commas, such as 0,1,2")
    parser.add_argument("--methods", default="", help=f"{only}, with commas")
    parser.add_argument("--ratios", default="", help="imbalance ratios with commas")
    parser.add_argument(
        "--imbalance", default="", metavar="KIND",
        help="kind of imbalance of the ratios, such as exponential or long-tail (default: step)",
    )  # fmt: skip
    parser.add_argument(
        "--calibration", default="", choices=("", "none", "threshold", "balanced-logistic"),
        metavar="KIND", help="of every variant, so that all are ranked alike (default: their own)",
    )  # fmt: skip
    parser.add_argument(
        "--set", action="append", default=[], metavar="PART.NAME=V1,V2", dest="grid",
        help="values of an option, such as train.learning_rate=0.02,0.05 or options.scale=4,8; "
        "given several times, all combinations are trained",
    )  # fmt: skip
    parser.add_argument(
        "--preset", default="reference", help="training budget (default: reference)"
    )
    parser.add_argument(
        "--precision", default="", choices=("", "float32", "bfloat16"),
        help="number format of the network; a trial done in either format counts as done",
    )  # fmt: skip
    parser.add_argument("--jobs", default="0", help="trials at a time (default: one per CPU core)")
    parser.add_argument(
        "--launcher", default="local", choices=("local", "ray"), help="(default: local)"
    )
    parser.add_argument(
        "--results", metavar="FILE",
        help=f"JSON lines (default: runs/studies/{'STUDY' if what == 'study' else what}.jsonl)",
    )  # fmt: skip
    parser.add_argument(
        "--dry-run", action="store_true", help="only print the number of trials and the time left"
    )


def request_of(values: argparse.Namespace, study: str) -> Any:
    """Return the request for a study, its numbers checked."""
    return studies.StudyRequest(
        study,
        values.dataset,
        tuple(words(values.attributes)),
        tuple(whole_numbers(values.seeds, "--seeds")),
        tuple(words(values.methods)),
        tuple(numbers(values.ratios, "--ratios")),
        tuple(values.grid),
        values.preset,
        values.imbalance,
        values.calibration,
    )


def run_request(name: str, values: argparse.Namespace) -> int:
    """Run the trials of a study that have no result and print the table of its variants."""
    request = request_of(values, name)
    (jobs,) = whole_numbers(values.jobs, "--jobs", single=True)
    trials = request.trials(Progress("images"))
    if values.precision:  # keys stay the same
        format_ = {"train": {"precision": values.precision}}
        trials = [replace(t, config=studies.changed(t.config, format_)) for t in trials]
    results = Path(values.results or runs_dir() / "studies" / f"{name}.jsonl")
    # Several studies hold the same trial: results of the other files are copied.
    others = [path for path in sorted(results.parent.glob("*.jsonl")) if path.name != results.name]
    known: list[Mapping[str, Any]] = []
    for path in others:
        with suppress(InputError):  # another file that cannot be read stops no study
            known += studies.read_results(path)
    if values.dry_run:
        studies.check_trials(trials, render=False)
        found = studies.forecast(trials, studies.read_results(results), known, jobs=jobs)
        print(f"{name}: {estimate(found)}")
        return 0
    studies.check_trials(trials, Progress("images"))
    progress = Progress("trials")

    def report(done: int, total: int, text: str) -> None:
        if text:
            show(text, last=True)
        progress(done, total)

    try:
        failures = studies.run_trials(
            trials, results, jobs=jobs, launcher=values.launcher, known=known, progress=report
        )
    except KeyboardInterrupt:
        show("", last=True)
        print("clmle: stopped; repeat the command to resume.", file=sys.stderr)
        return 130
    print(table(variant_rows(trials, studies.read_results(results))) or "No trial has a result.")
    print(f"\n{results}")
    for sentence in failures:
        print(f"clmle: failed: {sentence}", file=sys.stderr)
    return 1 if failures else 0


def numbers(text: str, option: str) -> list[float]:
    """Return the numbers of a text with commas."""
    try:
        return [float(word) for word in words(text)]
    except ValueError as error:
        raise InputError(f"{option} is {text!r}, but must be numbers with commas.") from error


def whole_numbers(text: str, option: str, single: bool = False) -> list[int]:
    """Return whole numbers from 0 on; exactly one if ``single``."""
    found = words(text)
    if not all(w.isascii() and w.isdigit() for w in found) or (single and len(found) != 1):
        kind = "one whole number" if single else "whole numbers with commas"
        raise InputError(f"{option} is {text!r}, but must be {kind}, from 0 on.")
    return list(dict.fromkeys(int(w) for w in found))


def estimate(ahead: Any) -> str:
    """Format the numbers of trials and how long the remaining ones take."""
    text = f"{ahead.trials} trials, {ahead.done} done, {ahead.left} left"
    if not ahead.left:
        return f"{text}."
    if ahead.seconds is None:
        return f"{text}; the time left is known once a trial is done."
    return f"{text}; about {duration(ahead.seconds)} with {ahead.jobs} at a time, {ahead.basis}."


def variant_rows(
    trials: Sequence[Any], results: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return one row per variant and ratio: mean over targets and seeds, spread over seeds.

    The spread is the root of the mean variance over the seeds of a target.
    """
    done = {(r["key"], r["variant"]): r for r in results}
    groups: dict[tuple[str, float], list[Mapping[str, Any]]] = {}
    for trial in trials:
        runs = groups.setdefault((trial.variant, trial.config.data.ratio), [])
        runs += [done[name] for name in [(trial.key, trial.variant)] if name in done]
    several = len({ratio for _, ratio in groups}) > 1
    rows = []
    for (variant, ratio), runs in groups.items():
        targets: dict[str, list[float]] = {}
        for run in runs:
            targets.setdefault(run["task"], []).append(run["test"]["balanced_accuracy"])
        repeated = [variance(v) for v in targets.values() if len(v) > 1]
        rows.append({
            "variant": variant,
            **({"ratio": f"{ratio:g}"} if several else {}),
            "balanced accuracy": fmean(map(fmean, targets.values())) if runs else None,
            "spread over seeds": fmean(repeated) ** 0.5 if repeated else None,
            "n": len(runs),
            "seconds": round(fmean(r["seconds"] for r in runs)) if runs else None,
        })  # fmt: skip
    return rows
