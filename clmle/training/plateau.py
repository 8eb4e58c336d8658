"""Learning-rate drops and the end of training, by validation metrics."""

from dataclasses import dataclass


@dataclass
class Plateau:
    """Divides the learning rate by 10 after ``patience`` evaluations without improvement.

    After ``max_drops`` divisions a further plateau stops the run. The state, three numbers, is
    part of the checkpoint.
    """

    patience: int
    max_drops: int
    best: float = -1.0
    waited: int = 0
    dropped: int = 0

    def update(self, value: float) -> str:
        """Take the newest validation metric; return "better", "wait", "drop" or "stop"."""
        if value > self.best:
            self.best, self.waited = value, 0
            return "better"
        self.waited += 1
        if self.waited < self.patience:
            return "wait"
        self.waited = 0
        if self.dropped >= self.max_drops:
            return "stop"
        self.dropped += 1
        return "drop"

    @property
    def factor(self) -> float:
        """Factor of the initial learning rate."""
        return 0.1**self.dropped
