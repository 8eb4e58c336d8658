"""Figures as functions of plain data, shared by the app, the notebooks and the documentation.

Each returns a :class:`plotly.graph_objects.Figure`, unless its description names another type, with
the sentence of ``look_for.toml`` on what to look for (:func:`look_for`).

A module of this folder that lists functions in ``__all__`` exports them here.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from clmle.figures.reading import with_sentence

__all__: list[str] = []
for _module in iter_modules(__path__):
    _found = import_module(f"{__name__}.{_module.name}")
    for _name in getattr(_found, "__all__", ()):
        globals()[_name] = with_sentence(getattr(_found, _name))
        __all__.append(_name)


def __getattr__(name: str) -> Any:  # for type checkers, which cannot see the names above
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
