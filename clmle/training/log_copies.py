"""The trackers of a run while it trains: opened when its data are there, closed at its end."""

from collections.abc import Sequence

import numpy as np

from clmle.data.base import Task
from clmle.data.multilabel import MultiTask
from clmle.run_folder import RunFolder
from clmle.tracking._base import RunImages
from clmle.tracking.run_log import RunLog
from clmle.training.factory import embedding_task
from clmle.training.run_data import prepare_run


class LogCopies:
    """The log of a run in trackers; ``names`` is None in all processes but the main one."""

    def __init__(self, run: RunFolder, names: Sequence[str] | None) -> None:
        self.run, self.names = run, names
        self.log: RunLog | None = None

    def open(self, task: Task | MultiTask) -> None:
        """Open the trackers, and forward what a resumed run has logged before."""
        if self.names is not None:
            self.log = RunLog(self.run, self.names, images_of(task), task.class_names)
            self.log.update()

    def update(self) -> None:
        """Forward what is new."""
        if self.log is not None:
            self.log.update()

    def close(self) -> None:
        """Forward the rest and end the logs."""
        if self.log is not None:
            self.log.finish()


def images_of(task: Task | MultiTask) -> RunImages:
    """Images and classes of a task; of several attributes the classes of the first."""
    one = embedding_task(task)

    def classes(rows: np.ndarray) -> list[str]:
        return [str(one.class_names[c]) if c >= 0 else "unknown" for c in one.labels[rows]]

    return RunImages(lambda rows: np.asarray(task.images[rows]), classes)


def log_of_done_run(run: RunFolder, names: Sequence[str]) -> None:
    """Write the whole log of a run that is done to trackers."""
    _, task = prepare_run(run)
    copies = LogCopies(run, names)
    copies.open(task)
    copies.close()
