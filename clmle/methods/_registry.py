"""Methods by name: every file of this folder registers its class."""

import pkgutil
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from clmle.errors import InputError
from clmle.methods._base import METHODS, Method
from clmle.renamed import renamed_method

TUNED = " + threshold tuning"  # suffix of variants with calibration="balanced-logistic"


def method_names() -> tuple[str, ...]:
    """Return the names that :func:`get_method` accepts, sorted.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> "clmle" in method_names()
    True
    """
    _load_all()
    return tuple(sorted(METHODS))


def get_method(name: str) -> type[Method]:
    """Return the class of a method.

    Parameters
    ----------
    name : str
        One of :func:`method_names`; the InputError for an old name states the new one.

    Returns
    -------
    type[Method]
        Its ``title``, ``summary`` and ``Options`` describe the method.

    Examples
    --------
    >>> get_method("softmax").title
    'Softmax'
    """
    _load_all()
    if not isinstance(name, str) or name not in METHODS:
        new = renamed_method(name) if isinstance(name, str) else None
        if new:
            raise InputError(f"The method {name!r} is now {new}; use that.")
        names = ", ".join(method_names())
        raise InputError(f"There is no method {name!r}; choose one of: {names}.")
    return METHODS[name]


def method_variant(name: str) -> dict[str, Any]:
    """Return the settings of a named variant of a method."""
    base, tuned, _ = name.partition(TUNED)
    method, _, weights = base.rstrip(")").partition(" (")
    variant: dict[str, Any] = {"method": method}
    if weights:
        variant["options"] = {"weights": weights}
    if tuned:
        variant["train"] = {"calibration": "balanced-logistic"}
    return variant


def variant_title(name: str) -> str:
    """Return the title of a variant for lists and captions."""
    base, tuned, _ = name.partition(TUNED)
    return get_method(method_variant(base)["method"]).title + tuned


@cache
def _load_all() -> None:
    """Import every file of this folder once."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        import_module(f"clmle.methods.{module.name}")
