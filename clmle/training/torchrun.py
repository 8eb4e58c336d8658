"""The torchrun job that this process belongs to, and its run: found again after a restart."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

from clmle.files import write_text
from clmle.run_folder import RunFolder, create_run, list_runs


def job_name() -> str:
    """What all starts of a torchrun job have in common; empty where there is none.

    Its rendezvous id where it has one of its own, else this machine and torchrun's process.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return ""
    name = os.environ["TORCHELASTIC_RUN_ID"]
    return name if name not in ("", "none") else f"{socket.gethostname()}-{os.getppid()}"


def run_of_job(root: str | os.PathLike[str], config: dict[str, Any]) -> RunFolder:
    """A new run, or the unfinished one with these settings that this job has begun before.

    torchrun starts all processes anew, with the same command, when one of them has died; a run
    that was finished then is taken too.
    """
    job = job_name()
    again = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") != "0"
    if job:
        for run in list_runs(root):
            mine = _text(run.path / "job") == job and run.config() == config
            if mine and (again or run.result() is None):
                return run
    run = create_run(root, config)
    if job:
        write_text(run.path / "job", job)
    return run


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
