"""Convert result files of version 0.1 to the names of today: python -m tools.migrate_results.

Every metric stays as it is, to the last digit; names of settings, methods and keys change, and so
does the key of a trial, which follows from its settings.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from clmle.config import Config
from clmle.files import write_text
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
    method = METHODS.get(old["method"], old["method"])
    options = {
        OPTIONS.get(k, k) if is_clmle(method) or k == "most_of_class" else k: VALUES.get(v, v)
        if k == "batches"
        else v
        for k, v in (old["options"] or {}).items()
    }
    train = {TRAIN.get(k, k): v for k, v in old["train"].items()}
    train["pretrain_method"] = METHODS.get(train["pretrain_method"], train["pretrain_method"])
    tree = {"method": method, "options": options, "data": dict(old["data"]), "train": train}
    known = {
        "data": old["data"],
        "train": train,
        "options": MISSING["options"] if is_clmle(method) else {},
    }
    for part, values in MISSING.items():
        for name, value in values.items():
            if part != "options" or name in known["options"]:
                tree[part].setdefault(name, value)
    return tree


def is_clmle(method: str) -> bool:
    """Whether a method has CLMLE's options."""
    return method in ("clmle", "clmle-paper")


def migrate(old: dict[str, Any]) -> dict[str, Any]:
    """One summary in today's names, its key computed anew."""
    config: Config = config_from_dict(migrate_config(old["settings"]))
    new = dict(old)
    variant = METHODS.get(old["variant"], old["variant"])
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
