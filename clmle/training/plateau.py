"""When to lower the learning rate, and when to stop: both by validation data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Plateau:
    """Divides the learning rate by 10 after ``patience`` evaluations without gain.

    After ``drops`` divisions a further plateau says stop. The state is four numbers, so that
    a checkpoint can hold it.
    """

    patience: int
    drops: int
    best: float = -1.0
    waited: int = 0
    dropped: int = 0

    def update(self, value: float) -> str:
        """Take the newest validation figure; answers "better", "wait", "drop" or "stop"."""
        if value > self.best:
            self.best, self.waited = value, 0
            return "better"
        self.waited += 1
        if self.waited < self.patience:
            return "wait"
        self.waited = 0
        if self.dropped >= self.drops:
            return "stop"
        self.dropped += 1
        return "drop"

    @property
    def factor(self) -> float:
        """What the starting learning rate is multiplied by."""
        return 0.1**self.dropped
