"""Convert result files of version 0.1 to the names of today: python -m tools.migrate_results.

Every metric stays as it is, to the last digit; names of settings, methods and keys change, and so
does the key of a trial, which follows from its settings.
"""

from __future__ import annotations

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

# Settings that came after the first results, at the value that those results had.
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


def migrate_config(old: dict[str, Any]) -> dict[str, Any]:
    """The configuration tree of a trial in today's names."""
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
    """The name of a variant: a method's own, perhaps with a setting, or the study's."""
    if method in METHODS and old.partition(", ")[0] == method:
        return old.replace(method, METHODS[method], 1)
    old = old.replace("one neighbourhood", "one neighborhood")
    old = old.replace("clmle, embedding_weight", "clmle, margin_weight")
    for name in ("over-sampling", "bounded-sampling"):  # how features were pretrained
        old = re.sub(f"(by |steps, ){name}$", rf"\g<1>{method_name(name)}", old)
    return old


def method_name(old: str) -> str:
    """Today's name of a method, without settings that came to be part of the variant."""
    return str(method_variant(METHODS.get(old, old))["method"])


def migrate(old: dict[str, Any]) -> dict[str, Any]:
    """One summary in today's names, its key computed anew."""
    config: Config = config_from_dict(migrate_config(old["settings"]))
    new = dict(old)
    variant = migrate_variant(old["variant"], old["method"])
    new["variant"] = variant
    new["method"] = config.method
    new["key"] = Trial(variant, config).key
    new["learning_curve"] = new.pop("course")
    new["config"] = config.to_dict()
    del new["settings"]
    return {name: new[name] for name in (RENAMED_KEYS.get(k, k) for k in old)}


RENAMED_KEYS = {"settings": "config", "course": "learning_curve"}


def main() -> None:
    """Convert the files given, in place or into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--to", type=Path, help="a folder (default: in place)")
    values = parser.parse_args()
    for file in values.files:
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        new = [line if "config" in line else migrate(line) for line in lines]
        text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in new)
        write_text((values.to or file.parent) / file.name, text)
        print(f"{file.name}: {len(new)} trials")


if __name__ == "__main__":
    main()
