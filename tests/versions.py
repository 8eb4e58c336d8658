"""Run the tests of the core with other versions of packages and of Python: make versions

Every Python from 3.11 that is installed (pyenv's, too) gets an environment, .venv-oldest, with the
oldest packages that pyproject.toml allows; with the pinned ones if the oldest do not exist for it.
torch is the oldest, else the pinned version, as a build for CPUs. python tests/versions.py 2.11.0
uses exactly that version of torch in any build, which may download gigabytes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".venv-oldest"
BIN = FOLDER / ("Scripts" if os.name == "nt" else "bin")
TESTS = (
    "test_clustering", "test_margins", "test_cluster_index", "test_core_imports",
    "losses/test_clmle", "losses/test_clmle_nearest_clusters", "classifiers/test_nearest_cluster",
    "classifiers/test_sklearn", "samplers/test_cluster", "samplers/test_hard_cluster",
    "classifiers/test_torch_classifier", "classifiers/test_probabilities_of_run",
    "training/test_shared_model",
)  # fmt: skip
# Comparisons with faiss and k-means-constrained, which the core does not need.
PEERS = (
    "test_objective_is_near_k_means_constrained",
    "test_objective_of_many_clusters_is_close_to_that_without_size_constraints",
)
TOOLS = ("pytest", "pytest-timeout", "hypothesis")
SHOW = """
import platform
from importlib.metadata import version
names = ("torch", "numpy", "scipy", "scikit-learn", "safetensors", "filelock", "pillow")
print(f"Python {platform.python_version()},", ", ".join(f"{n} {version(n)}" for n in names))
"""


def pins() -> dict[str, str]:
    """Package -> pinned version."""
    texts = [(ROOT / f"{name}.txt").read_text("utf-8")
             for name in ("requirements", "requirements-dev", "constraints")]  # fmt: skip
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", "\n".join(texts), re.MULTILINE))


def oldest() -> dict[str, str]:
    """Package -> the oldest version that pyproject.toml allows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return dict(need.split(">=") for need in project["dependencies"])


def pythons() -> list[str]:
    """One interpreter of every version of Python from 3.11; this one of its version."""
    own = sys.version_info[:2]
    found: dict[tuple[int, int], str] = {own: sys.executable}
    places = [shutil.which(f"python3.{minor}") for minor in range(11, 20)]
    if shutil.which("pyenv"):
        root = subprocess.run(["pyenv", "root"], capture_output=True, text=True, check=False)
        places += sorted(map(str, Path(root.stdout.strip()).glob("versions/3.*/bin/python")))
    for place in filter(None, places):
        # A shim of pyenv without a version ends with an exit code.
        done = subprocess.run(
            [place, "-c", "import sys; print(*sys.version_info[:2])"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode == 0:
            major, minor = map(int, done.stdout.split())
            found.setdefault((major, minor), place)
    return [found[version] for version in sorted(found) if version >= (3, 11)]


def torches() -> list[str]:
    """Versions of torch to try, as builds for CPUs on Linux (others download gigabytes)."""
    build = "+cpu" if sys.platform == "linux" else ""
    return [f"{oldest()['torch']}.0{build}", f"{pins()['torch']}{build}"]


def plans(torches: list[str]) -> list[list[str]]:
    """Requirements to try, in this order, for one Python."""
    least = [f"{name}=={version}" for name, version in oldest().items() if name != "torch"]
    pinned = [f"{name}=={pins()[name]}" for name in oldest() if name != "torch"]
    # Small packages first: a missing one is known before torch is downloaded.
    return [[*packages, f"torch=={torch}"] for packages in (least, pinned) for torch in torches]


def install(needs: list[str]) -> str:
    """Install into the environment; why that is impossible, or ""."""
    needs = needs + [f"{name}=={pins()[name]}" for name in TOOLS]
    command = [str(BIN / "python"), "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
    done = subprocess.run(command + needs, capture_output=True, text=True, check=False)
    if not done.returncode:
        return ""
    why = [line[7:] for line in done.stderr.splitlines() if line.startswith("ERROR: ")]
    return next((line for line in why if line.startswith("No match")), (why or ["pip failed"])[0])


def test() -> tuple[bool, str]:
    """Whether the tests pass in the environment, and their last line with the versions."""
    files = [f"tests/{name}.py" for name in TESTS]
    command = [
        str(BIN / "python"), "-m", "pytest", "-q", "-p", "no:cacheprovider", *files,
        "-k", " and ".join(f"not {name}" for name in PEERS),
    ]  # fmt: skip
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as tests:
        assert tests.stdout is not None
        last = ""
        for line in tests.stdout:
            print(line, end="", flush=True)
            last = line.strip() or last
    show = subprocess.run([BIN / "python", "-c", SHOW], capture_output=True, text=True, check=True)
    return tests.returncode == 0, f"{show.stdout.strip()}: {last}"


def main(versions: list[str]) -> int:
    passed, summary = [], []
    for python in pythons():
        for needs in plans(versions or torches()):
            # A new environment every time: what fails may leave packages.
            subprocess.run([python, "-m", "venv", "--clear", str(FOLDER)], check=True)
            failure = install(needs)
            if not failure:
                works, line = test()
                passed.append(works)
                summary.append(line)
                break
            summary.append(f"{python}, {needs[-1]}: {failure}")
    print("\n".join(summary))
    if not passed:
        print("No build of torch for CPUs was found; make versions TORCH=2.11.0 uses any build.")
    return 0 if passed and all(passed) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
