"""Names of a package that load where they are first used."""

import ast
import sys
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any


class LazyPackage(ModuleType):
    """A package whose names load where they are first used.

    The imports under ``if TYPE_CHECKING:`` in its ``__init__.py`` are its public names and say
    where they live: type checkers and this class read the same lines.
    """

    @cached_property
    def _homes(self) -> dict[str, tuple[str, str]]:
        """Module and name there of every lazy name."""
        body = ast.parse(Path(str(self.__file__)).read_text(encoding="utf-8")).body
        (block,) = (
            node
            for node in body
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        )
        return {
            alias.asname or alias.name: (str(node.module), alias.name)
            for node in block.body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in self._homes:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        home, original = self._homes[name]
        if home == self.__name__:
            return import_module(f"{home}.{name}")
        value = getattr(import_module(home), original)
        self.__dict__[name] = value
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        # The import of a module sets an attribute of its package. It must not take the place of
        # an exported function of the same name.
        if isinstance(value, ModuleType) and self._homes.get(name, (self.__name__,))[0] != (
            self.__name__
        ):
            return
        super().__setattr__(name, value)

    @property
    def __all__(self) -> list[str]:
        return sorted(self._homes)

    def __dir__(self) -> list[str]:
        return sorted({*self.__dict__, *self._homes})


def load_lazily(package: str) -> None:
    """Make ``package`` load the names of its ``TYPE_CHECKING`` block where they are first used."""
    sys.modules[package].__class__ = LazyPackage
