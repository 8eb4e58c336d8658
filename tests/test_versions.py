"""make versions asks tests that there are, of packages that the project names."""

import sys
from pathlib import Path

from tests import versions

TESTS = Path(__file__).parent


def test_what_it_runs_and_leaves_out_is_there():
    texts = [(TESTS / f"test_{name}.py").read_text("utf-8") for name in versions.TESTS]
    for peer in versions.PEERS:
        assert sum(text.count(f"def {peer}") for text in texts) == 1


def test_it_takes_the_oldest_allowed_and_the_projects_own_tools():
    assert {"torch", "numpy", "scipy", "scikit-learn"} == set(versions.oldest())
    assert set(versions.TOOLS) <= set(versions.pins())
    least, pinned = versions.torches()
    assert least.startswith(f"{versions.oldest()['torch']}.")
    assert pinned.startswith(versions.pins()["torch"])


def test_this_python_is_the_last_resort():
    assert versions.pythons()[-1] == sys.executable
