"""The public API: names, lazy loading, docstrings, and what the app and notebooks import."""

from __future__ import annotations

import ast
import dataclasses
import doctest
import importlib
import inspect
import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import clmle

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = (
    "classifiers",
    "data",
    "estimators",
    "figures",
    "jobs",
    "losses",
    "methods",
    "metrics",
    "models",
    "paper",
    "playground",
    "samplers",
    "studies",
    "training",
)
# Their functions implement published equations or measures: the docstring names the source.
WITH_REFERENCES = (
    "clmle.clustering",
    "clmle.losses",
    "clmle.margins",
    "clmle.metrics.attributes",
    "clmle.metrics.cost_curve",
    "clmle.metrics.groups",
    "clmle.metrics.identification",
    "clmle.metrics.local_imbalance",
    "clmle.metrics.reliability",
    "clmle.metrics.roc",
    "clmle.metrics.verification",
)


def public_objects():
    """Functions and classes (but exceptions) that the packages export, by qualified name."""
    found = {}
    for package in ("clmle", *(f"clmle.{name}" for name in PACKAGES)):
        module = importlib.import_module(package)
        for name in module.__all__:
            value = getattr(module, name)
            if isinstance(value, type) and issubclass(value, Exception):
                continue
            if inspect.isfunction(value) or inspect.isclass(value):
                found[f"{value.__module__}.{value.__qualname__}"] = value
    return found


PUBLIC = public_objects()
# The rest serves the app and the commands: one summary says what it does.
LIBRARY = ("classifiers", "estimators", "figures", "losses", "metrics", "samplers")
EXPORTED = [getattr(clmle, name) for name in clmle.__all__]
COMPLETE = {
    name: value
    for name, value in PUBLIC.items()
    if value in EXPORTED or name.split(".")[1] in LIBRARY
}
MODULES = sorted(
    info.name
    for info in pkgutil.walk_packages(clmle.__path__, "clmle.")
    if not info.name.endswith("__main__")
)


@pytest.mark.parametrize("package", ["clmle", *(f"clmle.{name}" for name in PACKAGES)])
def test_every_exported_name_loads(package):
    module = importlib.import_module(package)
    assert len(set(module.__all__)) == len(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None, name
    assert set(module.__all__) <= set(dir(module))


def test_top_level_names_are_few():
    assert len(clmle.__all__) <= 60


def test_importing_the_package_and_its_namespaces_does_not_load_pytorch():
    code = (
        "import sys, clmle\n"
        "from clmle import data, figures, jobs, metrics, paper, playground, studies\n"
        "clmle.runs_dir(), clmle.list_runs('nowhere'), clmle.Config(), figures.title_of\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "False"


# --- what the app and the notebooks import ------------------------------------------------


def sources():
    """Name and code of every file of the app and every notebook."""
    for path in sorted((ROOT / "app").rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "notebooks").rglob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        lines = ("" if line.lstrip().startswith(("%", "!")) else line for line in code.split("\n"))
        yield path.relative_to(ROOT).as_posix(), "\n".join(lines)


def imports_of(code):
    """Pairs (module, name) of the imports of clmle in some code."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "clmle":
            yield from ((node.module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((a.name, "") for a in node.names if a.name.split(".")[0] == "clmle")


@pytest.mark.parametrize(("path", "code"), sources(), ids=lambda value: value.split("\n")[0])
def test_app_and_notebooks_import_public_names_only(path, code):
    modules = ["clmle", "clmle.figures"]
    deeper = [
        f"{module}.{name}".rstrip(".")
        for module, name in imports_of(code)
        if module not in modules or name not in ("", *public_names(module))
    ]
    assert not deeper, f"{path} imports {', '.join(deeper)}"


def public_names(module):
    """Names of a module for its users: ``__all__``, or all without an underscore."""
    found = importlib.import_module(module)
    return getattr(found, "__all__", [name for name in vars(found) if not name.startswith("_")])


# --- docstrings ---------------------------------------------------------------------------


def sections(text):
    """The sections of a numpydoc docstring by title."""
    parts = re.split(r"^([A-Z][A-Za-z ]+)\n-{3,}$", inspect.cleandoc(text), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def described(section):
    """Names of the parameters that a section describes, such as "a, b : int"."""
    names = set()
    for line in section.split("\n"):
        if line and not line[0].isspace():
            names |= {name.strip(" *") for name in line.split(" : ")[0].split(",")}
    return names


def missing_in(value):
    """What the docstring of a public function or class lacks.

    A dataclass or an abstract class describes its fields; it needs no example.
    """
    found = sections(value.__doc__ or "")
    inherited = inspect.isclass(value) and "__init__" not in vars(value)
    parameters = (
        []
        if inherited
        else [
            p.name
            for p in inspect.signature(value).parameters.values()
            if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        ]
    )
    documented = described(found.get("Parameters", "")) | described(found.get("Attributes", ""))
    if dataclasses.is_dataclass(value):  # an option describes itself
        documented |= {f.name for f in dataclasses.fields(value) if f.metadata.get("help")}
    missing = [name for name in parameters if name not in documented]
    if inspect.isfunction(value):
        returned = inspect.signature(value).return_annotation
        # The signature of a figure names its type; the page of clmle.figures states it once.
        named = (None, "None", "plotly.graph_objects.Figure")
        if returned not in named and not {"Returns", "Yields"} & found.keys():
            missing.append("Returns")
    is_record = dataclasses.is_dataclass(value) or inspect.isabstract(value)
    if ">>>" not in found.get("Examples", "") and not is_record:
        missing.append("Examples")
    if is_record:
        return missing
    if value.__module__.startswith(WITH_REFERENCES) and "References" not in found:
        missing.append("References")
    return missing


@pytest.mark.parametrize("name", COMPLETE)
def test_public_docstrings_are_complete(name):
    assert not missing_in(COMPLETE[name])


@pytest.mark.parametrize("name", [n for n, value in PUBLIC.items() if inspect.isclass(value)])
def test_public_methods_are_documented(name):
    cls = PUBLIC[name]
    for attribute, member in vars(cls).items():
        if not attribute.startswith("_") and (
            inspect.isfunction(member) or isinstance(member, property | classmethod | staticmethod)
        ):
            assert inspect.getdoc(getattr(cls, attribute)), f"{name}.{attribute}"


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_run(module, monkeypatch):
    monkeypatch.chdir(ROOT)  # some examples read docs/results
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL
    failures, _ = doctest.testmod(importlib.import_module(module), optionflags=flags)
    assert failures == 0
