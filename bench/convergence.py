"""Iterations and seconds until a validation accuracy is reached, by method."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from statistics import mean

from bench.comparison import Comparison, Rows, Tables
from clmle.presets import preset_config
from clmle.studies.convergence import iterations_to
from clmle.studies.trials import Trial, run_trial

METHODS = ("clmle", "lmle", "triplet", "crl", "softmax")
ATTRIBUTE = "Mouth_Slightly_Open"
LEVELS = (0.7, 0.75, 0.8, 0.85, 0.9)
SEEDS = 3
STEPS, LOOKS = 300, 15  # iterations, and how often validation is looked at on the way
NEVER = "never"
PAPER = {"crl": "15", "lmle": "1.3 to 2"}  # times as many iterations as CLMLE, it says


def course(method: str, seed: int, quick: bool, folder: str) -> list[list[float]]:
    """(iterations, seconds, balanced accuracy on validation) of one run, without prior features."""
    config = preset_config("reference", method, "toonfaces", ATTRIBUTE)
    steps, specs = (20, 2) if quick else (STEPS, LOOKS)
    train = replace(
        config.train,
        iterations=steps,
        rounds=specs,
        patience=specs,
        pretrain_iterations=0,
        seed=seed,
    )
    data = replace(config.data, size="quick")
    cell = Trial(method, replace(config, data=data, train=train))
    return run_trial(cell, f"{folder}/{method}-{seed}")["learning_curve"]


def run(quick: bool = False) -> Rows:
    """Means over the seeds that reach a level."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for method in METHODS:
            found = [course(method, seed, quick, folder) for seed in range(1 if quick else SEEDS)]
            row = {"method": method, "seeds": len(found)}
            row["best on the way"] = f"{mean(max(line[2] for line in c) for c in found):.3f}"
            for level in LEVELS:
                reached = [at for at in (iterations_to(c, level) for c in found) if at is not None]
                row[f"to {level:g}"] = shown(reached, len(found))
            rows.append(row)
    return rows


def shown(reached: list[tuple[float, float]], seeds: int) -> str:
    """Mean iterations and seconds; how many seeds, where not all."""
    if not reached:
        return NEVER
    steps, seconds = (mean(values) for values in zip(*reached, strict=True))
    part = "" if len(reached) == seeds else f", {len(reached)} of {seeds} seeds"
    return f"{steps:.0f} ({seconds:.1f} s{part})"


def says(tables: Tables, limits: Mapping[str, float]) -> str:
    by = {row["method"]: row for row in tables[""]}
    words = []
    for name in ("lmle", "triplet", "crl"):
        # The highest level that both reached with every seed.
        both = [
            level
            for level in LEVELS
            if all(_certain(by[m][f"to {level:g}"]) for m in ("clmle", name))
        ]
        paper = f" (the paper: {PAPER[name]} times)" if name in PAPER else ""
        if not both:
            words.append(f"{name} and clmle reach no level together with every seed{paper}")
            continue
        level = both[-1]
        mine, theirs = (_figures(by[m][f"to {level:g}"]) for m in ("clmle", name))
        words.append(
            f"to {level:g} {name} takes {theirs[0] / mine[0]:.2f} times the iterations of clmle "
            f"and {theirs[1] / mine[1]:.2f} times the seconds{paper}"
        )
    return (
        "; ".join(words).capitalize() + ". *Never*: not within the iterations given. Between two "
        "looks at validation both are interpolated; a level passed at the first look counts from "
        "there. Seconds hold all that a method does, its clusters and validation too; the "
        "network's steps bound them, and for triplets the miner."
    )


def _certain(cell: str) -> bool:
    return cell != NEVER and "of" not in cell


def _figures(cell: str) -> tuple[float, float]:
    steps, _, rest = cell.partition(" (")
    return max(float(steps), 1.0), max(float(rest.split(" s")[0]), 0.1)


COMPARISON = Comparison(
    "convergence",
    "Iterations and seconds to a given accuracy",
    run,
    f"toonfaces quick, {ATTRIBUTE}, backbone tiny, {STEPS} iterations of 240 images, validation "
    f"every {STEPS // LOOKS}; balanced accuracy on validation images; no prior features, the same "
    "untrained network for every method. The same question on 30,000 images, with prior features: "
    "the study `curves` in [RESULTS](RESULTS.md).",
    says,
)
