"""``clmle app``: start the Streamlit app in a browser."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from clmle.cli.parser import CommandParser
from clmle.errors import InputError

APP = Path(__file__).resolve().parents[2] / "app" / "main.py"


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
    if not APP.is_file():
        raise InputError("The app is part of the repository; clone it and run clmle app there.")
    if find_spec("streamlit") is None:
        raise InputError("The app needs Streamlit: pip install -r requirements.txt.")
    command = [sys.executable, "-P", "-m", "streamlit", "run", str(APP)]
    options = [f"--server.port={values.port}"]
    if values.address:
        options.append(f"--server.address={values.address}")
    return subprocess.call([*command, *options], cwd=APP.parents[1])
