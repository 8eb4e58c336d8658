"""Runs that wait for their turn: at most so many of a folder train at a time, the oldest first.

There is no scheduler that could die: every waiting process looks at the others' status files.
"""

from __future__ import annotations

import time

from clmle.run_folder import ACTIVE, RunFolder, list_runs

WAITING = "waiting for its turn"
LOOK_EVERY = 1.0  # seconds


def wait_for_slot(run: RunFolder, at_a_time: int) -> bool:
    """Return when fewer than ``at_a_time`` other runs of the folder train; False if asked to stop.

    Of several that wait the one that was made first goes first.
    """
    from filelock import FileLock

    run.write_status(**_status(WAITING))
    while True:
        if run.stop_requested():
            run.write_status(**_status("", state="stopped", message="Stopped before its turn."))
            return False
        # Looking and taking the place are one step, or two would take the last one.
        with FileLock(run.path.parent / ".turns"):
            if _is_next(run, at_a_time):
                run.write_status(**_status("starting"))
                return True
        time.sleep(LOOK_EVERY)


def waits(status: dict[str, object]) -> bool:
    """Whether a run with this status waits for its turn."""
    return status["state"] == "queued" and status.get("phase") == WAITING


def ahead(run: RunFolder) -> int:
    """How many runs of the folder train or wait before this one."""
    before = [r for r in _others(run) if not waits(r.status()) or r.name < run.name]
    return len(before)


def _is_next(run: RunFolder, at_a_time: int) -> bool:
    """Whether a place is free for this run once all that wait longer have theirs."""
    return ahead(run) < at_a_time


def _others(run: RunFolder) -> list[RunFolder]:
    """Other runs of the folder that are alive; one that nobody has started yet is not."""
    others = [r for r in list_runs(run.path.parent) if r.name != run.name]
    return [r for r in others if "pid" in r.status() and r.status()["state"] in ACTIVE]


def _status(phase: str, *, state: str = "queued", message: str = "") -> dict[str, object]:
    return {"state": state, "phase": phase, "step": 0, "total": 0, "message": message,
            "seconds": 0.0, "seconds_left": None}  # fmt: skip
