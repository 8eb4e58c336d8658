"""Search of the margin a1: a few training steps per candidate, compared on validation images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from clmle.training.checkpoint import copy_state, restore_state

if TYPE_CHECKING:
    from clmle.training.trainer import Trainer


def search_margins(trainer: Trainer) -> None:
    """Train ``margin_trials`` steps by each candidate's options, undo them, and keep the best."""
    steps, method = trainer.config.train.margin_trials, trainer.method
    candidates = method.margin_candidates() if steps else []
    if not candidates:
        return
    before = copy_state(trainer.network, trainer.optimizer, method)
    scores = []
    for number, options in enumerate(candidates, start=1):
        method.options = options
        for step in range(steps):
            phase = f"margin search, candidate {number} of {len(candidates)}"
            trainer.one_step(method, phase, step=trainer.step + step)
        scores.append(_balanced_accuracy(trainer))
        restore_state(before, trainer.network, trainer.optimizer, method)
    margins = []
    for options in candidates:
        method.options = options
        margins.append(float(method.margins(trainer.config.train.feature_dim)[0]))  # type: ignore[union-attr]
    method.options = candidates[int(np.argmax(scores))]
    trainer.run.append_metrics(
        kind="margins", step=trainer.step, between=margins, balanced_accuracy=scores
    )


def _balanced_accuracy(trainer: Trainer) -> float:
    """Compute balanced accuracy on validation images, with new clusters."""
    evaluator = trainer.evaluator
    evaluator.extract_training_features("margin search")
    if evaluator.features is not None:
        trainer.start_round()
    outputs = evaluator.extract(trainer.task.validation, "margin search")

    def compute() -> float:
        metrics = evaluator.metrics(*outputs, n_bootstrap=1)[1]
        return float(metrics["balanced_accuracy"])

    return trainer.world.broadcast_from_main(compute)
