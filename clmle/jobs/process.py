"""The one place that starts child processes, and finds out later whether they still run."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from clmle._spin import SHORT_SPIN
from clmle.errors import InputError
from clmle.files import as_sentence

ROOT = Path(__file__).resolve().parents[2]  # the folder that holds the packages clmle and app
DAY = 24 * 3600
START = 6.0  # seconds until the first step of a run: imports, data, first features


def start_module(
    module: str, *arguments: str, log: Path | None = None, append: bool = False, pipes: bool = False
) -> subprocess.Popen[Any]:
    """Run ``python -m module arguments`` as the leader of a process group that outlives us.

    ``log`` receives stdout and stderr, with ``pipes`` stderr alone; without a log stdout is
    discarded and stderr a pipe.
    """
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    path = os.pathsep.join([str(ROOT), *(p for p in given if os.path.isabs(p))])
    pipe = subprocess.PIPE
    try:
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
        with open(log or os.devnull, "ab" if append else "wb") as file:
            return subprocess.Popen(
                [sys.executable, "-P", "-m", module, *arguments],  # -P: no code of this folder
                env=SHORT_SPIN | os.environ | {"PYTHONPATH": path},
                stdin=pipe if pipes else subprocess.DEVNULL,
                stdout=pipe if pipes else file,
                stderr=file if pipes else subprocess.STDOUT if log else pipe,
                start_new_session=True,
            )
    except OSError as error:
        if log is not None:
            raise as_sentence(error, log) from error
        raise InputError(f"No process can be started ({error.strerror}).") from error


def end_with_children(process: subprocess.Popen[Any], timeout: float = 5.0) -> None:
    """End a process of :func:`start_module` and its children; kill what still runs after it."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, sign)  # it leads a process group
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout)


def birth(pid: int) -> str:
    """Start time of process ``pid``, with it unique; "" if it has ended or is a zombie."""
    if type(pid) is not int or pid <= 0:  # read from a file that may be damaged
        return ""
    if Path("/proc/self/stat").exists():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            return ""
        return "" if fields[0] in "ZX" else fields[19]
    found = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split(maxsplit=1)
    return "" if len(found) < 2 or found[0].startswith("Z") else found[1].strip()


def is_running(pid: Any, born: Any, updated: float = 0.0) -> bool:
    """Whether the process still runs; without a start time up to a day after ``updated``."""
    if type(pid) is not int or not 0 < pid < 2**31:
        return False
    now = birth(pid)
    if not now:
        return _is_hidden(pid)
    if not born:
        return time.time() - updated <= DAY
    return bool(now == born)


def end(pid: int, born: str) -> bool:
    """Send SIGTERM to the process with this number and start time; return whether it runs."""
    if not born or birth(pid) != born:
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    return True


def _is_hidden(pid: int) -> bool:
    """Whether ``pid`` is a process of another user that this user cannot inspect."""
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except ProcessLookupError:
        pass
    return False  # ended, or a zombie
