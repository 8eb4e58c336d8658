"""The layers of the package, and the sizes of files and functions."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MOST_FILE_LINES = 450  # without docstrings
MOST_FUNCTION_LINES = 75
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)

# From the lowest to the highest; a module imports from its own layer and from lower ones.
LAYERS = (
    (
        "_balance",
        "_gather",
        "_lazy",
        "_search",
        "_space",
        "_spin",
        "checks",
        "device",
        "errors",
        "file_rows",
        "files",
        "renamed",
        "signed_arrays",
        "stored_json",
        "text",
        "threads",
    ),
    (
        "batch_index",
        "cluster_index",
        "clustering",
        "config",
        "data",
        "distributed_index",
        "margins",
        "metrics",
        "models",
        "paper",
    ),
    ("classifiers", "losses", "samplers"),
    ("methods",),
    (
        "activity",
        "jobs",
        "playground",
        "presets",
        "projection",
        "run_folder",
        "tracking",
        "training",
    ),
    ("estimators", "figures", "studies"),
    ("__main__", "cli"),
)


def modules(folder):
    """Dotted name -> parsed source of all modules in a package."""
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = ast.parse(path.read_text("utf-8"))
    return found


def imports(tree, known, nested=True):
    """Names of known modules that a module imports when it runs; ``nested``: in functions, too."""
    typing = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.unparse(block.test)
        for node in ast.walk(block)
    }
    for node in ast.walk(tree) if nested else tree.body:
        if id(node) in typing:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                if full in known or node.module in known:
                    yield full if full in known else node.module


def layer_of(module):
    part = module.split(".")[1]
    return next(i for i, names in enumerate(LAYERS) if part in names)


def test_imports_run_downward_in_the_layers():
    package = modules("clmle")
    package.pop("clmle")
    for module, tree in package.items():
        for other in imports(tree, package):
            assert layer_of(other) <= layer_of(module), f"{module} imports {other}"


def test_imports_have_no_cycle():
    package = modules("clmle")
    graph = {m: set(imports(tree, package, nested=False)) - {m} for m, tree in package.items()}
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("folder", ["clmle", "app"])
def test_the_report_is_not_imported(folder):
    for module, tree in modules(folder).items():
        names = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        assert not any("tools" in ast.unparse(node).split() for node in names), module
        assert "tools.report" not in "\n".join(map(ast.unparse, names)), module


@pytest.mark.parametrize("folder", ["clmle", "app", "bench", "tools"])
def test_files_and_functions_have_a_limited_length(folder):
    for path in (ROOT / folder).rglob("*.py"):
        text = path.read_text("utf-8")
        tree = ast.parse(text)
        documented = [node for node in ast.walk(tree) if isinstance(node, DOCUMENTED)]
        lines = text.count("\n") - sum(map(docstring_lines, documented))
        assert lines <= MOST_FILE_LINES, f"{path} has {lines} lines"
        for node in documented:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = node.end_lineno - node.lineno + 1 - docstring_lines(node)
                assert lines <= MOST_FUNCTION_LINES, f"{path}: {node.name} has {lines} lines"


def docstring_lines(node):
    if ast.get_docstring(node) is None:
        return 0
    return node.body[0].end_lineno - node.body[0].lineno + 1
