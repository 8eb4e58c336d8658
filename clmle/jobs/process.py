"""Processes of one's own: started, and whether one from earlier still runs and is the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from clmle.errors import InputError

ROOT = Path(__file__).resolve().parents[1]


def start_module(*words: str) -> subprocess.Popen[bytes]:
    """Run a module of this project with arguments, in a process that outlives its starter.

    What goes wrong is said on its stderr; nothing else is read of it.

    Raises
    ------
    InputError
        No process can be started.
    """
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    try:
        return subprocess.Popen(
            [sys.executable, "-m", *words],
            env=os.environ | {"PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise InputError(f"No process can be started ({error.strerror}).") from error


def end_with_children(process: subprocess.Popen[bytes], patience: float = 5.0) -> None:
    """End a process of :func:`start_module` and all that it started; kill what does not end."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, sign)  # it leads a group of its own
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience)


def birth(pid: int) -> str:
    """When process ``pid`` began, as its system tells it; "" where it has gone or is a zombie.

    A number alone may have been given to another process meanwhile; number and birth are one's
    own.
    """
    if type(pid) is not int or pid <= 0:  # a damaged file may say anything
        return ""
    if Path("/proc/self/stat").exists():
        try:
            facts = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            return ""
        return "" if facts[0] in "ZX" else facts[19]
    found = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split(maxsplit=1)
    return "" if len(found) < 2 or found[0].startswith("Z") else found[1].strip()


def end(pid: int, born: str) -> bool:
    """Ask the process to end (SIGTERM), if it is still that one; whether it was."""
    if not born or birth(pid) != born:
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    return True
