"""Stored JSON, read with checks: a damaged file is named in a sentence.

What a file holds is described by kinds. ``str``, ``bool``, ``int``, ``float`` and :class:`Within`
are one value; a number is finite. ``dict`` is any object, None is null. A tuple lists
alternatives. ``[kind, n]`` is a list of ``n`` values, where ``n`` is a number, or a word that
stands for the same number in the whole file, or None for any. ``{name: kind}`` is an object;
``"name?"`` may be missing, ``str`` stands for all names.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clmle.errors import InputError, shown
from clmle.files import read_json

LARGEST = 2**53  # of a number: more is neither a count nor a metric, and overflows in a sum


@dataclass(frozen=True)
class Within:
    """A number from ``low`` to ``high``: an int, or with ``type`` float any."""

    low: float
    high: float = LARGEST
    type: Any = float


COUNT = Within(0, type=int)
RATE = Within(-1e-6, 1 + 1e-6)  # means of rates may be rounded to more than 1


def damaged(file: Path, what: str) -> InputError:
    """The error about a file that holds something else than expected."""
    return InputError(f"{file} is damaged ({what}); remove or restore it.")


def read_checked(file: Path, kind: dict[Any, Any]) -> dict[str, Any]:
    """The object in a JSON file, which must be of ``kind``."""
    tree: dict[str, Any] = read_json(file)
    check(file, tree, kind)
    return tree


def check(file: Path, tree: Any, kind: Any) -> None:
    """Raise an InputError that names ``file`` unless ``tree`` is of ``kind``."""
    wrong = next(_faults(tree, kind, "", {}), None)
    if wrong is not None:
        raise damaged(file, wrong or "it holds something else")


def fits(tree: Any, kind: Any) -> bool:
    """Whether ``tree`` is of ``kind``."""
    return next(_faults(tree, kind, "", {}), None) is None


def _faults(value: Any, kind: Any, name: str, sizes: dict[str, int]) -> Iterator[str]:
    """Names of values of other kinds, such as test.recall."""
    if isinstance(kind, tuple):
        if all(any(True for _ in _faults(value, one, name, dict(sizes))) for one in kind):
            yield name
    elif isinstance(kind, dict) and isinstance(value, dict):
        for key, inner in kind.items():
            if key is str:
                for own in value:
                    yield from _faults(value[own], inner, f"{name}.{shown(own)}", sizes)
                continue
            plain = key.removesuffix("?")
            path = f"{name}.{plain}".lstrip(".")
            if plain in value:
                yield from _faults(value[plain], inner, path, sizes)
            elif plain == key:
                yield f"it holds no {path}"
    elif isinstance(kind, list) and isinstance(value, list):
        inner, size = kind
        wanted = sizes.setdefault(size, len(value)) if isinstance(size, str) else size
        if wanted is not None and len(value) != wanted:
            yield name
        elif _is_single(inner):  # a confusion may have a million values
            if not _all_are(value, inner):
                yield name
        else:
            for one in value:
                yield from _faults(one, inner, name, sizes)
    elif _is_single(kind):
        if not _all_are([value], kind):
            yield name
    elif not (value is None if kind is None else kind is dict and isinstance(value, dict)):
        yield name


def _is_single(kind: Any) -> bool:
    return isinstance(kind, Within) or (isinstance(kind, type) and kind is not dict)


def _all_are(values: list[Any], kind: Any) -> bool:
    """Whether all values are of one kind, a single value."""
    if kind in (str, bool):
        return set(map(type, values)) <= {kind}
    if not isinstance(kind, Within):
        kind = Within(-LARGEST, type=kind)
    if not set(map(type, values)) <= ({int, float} if kind.type is float else {int}):
        return False
    return all(kind.low <= value <= kind.high for value in values)  # False for NaN
