"""Start a run in a process of its own, which outlives the page or notebook that asked for it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from clmle.config import Config
from clmle.errors import InputError
from clmle.files import runs_dir
from clmle.jobs.run_queue import WAITING
from clmle.run_folder import ACTIVE, RunFolder, create_run

ROOT = Path(__file__).resolve().parents[2]


def launch(
    config: Config, root: str | os.PathLike[str] | None = None, *, at_a_time: int = 0
) -> RunFolder:
    """Create a run folder and start training in the background; the settings are checked first.

    ``at_a_time``: wait until fewer runs of the folder than that train; 0 starts at once.

    Raises
    ------
    InputError
        The settings cannot be used, or the folder cannot be made.
    """
    from clmle.training.prepare import config_from_dict  # with PyTorch: seconds to load

    config_from_dict(config.to_dict())
    run = create_run(root if root is not None else runs_dir(), config.to_dict())
    _start(run, at_a_time)
    return run


def resume(run: RunFolder, *, at_a_time: int = 0) -> None:
    """Go on with a run that was stopped, failed or lost; ``at_a_time`` as of :func:`launch`.

    Raises
    ------
    InputError
        It is still running, or done.
    """
    state = run.status()["state"]
    if state in ACTIVE or state == "done":
        raise InputError(f"Run {run.name} is {state}; only one that stopped can be resumed.")
    run.clear_stop()
    _start(run, at_a_time)


def _start(run: RunFolder, at_a_time: int) -> None:
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    command = [sys.executable, "-m", "clmle", "train", "--resume", str(run.path.resolve())]
    if at_a_time:
        command += ["--at-a-time", str(at_a_time)]
    with open(run.path / "log.txt", "ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONPATH": path},
            start_new_session=True,
        )
    # The process takes seconds to import; until it speaks, it counts as queued.
    run.write_status(
        state="queued", phase=WAITING if at_a_time else "starting", step=0, total=0, message="",
        seconds=0.0, seconds_left=None, pid=process.pid,
    )  # fmt: skip
