"""Runs of Weights & Biases, in the project WANDB_PROJECT; WANDB_MODE=offline sends nothing."""

import os
import uuid
from typing import Any

from clmle.run_folder import RunFolder
from clmle.tracking._base import RunImages, Scalars, Tracker


class WeightsAndBiases(Tracker):
    """Logs metrics and configuration."""

    def __init__(self, run: RunFolder, images: RunImages | None, again: str) -> None:
        super().__init__(run, images, again)
        import wandb

        self.id = again or uuid.uuid4().hex[:8]
        self.log: Any = wandb.init(
            project=os.environ.get("WANDB_PROJECT", "clmle"),
            name=run.name,
            id=self.id,
            resume="allow",
            config=run.config(),
            dir=str(run.path),
        )
        # The step of a run of Weights & Biases must not fall; ours is logged as a separate metric.
        self.log.define_metric("*", step_metric="step")

    def identity(self) -> str:
        return self.id

    def scalars(self, found: Scalars) -> None:
        self.log.log({**found.values, "step": found.step})

    def finish(self, result: dict[str, Any] | None) -> None:
        self.log.finish(exit_code=0 if result is not None else 1)


TRACKER = WeightsAndBiases
