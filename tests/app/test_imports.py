"""The app imports from the package only names of the public API."""

import ast
from pathlib import Path

import pytest

import clmle

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "app").rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_of_the_app_imports_the_public_api_only(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".")[0] for alias in node.names]
            assert not {"clmle", "tools"} & set(names), ast.unparse(node)
        elif isinstance(node, ast.ImportFrom) and str(node.module).startswith(("clmle", "tools")):
            assert node.module == "clmle", ast.unparse(node)
            assert {alias.name for alias in node.names} <= set(clmle.__all__)
