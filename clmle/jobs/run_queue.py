"""Runs that wait until others of their folder have ended, the oldest first.

There is no scheduler process: every waiting process reads the status files of the other runs.
"""

import time
from contextlib import suppress

from clmle.errors import InputError
from clmle.jobs.lock import file_lock
from clmle.run_folder import ACTIVE, RunFolder, list_runs

WAITING = "waiting for its turn"
POLL_SECONDS = 1.0


def wait_for_slot(run: RunFolder, at_a_time: int) -> bool:
    """Return True when it is the turn of ``run``, oldest first; False if asked to stop before."""
    _write(run, WAITING)
    while True:
        if run.stop_requested():
            _write(run, "", state="stopped", message="Stopped before its turn.")
            return False
        # Under a lock, so that two processes cannot both take the last slot.
        with file_lock(run.path.parent / ".turns", "", timeout=-1):
            if ahead(run) < at_a_time:
                _write(run, "starting")
                return True
        time.sleep(POLL_SECONDS)


def waits(status: dict[str, object]) -> bool:
    """Whether a run with this status waits for its turn."""
    return status["state"] == "queued" and status.get("phase") == WAITING


def ahead(run: RunFolder) -> int:
    """How many runs of the folder train, or wait and are older than this one."""
    others = {}
    for other in list_runs(run.path.parent):
        with suppress(InputError):  # a damaged run delays no other
            others[other.name] = other.status()
    return sum(
        (not waits(status) or name < run.name)
        and status["state"] in ACTIVE
        and "pid" in status  # without: never started
        for name, status in others.items()
        if name != run.name
    )


def _write(run: RunFolder, phase: str, *, state: str = "queued", message: str = "") -> None:
    run.write_status(state=state, phase=phase, step=0, total=0, message=message, seconds=0.0,
                     seconds_left=None)  # fmt: skip
