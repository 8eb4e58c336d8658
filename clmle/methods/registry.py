"""Methods by name: every file of this folder registers its classes."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path

from clmle.errors import InputError
from clmle.methods.base import METHODS, Method
from clmle.renamed import renamed_method


def method_names() -> tuple[str, ...]:
    """Return the names that :func:`get_method` accepts, sorted."""
    _load_all()
    return tuple(sorted(METHODS))


def get_method(name: str) -> type[Method]:
    """Return the class of a method; its ``title``, ``summary`` and ``Options`` describe it."""
    _load_all()
    if not isinstance(name, str) or name not in METHODS:
        new = renamed_method(name) if isinstance(name, str) else None
        if new:
            raise InputError(f"The method {name!r} is now {new}; use that.")
        names = ", ".join(method_names())
        raise InputError(f"There is no method {name!r}; choose one of: {names}.")
    return METHODS[name]


@cache
def _load_all() -> None:
    """Import every file of this folder once."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        import_module(f"clmle.methods.{module.name}")
