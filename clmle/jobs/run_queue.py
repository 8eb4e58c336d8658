"""Runs that wait until others of their folder have ended, the oldest first.

There is no scheduler process: every waiting process reads the status files of the other runs.
The folders of visitors, ``visitors/NAME`` next to the runs, share one queue with them.
"""

import time
from contextlib import suppress
from pathlib import Path

from clmle.errors import InputError
from clmle.jobs.lock import file_lock
from clmle.run_folder import ACTIVE, RunFolder, list_runs

WAITING = "waiting for its turn"
POLL_SECONDS = 1.0
VISITORS = "visitors"


def wait_for_slot(run: RunFolder, at_a_time: int) -> bool:
    """Return True when it is the turn of ``run``, oldest first; False if asked to stop before."""
    _write(run, WAITING)
    while True:
        if run.stop_requested():
            _write(run, "", state="stopped", message="Stopped before its turn.")
            return False
        # Under a lock, so that two processes cannot both take the last slot.
        with file_lock(_queue(run)[0] / ".turns", "", timeout=-1):
            if ahead(run) < at_a_time:
                _write(run, "starting")
                return True
        time.sleep(POLL_SECONDS)


def waits(status: dict[str, object]) -> bool:
    """Whether a run with this status waits for its turn."""
    return status["state"] == "queued" and status.get("phase") == WAITING


def ahead(run: RunFolder) -> int:
    """How many runs of the queue train, or wait and are older than this one."""
    found = 0
    for other in (other for folder in _queue(run) for other in list_runs(folder)):
        if other.path == run.path:
            continue
        with suppress(InputError):  # a damaged run delays no other
            status = other.status()
            older = (other.name, str(other.path)) < (run.name, str(run.path))
            found += (
                (not waits(status) or older)
                and status["state"] in ACTIVE
                and "pid" in status  # without: never started
            )
    return found


def _queue(run: RunFolder) -> list[Path]:
    """The folders whose runs share a queue with this one; the first holds all others."""
    folder = run.path.parent
    root = folder.parent.parent if folder.parent.name == VISITORS else folder
    visitors = root / VISITORS
    return [root, *(sorted(visitors.iterdir()) if visitors.is_dir() else ())]


def _write(run: RunFolder, phase: str, *, state: str = "queued", message: str = "") -> None:
    run.write_status(state=state, phase=phase, step=0, total=0, message=message, seconds=0.0,
                     seconds_left=None)  # fmt: skip
