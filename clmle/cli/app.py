"""``clmle app``: start the Streamlit app in a browser."""

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
        "app", "Start the Streamlit app in a browser.", ["app", "app --port 8600"], "[options]"
    )
    parser.add_argument("--port", type=int, default=8501, help="port of the app (default: 8501)")
    parser.add_argument(
        "--address", help="address at which others reach it, as 0.0.0.0; needs a password in the "
        "environment variable CLMLE_PASSWORD (default: this computer alone)",
    )  # fmt: skip
    values = parser.parse(arguments)
    if find_spec("streamlit") is None:
        raise InputError("The app needs Streamlit: pip install 'clmle[app]'.")
    command = [sys.executable, "-P", "-m", "streamlit", "run", str(main_file())]
    options = [f"--server.port={values.port}"]
    if values.address:
        options.append(f"--server.address={values.address}")
    return subprocess.call([*command, *options])


def main_file() -> Path:
    """Return the file that Streamlit runs."""
    # Next to an installed package, a folder called app may belong to something else.
    found = [folder for folder in PLACES if (folder / "widgets" / "playground_viewer.js").is_file()]
    if not found:
        raise InputError("The files of the app are missing; install clmle again.")
    return found[0] / "main.py"
