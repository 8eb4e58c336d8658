"""Methods by name: every file of this folder registers its class."""

from __future__ import annotations

import pkgutil
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clmle.errors import InputError
from clmle.methods._declared import declared_methods, declared_options
from clmle.renamed import renamed_method

if TYPE_CHECKING:
    from clmle.methods._base import Method

FIRST = ("clmle", "oversampling", "softmax")
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
    base = sys.modules.get("clmle.methods._base")  # without it, nothing else is registered
    return tuple(sorted({*declared_methods(), *(base.METHODS if base else ())}))


def method_options(name: str) -> type:
    """Return the dataclass of the options of a method; PyTorch is imported only if necessary."""
    return declared_options(name) or get_method(name).Options


def method_groups() -> dict[str, tuple[str, ...]]:
    """Return the names of all methods by the heading under which lists show them.

    The first group holds the methods to begin with; the others are sorted.

    Returns
    -------
    dict of str to tuple of str

    Examples
    --------
    >>> method_groups()["to begin with"]
    ('clmle', 'oversampling', 'softmax')
    """
    found: dict[str, list[str]] = {}
    for name in method_names():
        if name not in FIRST:
            found.setdefault(get_method(name).group, []).append(name)
    groups = {group: tuple(found[group]) for group in sorted(found)}
    return {"to begin with": FIRST, **groups}


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
    from clmle.methods._base import METHODS

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
    """Import every file of this folder, and of those in it, once."""
    for module in pkgutil.walk_packages([str(Path(__file__).parent)], "clmle.methods."):
        import_module(module.name)
