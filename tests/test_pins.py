"""Every requirement is pinned to one version; pins.py keeps the other lines."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pins

ROOT = Path(__file__).resolve().parents[1]
FILES = (*pins.FILES, "constraints.txt")


def exact(file):
    lines = (ROOT / file).read_text().splitlines()
    return [line for line in lines if not line.startswith(("#", "-"))]


def test_every_package_is_pinned_once():
    names = []
    for file in FILES:
        for line in exact(file):
            assert re.fullmatch(r"[\w.-]+==[\w.]+", line), (file, line)
            names.append(re.sub(r"[-_.]+", "-", line.partition("==")[0]).lower())
    assert len(names) == len(set(names))
    assert {"torch", "numpy", "jinja2"} <= set(names)


def test_pins_are_within_the_ranges_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    held = dict(line.split("==") for file in FILES for line in exact(file))
    for need in project["dependencies"]:
        name, least = need.split(">=")
        assert numbers(held[name]) >= numbers(least)


def test_pinned_packages_run_on_the_oldest_python():
    """Debian 12 has 3.11.2; soupsieve 4.1.2 needs 3.11.5, so that make app failed there."""
    names = [line.partition("==")[0] for file in FILES for line in exact(file)]
    assert pins.too_new(name for name in names if pins.version(name)) == []


def test_packages_for_newer_pythons_are_named(monkeypatch):
    monkeypatch.setattr(
        pins, "distribution",
        lambda name: SimpleNamespace(version="4.1", metadata={"Requires-Python": ">=3.11.5"}),
    )  # fmt: skip
    assert pins.too_new(["soupsieve"]) == ["soupsieve 4.1 (>=3.11.5)"]


def numbers(text):
    return [int(n) for n in re.findall(r"\d+", text)]


def test_installed_packages_are_pinned_and_other_lines_are_kept():
    text = "-c constraints.txt\nnumpy>=1.0\nnot-there-at-all==1.2  # why\n# a line\n"
    first, second, *others = pins.pinned(text).splitlines()
    assert first == "-c constraints.txt"
    assert second == f"numpy=={version('numpy').partition('+')[0]}"
    assert others == ["not-there-at-all==1.2  # why", "# a line"]


def test_dependencies_are_followed_recursively():
    found = pins.needed(["scikit-learn"])
    assert {"scikit-learn", "numpy", "scipy", "joblib", "threadpoolctl"} <= set(found)
