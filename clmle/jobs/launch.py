"""Train a run in a background process that outlives the page or notebook that started it."""

import os

from clmle.config import Config
from clmle.errors import InputError
from clmle.files import runs_dir
from clmle.jobs.process import start_module
from clmle.jobs.run_queue import WAITING
from clmle.run_folder import ACTIVE, RunFolder, create_run


def launch(
    config: Config, root: str | os.PathLike[str] | None = None, *, at_a_time: int = 0
) -> RunFolder:
    """Check a configuration, create its run folder and train it in the background."""
    from clmle.training.prepare import config_from_dict  # imports PyTorch, which takes seconds

    config_from_dict(config.to_dict())
    run = create_run(root if root is not None else runs_dir(), config.to_dict())
    _start(run, at_a_time)
    return run


def resume(run: RunFolder, *, at_a_time: int = 0) -> None:
    """Continue a stopped, failed or lost run in the background, from its last checkpoint.

    ``at_a_time`` is that of :func:`launch`.
    """
    state = run.status()["state"]
    if state in ACTIVE or state == "done":
        raise InputError(f"Run {run.name} is {state}; only a stopped run can be resumed.")
    run.clear_stop()
    _start(run, at_a_time)


def _start(run: RunFolder, at_a_time: int) -> None:
    folder = str(run.path.resolve())
    command = ["clmle", "train", "--resume", folder]
    if at_a_time:
        command = ["clmle.jobs.wait", folder, str(at_a_time)]
    process = start_module(*command, log=run.path / "log.txt", append=True)
    # The process needs seconds to import PyTorch; until it writes its status, it is queued.
    run.write_status(
        state="queued", phase=WAITING if at_a_time else "starting", step=0, total=0, message="",
        seconds=0.0, seconds_left=None, pid=process.pid,
    )  # fmt: skip
