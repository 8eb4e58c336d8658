"""``clmle app``: start the Streamlit app in a browser."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from clmle.cli.parser import CommandParser
from clmle.errors import InputError

PACKAGE = Path(__file__).resolve().parents[1]
PLACES = (PACKAGE.parent / "app", PACKAGE / "_app" / "app")  # repository, installed package


def main(arguments: list[str]) -> int:
    """Run ``clmle app``."""
    parser = CommandParser(
        "app",
        "Start the Streamlit app in a browser.",
        ["app", "app --port 8600", "app --classroom --address 0.0.0.0"],
        "[options]",
    )
    parser.add_argument("--port", type=int, default=8501, help="port of the app (default: 8501)")
    parser.add_argument(
        "--address", help="address at which others reach it, as 0.0.0.0; needs a password in the "
        "environment variable CLMLE_PASSWORD (default: this computer alone)",
    )  # fmt: skip
    parser.add_argument(
        "--classroom",
        action="store_true",
        help="every browser has its own folder of runs; those above it are shared, unchangeable",
    )
    parser.add_argument(
        "--read-only",
        action="store_true",
        help="nothing can be trained, changed or deleted",
    )
    values = parser.parse(arguments)
    if find_spec("streamlit") is None:
        raise InputError("The app needs Streamlit: pip install 'clmle[app]'.")
    command = [sys.executable, "-P", "-m", "streamlit", "run", str(main_file())]
    options = [f"--server.port={values.port}"]
    if values.address:
        options.append(f"--server.address={values.address}")
    modes = {"CLMLE_CLASSROOM": values.classroom, "CLMLE_READ_ONLY": values.read_only}
    env = os.environ | {name: "1" for name, on in modes.items() if on}
    if os.name == "posix":  # the server takes the place of this process: signals reach it
        os.execve(sys.executable, [*command, *options], env)
    return subprocess.call([*command, *options], env=env)


def main_file() -> Path:
    """Return the file that Streamlit runs."""
    # Next to an installed package, a folder called app may belong to something else.
    found = [folder for folder in PLACES if (folder / "widgets" / "playground_viewer.js").is_file()]
    if not found:
        raise InputError("The files of the app are missing; install clmle again.")
    return found[0] / "main.py"
