"""Methods, found by name. Adding one is adding a file here that registers its class."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from clmle.classifiers.base import Classifier
from clmle.errors import InputError
from clmle.methods.base import METHODS, Batch, Loss, Method, Outputs, register


def method_names() -> tuple[str, ...]:
    """Names that :func:`get_method` accepts, sorted."""
    _load_all()
    return tuple(sorted(METHODS))


def get_method(name: str) -> type[Method]:
    """The class of a method; its ``title``, ``summary`` and ``Options`` describe it."""
    _load_all()
    if not isinstance(name, str) or name not in METHODS:
        names = ", ".join(method_names())
        raise InputError(f"There is no method {name!r}; choose one of: {names}.")
    return METHODS[name]


@cache
def _load_all() -> None:
    """Import every file of this folder, once: the pages ask for titles many times over."""
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")


__all__ = [
    "Batch",
    "Classifier",
    "Loss",
    "Method",
    "Outputs",
    "get_method",
    "method_names",
    "register",
]
