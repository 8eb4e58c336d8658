"""JSON files of a run folder, read with checks: a damaged one is named in a sentence."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clmle.errors import InputError
from clmle.files import read_json


def damaged(file: Path, what: str) -> InputError:
    return InputError(f"{file} is damaged ({what}); remove or restore it.")


def check_kinds(file: Path, tree: Mapping[str, Any], kinds: Mapping[str, Any]) -> None:
    """Raise unless ``tree`` has a value of the right kind for every name in ``kinds``."""
    for name, kind in kinds.items():
        if not isinstance(tree.get(name), kind):
            raise damaged(file, name)


def tree_in(file: Path, *names: str) -> dict[str, Any]:
    """The object in a JSON file, which must hold ``names``."""
    tree = read_json(file)
    missing = [name for name in names if not isinstance(tree, dict) or name not in tree]
    if missing or not isinstance(tree, dict):
        lacks = missing[0] if missing else "object"
        raise InputError(f"{file} is damaged (it holds no {lacks}); remove or restore it.")
    return tree
