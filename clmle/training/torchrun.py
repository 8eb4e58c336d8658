"""The run of a torchrun job, which is found again after a restart of the processes."""

import os
import socket
from pathlib import Path
from typing import Any

from clmle.files import write_text
from clmle.run_folder import RunFolder, create_run, list_runs


def job_name() -> str:
    """Return a name that all starts of a torchrun job share; empty without torchrun.

    It is the rendezvous id if there is one, else the machine and torchrun's process number.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return ""
    name = os.environ["TORCHELASTIC_RUN_ID"]
    return name if name not in ("", "none") else f"{socket.gethostname()}-{os.getppid()}"


def run_of_job(root: str | os.PathLike[str], config: dict[str, Any]) -> RunFolder:
    """Create a run, or return the unfinished one that this job created with the same config.

    torchrun starts all processes again, with the same command, when one of them is lost; after
    such a restart a finished run is returned too.
    """
    job = job_name()
    again = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") != "0"
    if job:
        for run in list_runs(root):
            if run.damage():
                continue
            same = _text(run.path / "job") == job and run.config() == config
            if same and (again or run.result() is None):
                return run
    run = create_run(root, config)
    if job:
        write_text(run.path / "job", job)
    return run


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
