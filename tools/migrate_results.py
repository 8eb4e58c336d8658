"""Convert results files of version 0.1 to the names of today: python -m tools.migrate_results FILE.

Every metric stays as it is, to the last digit. Names of options, methods, variants, studies and
keys change, and with them the key of a trial, which is a hash of its configuration.
"""

import argparse
import json
import re
from pathlib import Path
from typing import Any

from clmle.config import Config
from clmle.files import write_text
from clmle.methods import method_variant
from clmle.renamed import METHODS, OPTIONS, TRAIN, VALUES
from clmle.studies.trials import Trial
from clmle.training.prepare import config_from_dict

# Options that were added after the first results, with the value that those results had.
MISSING: dict[str, dict[str, Any]] = {
    "data": {"split": 0},
    "train": {"mirror": True, "n_embedding_samples": 2400, "grad_clip_norm": 0.0},
    "options": {
        "head": "linear",
        "head_scale": 8.0,
        "head_loss": "softmax",
        "max_class_fraction": 1.0,
        "logit_adjustment": True,
        "warmup_until": 0.0,
        "hard_fraction": 1.0,
    },
}
STUDY_NAMES = {
    "recipe": "components",
    "rule": "classifier",
    "waiting": "warmup",
    "hard-share": "hard-fraction",
    "embedding": "margin-loss",
    "photographs": "solar-cells-sampling",
    "prior": "pretraining",
    "screen": "screening",
    "curves": "convergence",
    "sampling-x-cost": "sampling-x-weighting",
    "confirmation-toonfaces": "preregistered-toonfaces",
    "confirmation-digits": "preregistered-digits",
    "confirmation-solar-cells": "preregistered-solar-cells",
    "confirmation-imbalance": "preregistered-imbalance",
}
VARIANTS = {
    "uniform query": "uniform query clusters",
    "no hard clusters": "uniform query clusters",
    "no cost weights": "no class weights",
    "k-nn rule": "k-NN classifier",
    "clmle, hardest query, costs": "clmle, hardest query, class weights",
    "clmle, hardest query, no costs": "clmle, hardest query, no class weights",
    "clmle, uniform query, costs": "clmle, uniform query, class weights",
    "clmle, uniform query, no costs": "clmle, uniform query, no class weights",
    "rare images twice in a batch": "repeated images in a batch",
    "small classes whole in a batch": "no limit on a class in a batch",
    "prior features by over-sampling": "pretraining by oversampling",
    "no Eq. 9": "without Eq. 9",
    "Eq. 9 ten times heavier": "Eq. 9 with ten times the weight",
    "mu of the batch": "centroids of the batch",
    "mu of the index": "centroids of the index",
    "one neighbourhood a batch": "one neighborhood per batch",
    "clusters judge alone": "cluster classifier alone",
    "no offsets": "cluster classifier alone, uncalibrated",
    "its batches without clusters": "sampling-without-replacement + threshold tuning",
    "Eq. 9 never waits": "Eq. 9 without warm-up",
    "all places by loss": "all samples from hard clusters",
    "batches as the data come": "natural sampling",
    "a softmax beside Eq. 9": "softmax head loss",
    "even, hard batches": "class-balanced, hard batches",
    "one neighbourhood, mu of the batch": "one neighborhood, centroids of the batch",
    "one neighbourhood, mu of the index": "one neighborhood, centroids of the index",
}


def migrate_config(old: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a trial in today's names."""
    variant = method_variant(METHODS.get(old["method"], old["method"]))
    clmle = old["method"] in ("clmle", "clmle-printed")
    options = dict(old["options"] or {})
    train = {TRAIN.get(k, k): v for k, v in old["train"].items()}
    train["pretrain_method"] = method_name(train["pretrain_method"])
    if clmle:
        fitted = options.pop("offset") or options["joint"]
        train["calibration"] = "offsets" if fitted else "none"
        options = {
            OPTIONS.get(k, k): VALUES.get(v, v) if k == "batches" else v for k, v in options.items()
        }
    elif "most_of_class" in options:
        options["max_class_fraction"] = options.pop("most_of_class")
    elif old["method"] == "minority-augmentation":
        options["augmented_fraction"] = options.pop("share")
    if options.get("sampling") == "even":
        options["sampling"] = "class-balanced"
    return {
        "method": variant["method"],
        "options": (MISSING["options"] if clmle else {}) | options | variant.get("options", {}),
        "data": MISSING["data"] | old["data"],
        "train": MISSING["train"] | train | variant.get("train", {}),
    }


def migrate_variant(old: str, method: str) -> str:
    """The name of a variant: of a method, perhaps with a value of an option, or of a study."""
    if old in VARIANTS:
        return VARIANTS[old]
    if method in METHODS and old.partition(", ")[0] == method:
        return old.replace(method, METHODS[method], 1)
    old = old.replace("clmle, embedding_weight", "clmle, margin_weight")
    for name in ("over-sampling", "bounded-sampling"):  # the pretraining method
        old = re.sub(f"(steps, ){name}$", rf"\g<1>{method_name(name)}", old)
    return old


def method_name(old: str) -> str:
    """Today's name of a method, without options that became part of its variant."""
    return str(method_variant(METHODS.get(old, old))["method"])


def migrate_recognition(old: dict[str, Any]) -> dict[str, Any]:
    """Metrics on unseen identities in today's names."""
    text = json.dumps(old).replace('"people_interval"', '"identity_interval"')
    new: dict[str, Any] = json.loads(text)
    for rows, name in ((new["open_set"]["rank_one"], "rate"), (new["by_frequency"], "accuracy")):
        rows[:] = [{name if k == "share" else k: v for k, v in row.items()} for row in rows]
    return new


def migrate(old: dict[str, Any]) -> dict[str, Any]:
    """One summary in today's names, with its new key."""
    config: Config = config_from_dict(migrate_config(old["settings"]))
    variant = migrate_variant(old["variant"], old["method"])
    new: dict[str, Any] = {
        "key": Trial(variant, config).key,
        "variant": variant,
        "method": config.method,
        "learning_curve": old["course"],
        "config": config.to_dict(),
    }
    if "recognition" in old:
        new["recognition"] = migrate_recognition(old["recognition"])
    names = {"settings": "config", "course": "learning_curve"}
    return {n: new.get(n, old.get(n)) for n in (names.get(k, k) for k in old)}


def main() -> None:
    """Convert the files given, in place or into a folder, where studies get their new names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--to", type=Path, help="a folder (default: in place)")
    values = parser.parse_args()
    for file in values.files:
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        new = [line if "config" in line else migrate(line) for line in lines]
        text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in new)
        to = file
        if values.to:
            to = values.to / f"{STUDY_NAMES.get(file.stem, file.stem)}.jsonl"
        write_text(to, text)
        print(f"{to}: {len(new)} trials")


if __name__ == "__main__":
    main()
