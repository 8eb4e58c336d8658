"""`make versions` runs existing tests with packages that the project names."""

import sys
from pathlib import Path

from tests import versions

TESTS = Path(__file__).parent


def test_the_selected_and_excluded_tests_exist():
    texts = [(TESTS / f"{name}.py").read_text("utf-8") for name in versions.TESTS]
    for peer in versions.PEERS:
        assert sum(text.count(f"def {peer}") for text in texts) == 1


def test_the_oldest_allowed_packages_and_pinned_tools_are_installed():
    core = {"torch", "numpy", "scipy", "scikit-learn", "safetensors", "filelock", "pillow"}
    assert core == set(versions.oldest())
    assert set(versions.TOOLS) <= set(versions.pins())
    least, pinned = versions.torches()
    assert least.startswith(f"{versions.oldest()['torch']}.")
    assert pinned.startswith(versions.pins()["torch"])


def test_this_python_is_the_last_choice():
    assert versions.pythons()[-1] == sys.executable
