"""Runs of trackio, in the project TRACKIO_PROJECT; on this computer unless configured."""

import os
from typing import Any

from clmle.run_folder import RunFolder
from clmle.tracking._base import RunImages, Scalars, Tracker


class Trackio(Tracker):
    """Logs metrics and configuration."""

    def __init__(self, run: RunFolder, images: RunImages | None, again: str) -> None:
        super().__init__(run, images, again)
        import trackio

        self.log: Any = trackio.init(
            project=os.environ.get("TRACKIO_PROJECT", "clmle"),
            name=run.name,
            config=run.config(),
            resume="must" if again else "never",
            embed=False,
        )

    def identity(self) -> str:
        return self.run.name

    def scalars(self, found: Scalars) -> None:
        self.log.log(found.values, step=found.step)

    def finish(self, result: dict[str, Any] | None) -> None:
        self.log.finish()


TRACKER = Trackio
