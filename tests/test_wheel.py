"""The wheel in a new environment: it holds every file, the commands run, the app answers."""

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
import zipfile
from pathlib import Path
from urllib.error import HTTPError

import pytest

import clmle

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("clmle", "app", "docs/results", "setup.py", "pyproject.toml", "README.md", "LICENSE")
BIN = "Scripts" if os.name == "nt" else "bin"


def run(*command, **options):
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy: a build leaves files next to its sources."""
    folder = tmp_path_factory.mktemp("source")
    for part in PARTS:
        if (ROOT / part).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, folder / part, ignore=ignored)
        else:
            shutil.copy(ROOT / part, folder / part)
    run(
        sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index",
        "--no-build-isolation", "--wheel-dir", folder / "dist", folder,
    )  # fmt: skip
    (found,) = (folder / "dist").glob("*.whl")
    return found


@pytest.fixture(scope="module")
def environment(wheel, tmp_path_factory):
    """A fresh environment with the wheel; its dependencies are those of the tests."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / BIN / "python"
    command = ["install", "--quiet", "--no-deps", "--no-index", "--no-compile", str(wheel)]
    run(sys.executable, "-m", "pip", "--python", python, *command)
    site = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    (Path(site) / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return folder


def test_the_wheel_holds_every_file_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tops = {name.split("/")[0] for name in names}
    assert tops == {"clmle", f"clmle-{clmle.__version__}.dist-info"}
    wanted = {
        path.relative_to(ROOT).as_posix()
        for folder in ("clmle", "app")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    wanted |= {f"docs/results/{path.name}" for path in (ROOT / "docs/results").glob("*.jsonl")}
    places = {name if name.startswith("clmle/") else f"clmle/_app/{name}" for name in wanted}
    assert places <= names
    assert {n for n in names if n.startswith("clmle/")} <= places


def test_the_metadata_name_extras_versions_and_types(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        text = archive.read(next(n for n in names if n.endswith("METADATA"))).decode()
    for extra in ("app", "features", "track", "ray", "solar", "export"):
        assert f"\nProvides-Extra: {extra}\n" in text
    for minor in (11, 12, 13):
        assert f"\nClassifier: Programming Language :: Python :: 3.{minor}\n" in text
    assert "\nLicense-Expression: MIT\n" in text
    assert "clmle/py.typed" in names


def test_the_installed_package_is_imported_and_its_commands_run(environment, tmp_path):
    code = "import clmle; print(clmle.__file__, clmle.__version__, clmle.preset_config)"
    found = run(environment / BIN / "python", "-c", code, cwd=tmp_path)
    assert str(environment) in found
    assert f" {clmle.__version__} " in found
    assert "usage: clmle COMMAND" in run(environment / BIN / "clmle", "--help", cwd=tmp_path)
    assert run(environment / BIN / "clmle", "--version", cwd=tmp_path).split()[1] in found


def test_the_app_of_the_installed_package_answers(environment, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [environment / BIN / "clmle", "app", "--port", str(port)],
        cwd=tmp_path, env=os.environ | {"STREAMLIT_SERVER_HEADLESS": "true"},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        answer = None
        while answer is None:
            assert process.poll() is None
            try:
                answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/")
            except HTTPError as error:
                raise AssertionError(f"The server answers {error.code}.") from error
            except OSError:  # it does not listen yet
                time.sleep(0.2)
        assert answer.status == 200
        assert answer.headers["x-frame-options"] == "SAMEORIGIN"  # the app's own guard answers
        assert answer.headers["content-type"].startswith("text/html")
    finally:
        process.terminate()
        process.wait()
    with socket.socket() as again:  # the server has ended with the command
        assert again.connect_ex(("127.0.0.1", port)) != 0
