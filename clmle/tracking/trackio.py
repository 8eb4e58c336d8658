"""Runs of trackio, in the project TRACKIO_PROJECT; on this computer unless configured."""

import os
import sys
from contextlib import redirect_stdout
from typing import Any

from clmle.run_folder import RunFolder
from clmle.tracking._base import RunImages, Scalars, Tracker


class Trackio(Tracker):
    """Logs metrics and configuration.

    trackio prints its messages to the standard output, which holds the metrics of a run here.
    """

    def __init__(self, run: RunFolder, images: RunImages | None, again: str) -> None:
        super().__init__(run, images, again)
        import trackio

        self.package: Any = trackio
        with redirect_stdout(sys.stderr):
            self.log: Any = trackio.init(
                project=os.environ.get("TRACKIO_PROJECT", "clmle"),
                name=run.name,
                config=run.config(),
                # Not "must": a process that was killed at its start has stored nothing there.
                resume="allow" if again else "never",
                embed=False,
            )

    def identity(self) -> str:
        return self.run.name

    def scalars(self, found: Scalars) -> None:
        self.log.log(found.values, step=found.step)

    def finish(self, result: dict[str, Any] | None) -> None:
        # Not self.log.finish(), which trackio would call again at the end of the process.
        with redirect_stdout(sys.stderr):
            self.package.finish()


TRACKER = Trackio
