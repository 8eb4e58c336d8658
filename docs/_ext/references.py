"""Links of the API reference: names lead to the package that documents them.

A docstring may name an object by the module that defines it, while the reference documents it
under its package. Names of internal objects are shown without a link, and names of objects that
do not exist are warnings.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from importlib import import_module
from typing import Any

# Modules with a page in docs/reference; the first one that exports an object documents it.
DOCUMENTED = (
    "clmle.methods", "clmle.losses", "clmle.samplers", "clmle.classifiers", "clmle.models",
    "clmle.data.recognition", "clmle.data", "clmle.metrics", "clmle.training", "clmle.studies",
    "clmle.jobs", "clmle.figures", "clmle.figures.export", "clmle.playground", "clmle.paper",
    "clmle.projection", "clmle.config", "clmle.presets", "clmle.run_folder", "clmle.cluster_index",
    "clmle.clustering", "clmle.margins", "clmle.errors", "clmle.training.distributed",
)  # fmt: skip


FUNCTIONS = ("clmle.files.runs_dir", "clmle.files.cache_dir")  # documented one by one


def setup(app: Any) -> dict[str, Any]:
    app.connect("missing-reference", resolve)
    app.connect("autodoc-process-docstring", escape, priority=400)  # before napoleon
    app.connect("autodoc-skip-member", skip_exported)
    return {"parallel_read_safe": True}


def public_names(module: str) -> list[str]:
    """Names that a documented module exports or defines."""
    found = import_module(module)
    names = getattr(found, "__all__", None)
    if names is None:
        names = [
            name for name, thing in vars(found).items()
            if not name.startswith("_") and getattr(thing, "__module__", None) == module
        ]  # fmt: skip
    return list(names)


@cache
def documented_names() -> dict[int, str]:
    """The dotted names of all documented objects, by identity."""
    found = {id(object_at(name)): name for name in FUNCTIONS}
    for module in reversed(DOCUMENTED):  # a function may have the name of its module
        for name in public_names(module):
            found[id(getattr(import_module(module), name, None))] = f"{module}.{name}"
    return found


def documented_name(thing: Any) -> str | None:
    """The dotted name under which the reference documents an object."""
    return documented_names().get(id(thing))


@cache
def object_at(name: str) -> Any:
    """The object of a dotted name, or None."""
    parts = name.split(".")
    for n in range(len(parts), 0, -1):
        try:
            thing: Any = import_module(".".join(parts[:n]))
        except (ImportError, ValueError):
            continue
        for part in parts[n:]:
            thing = getattr(thing, part, None)
        return thing
    return None


def resolve(app: Any, env: Any, node: Any, text: Any) -> Any:
    """A link to the documented name of an object; plain text for an internal object."""
    if node.get("refdomain") != "py":
        return None
    target = node["reftarget"]
    if not re.fullmatch(r"[\w.]+", target):  # a part of a type such as tuple[str, int]
        return text
    scopes = [node.get("py:module"), node.get("py:class")]
    candidates = [target, *(f"{scope}.{target}" for scope in scopes if scope)]
    for name in candidates:
        thing = object_at(name)
        if thing is None:
            continue
        documented = documented_name(thing)
        owner = documented_name(object_at(name.rpartition(".")[0]))
        if documented is None and owner is not None:
            documented = f"{owner}.{name.rpartition('.')[2]}"
        if documented is None:
            return text
        domain = env.domains["py"]
        link = domain.resolve_xref(env, node["refdoc"], app.builder, "obj", documented, node, text)
        return text if link is None else link
    return text if is_internal(target.split(".")[0]) else None


@cache
def is_internal(name: str) -> bool:
    """Whether a module of the package has an object of this name."""
    modules = [module for key, module in list(sys.modules.items()) if key[:5] == "clmle"]
    return any(hasattr(module, name) for module in modules)


def escape(app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]) -> None:
    """Lengths such as |f| are no substitutions, and a property's colon ends no type."""
    literal = None  # indentation of the line before a literal block
    for i, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        if literal is not None and (not line.strip() or indent > literal):
            continue
        literal = indent if line.rstrip().endswith("::") else None
        if "`" not in line and not line.lstrip().startswith(">>>"):
            lines[i] = line.replace("|", "\\|")
    if what in ("property", "attribute") and lines:
        lines[0] = lines[0].replace(": ", " - ")


def skip_exported(app: Any, what: str, name: str, thing: Any, skip: bool, options: Any) -> Any:
    """Members of a page that another page documents."""
    if what != "module":
        return None
    module = app.env.temp_data.get("autodoc:module")
    documented = documented_name(thing) if callable(thing) else None
    if module in DOCUMENTED and documented and documented.rpartition(".")[0] != module:
        return True
    return None


def api_table() -> str:
    """A table of the names of ``clmle`` with links."""
    clmle = import_module("clmle")
    rows = ["| name | summary |", "|---|---|"]
    modules = []
    for name in clmle.__all__:
        thing = getattr(clmle, name)
        summary = (thing.__doc__ or "").strip().partition("\n")[0]
        documented = documented_name(thing)
        if documented is None:
            modules.append(f"`clmle.{name}`")
            continue
        rows.append(f"| {{py:obj}}`clmle.{name} <{documented}>` | {summary} |")
    return "\n".join(rows) + "\n\nPackages: " + ", ".join(modules) + ".\n"


def constants(module: str) -> str:
    """A line with the constants that a package exports."""
    names = [name for name in import_module(module).__all__ if name.isupper()]
    return f"Constants: {', '.join(f'`{name}`' for name in names)}."
