"""Child processes: runs in the background, the queue of runs and their estimated time."""

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

if TYPE_CHECKING:
    from clmle.jobs.eta import estimate_run_seconds
    from clmle.jobs.launch import launch, resume
    from clmle.jobs.process import START, end_with_children, start_module
    from clmle.jobs.run_queue import VISITORS, ahead, waits
    from clmle.jobs.trash import Batch, empty_trash, restore_runs, trash_runs, trashed

load_lazily(__name__)
