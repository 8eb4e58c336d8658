"""What the files of this folder declare, read without importing them and PyTorch: for --help."""

import ast
import re
from functools import cache
from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).parent
REGISTERED = re.compile(r'^@register\("([^"]+)"\)', re.MULTILINE)


@cache
def declared_methods() -> dict[str, Path]:
    """Return the file of every method that a file of this folder registers, by name."""
    files = sorted(FOLDER.rglob("*.py"))
    return {name: file for file in files for name in REGISTERED.findall(file.read_text("utf-8"))}


def declared_options(name: str) -> type | None:
    """Return the options of a method where its file imports them from another; else None."""
    file = declared_methods().get(name)
    if file is None:
        return None
    tree = ast.parse(file.read_text("utf-8"))
    own = next(node for node in tree.body if isinstance(node, ast.ClassDef) and _is(node, name))
    for node in own.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Name):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if ast.unparse(target) == "Options":
                return _imported(tree, node.value.id)
    return None


def _is(node: ast.ClassDef, name: str) -> bool:
    """Whether a class is registered as ``name``."""
    return any(ast.unparse(d) == f"register({name!r})" for d in node.decorator_list)


def _imported(tree: ast.Module, name: str) -> type | None:
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and name in (alias.name for alias in node.names):
            found: type = getattr(import_module(str(node.module)), name)
            return found
    return None
