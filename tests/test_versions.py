"""`make versions` runs existing tests with packages that the project names."""

import subprocess
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


def test_every_python_is_tested_once_and_this_one_is_among_them():
    found = versions.pythons()
    assert sys.executable in found
    show = "import sys; print(sys.version_info[:2])"
    own = [subprocess.check_output([python, "-c", show], text=True) for python in found]
    assert len(own) == len(set(own))
    assert own == sorted(own)


def test_the_oldest_packages_are_tried_first_and_torch_is_downloaded_last():
    plans = versions.plans(["2.11.0", "2.13.0"])
    assert [plan[-1] for plan in plans] == ["torch==2.11.0", "torch==2.13.0"] * 2
    assert f"numpy=={versions.oldest()['numpy']}" in plans[1]
    assert f"numpy=={versions.pins()['numpy']}" in plans[2]
