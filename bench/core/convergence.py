"""Iterations and seconds to a validation accuracy, by method."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from statistics import mean

from bench.comparison import Comparison, Rows, Tables
from clmle.presets import preset_config
from clmle.studies.convergence import iterations_to
from clmle.studies.execution import run_trial
from clmle.studies.trials import Trial

METHODS = ("clmle", "lmle", "triplet", "crl", "softmax")
ATTRIBUTE = "Mouth_Slightly_Open"
LEVELS = (0.7, 0.75, 0.8, 0.85, 0.9)
SEEDS = 3
STEPS, EVALUATIONS = 300, 15  # iterations, and evaluations on validation during them
NEVER = "never"
PAPER = {"crl": "15", "lmle": "1.3 to 2"}  # reported iterations relative to CLMLE


def learning_curve(method: str, seed: int, quick: bool, folder: str) -> list[list[float]]:
    """(iterations, seconds, validation balanced accuracy) of a run without pretraining."""
    config = preset_config("reference", method, "toonfaces", ATTRIBUTE)
    steps, rounds = (20, 2) if quick else (STEPS, EVALUATIONS)
    train = replace(
        config.train, iterations=steps, rounds=rounds, patience=rounds, pretrain_iterations=0,
        seed=seed,
    )  # fmt: skip
    data = replace(config.data, size="quick")
    trial = Trial(method, replace(config, data=data, train=train))
    return run_trial(trial, f"{folder}/{method}-{seed}")["learning_curve"]


def run(quick: bool = False) -> Rows:
    """Means over the seeds that reach a level."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for method in METHODS:
            seeds = range(1 if quick else SEEDS)
            found = [learning_curve(method, seed, quick, folder) for seed in seeds]
            row = {"method": method, "seeds": len(found)}
            row["best"] = f"{mean(max(line[2] for line in c) for c in found):.3f}"
            for level in LEVELS:
                reached = [at for at in (iterations_to(c, level) for c in found) if at is not None]
                row[f"to {level:g}"] = written(reached, len(found))
            rows.append(row)
    return rows


def written(reached: list[tuple[float, float]], seeds: int) -> str:
    """Mean iterations and seconds; the number of seeds where not all reach the level."""
    if not reached:
        return NEVER
    steps, seconds = (mean(values) for values in zip(*reached, strict=True))
    part = "" if len(reached) == seeds else f", {len(reached)} of {seeds} seeds"
    return f"{steps:.0f} ({seconds:.1f} s{part})"


def interpret(tables: Tables, limits: Mapping[str, float]) -> str:
    by = {row["method"]: row for row in tables[""]}
    words = []
    for name in ("lmle", "triplet", "crl"):
        # The highest level that both reach with every seed.
        both = [
            level
            for level in LEVELS
            if all(_with_every_seed(by[m][f"to {level:g}"]) for m in ("clmle", name))
        ]
        paper = f" (paper: {PAPER[name]} times)" if name in PAPER else ""
        if not both:
            words.append(f"{name} and clmle do not both reach a level with every seed{paper}")
            continue
        level = both[-1]
        mine, theirs = (_numbers(by[m][f"to {level:g}"]) for m in ("clmle", name))
        words.append(
            f"to {level:g} {name} takes {theirs[0] / mine[0]:.2f} times the iterations of clmle "
            f"and {theirs[1] / mine[1]:.2f} times the seconds{paper}"
        )
    return (
        "; ".join(words).capitalize()
        + ". *Never*: not within the given iterations. Iterations and "
        "seconds are interpolated between two evaluations; a level passed at the first evaluation "
        "counts from there. Seconds include clustering and validation; the steps of the network "
        "bound them, and the miner for triplets."
    )


def _with_every_seed(cell: str) -> bool:
    return cell != NEVER and "of" not in cell


def _numbers(cell: str) -> tuple[float, float]:
    steps, _, rest = cell.partition(" (")
    return max(float(steps), 1.0), max(float(rest.split(" s")[0]), 0.1)


COMPARISON = Comparison(
    "convergence",
    "Iterations and seconds to a given accuracy",
    run,
    f"toonfaces quick, {ATTRIBUTE}, backbone tiny, {STEPS} iterations of 240 images, validation "
    f"every {STEPS // EVALUATIONS}; balanced accuracy on validation images; no pretraining, the "
    "same untrained network for every method. The study `convergence` compares the methods on "
    "30,000 images with pretrained features.",
    interpret,
)
