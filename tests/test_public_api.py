"""The public API: names, lazy loading, docstrings, and what the app and notebooks import."""

from __future__ import annotations

import importlib

import pytest

import clmle

PACKAGES = (
    "classifiers",
    "data",
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


@pytest.mark.parametrize("package", ["clmle", *(f"clmle.{name}" for name in PACKAGES)])
def test_every_exported_name_loads(package):
    module = importlib.import_module(package)
    assert len(set(module.__all__)) == len(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None, name
    assert set(module.__all__) <= set(dir(module))


def test_top_level_names_are_few():
    assert len(clmle.__all__) <= 48
