"""The folder of a model: weights, classifier, preprocessing, class names and a model card.

``model.safetensors``  weights and classifier
``config.json``        network, preprocessing, class names
``README.md``          model card
"""

import os
from pathlib import Path, PurePath
from typing import Any

from clmle.errors import InputError
from clmle.files import read_json, write_json, write_text
from clmle.run_folder import open_run
from clmle.stored_json import check
from clmle.training.checkpoint import load_weights, save_tensors
from clmle.training.model import Model, load_model
from clmle.training.prepare import config_from_dict
from clmle.training.stored_model import StoredModel

FORMAT = "clmle-model"
VERSION = 1
CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
KIND = {
    "name": str,
    "input": {"value_range?": ([float, 2], None)},
    "class_names": [str, None],
    "attributes": [str, None],
    "config": dict,
}
PATHS = {"data": ("dataset", "labels"), "train": ("init_from",)}  # options that may hold a path


def write_model(model: Model, folder: Path) -> None:
    """Write the folder of a model; config.json comes last and makes it complete."""
    from clmle import __version__

    stored = model.stored
    if (folder / CONFIG).exists() and not is_model_folder(folder):
        raise InputError(f"{folder} holds something else than a model; choose another folder.")
    facts = {
        "format": FORMAT,
        "format_version": VERSION,
        "clmle_version": __version__,
        "name": stored.name,
        "input": describe_input(model.image_shape, stored.value_range),
        "class_names": list(model.class_names),
        "attributes": list(model.attributes),
        "config": without_folders(stored.config.to_dict()),
    }
    card = stored.card()
    kept = {**stored.facts, "image_shape": list(model.image_shape)}
    save_tensors(folder / WEIGHTS, stored.groups, kept)
    write_text(folder / CARD, card)
    write_json(folder / CONFIG, facts)


def describe_input(
    shape: tuple[int, ...], value_range: tuple[float, float] | None
) -> dict[str, Any]:
    """Describe what the network expects, for programs other than clmle, too."""
    if len(shape) == 1:
        return {"kind": "features", "dimensions": shape[0], "standardization": "in the network"}
    height, width, channels = shape
    return {
        "kind": "images",
        "height": height,
        "width": width,
        "channels": channels,
        "crop": "the largest centered part of these proportions",
        "colors": "RGB" if channels == 3 else "mean of red, green and blue",
        "scaling": "(value - 127.5) / 128, in the network",
        "value_range": list(value_range) if value_range else None,
    }


def without_folders(config: dict[str, Any]) -> dict[str, Any]:
    """Return a config in which files have no folders: a shared model names no private paths."""
    for part, names in PATHS.items():
        for name in names:
            config[part][name] = PurePath(config[part][name]).name
    return config


def is_model_folder(folder: Path) -> bool:
    """Whether a folder was written by :func:`write_model`."""
    try:
        tree = read_json(folder / CONFIG)
    except (InputError, OSError):
        return False
    return isinstance(tree, dict) and tree.get("format") == FORMAT


def read_model(folder: Path) -> StoredModel:
    """Read the folder of a model."""
    if not is_model_folder(folder):
        raise InputError(
            f"{folder} is no folder of a model; write one with clmle export RUN --to folder."
        )
    tree = read_json(folder / CONFIG)
    if tree.get("format_version") != VERSION:
        raise InputError(
            f"{folder} was written by clmle {tree.get('clmle_version')} in another format; load it "
            "with that version."
        )
    check(folder / CONFIG, tree, KIND)
    groups, facts = load_weights(folder / WEIGHTS)
    found = tree["input"].get("value_range")
    value_range = (float(found[0]), float(found[1])) if found else None
    class_names, attributes = tuple(tree["class_names"]), tuple(tree["attributes"])
    config = config_from_dict(tree["config"])

    def card() -> str:
        return (folder / CARD).read_text(encoding="utf-8")

    return StoredModel(
        tree["name"],
        folder / WEIGHTS,
        config,
        groups,
        facts,
        class_names,
        attributes,
        value_range,
        card,
    )


def open_model(
    name: str | os.PathLike[str], root: str | os.PathLike[str] | None = None, device: str = "auto"
) -> Model:
    """Open a model by the folder of a model, or by the folder or the name of a run under root."""
    from clmle.files import expanded, runs_dir

    folder = expanded(name)
    if is_model_folder(folder):
        return Model.from_pretrained(folder, device)
    if folder.is_dir() and ((folder / CONFIG).exists() or folder.name != str(name)):
        return load_model(open_run(folder.resolve().parent, folder.resolve().name), device)
    return load_model(open_run(root or runs_dir(), str(name)), device)
