"""Convert results files of version 0.1 to the names of today: python -m tools.migrate_results FILE.

Every metric stays as it is, to the last digit. Names of options, methods, variants, studies and
keys change, and with them the key of a trial, which is a hash of its configuration.
"""

import argparse
import json
import re
import tomllib
from pathlib import Path
from typing import Any

from clmle.config import Config
from clmle.files import write_text
from clmle.methods import method_variant
from clmle.renamed import METHODS, OPTIONS, TRAIN, VALUES
from clmle.studies.trials import Trial
from clmle.training.prepare import config_from_dict

_NAMES = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
MISSING: dict[str, dict[str, Any]] = _NAMES["missing"]
STUDY_NAMES, VARIANTS = _NAMES["studies"], _NAMES["variants"]


def migrate_config(old: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a trial in today's names."""
    variant = method_variant(METHODS.get(old["method"], old["method"]))
    clmle = old["method"] in ("clmle", "clmle-printed")
    options = dict(old["options"] or {})
    train = {TRAIN.get(k, k): v for k, v in old["train"].items()}
    train["pretrain_method"] = method_name(train["pretrain_method"])
    if clmle:
        fitted = options.pop("offset") or options["joint"]
        train["calibration"] = "balanced-logistic" if fitted else "none"
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
        return str(VARIANTS[old])
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
        "key": Trial(variant, config).key, "variant": variant, "method": config.method,
        "learning_curve": old["course"], "config": config.to_dict(),
    }  # fmt: skip
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
