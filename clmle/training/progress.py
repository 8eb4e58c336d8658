"""How far a run has come, as its checkpoint: everything that the next step depends on."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from clmle import __version__
from clmle.config import Config
from clmle.errors import InputError
from clmle.training.checkpoint import copy_state, load_tensors, restore_state, save_tensors
from clmle.training.run_data import check_facts

if TYPE_CHECKING:
    from clmle.training.trainer import Trainer

PHASES = ("pretraining", "margins", "rounds", "done")


def save_progress(trainer: Trainer) -> None:
    """Write the checkpoint of a run, after all lines of its metrics file."""
    facts = {
        "step": trainer.step, "round": trainer.round, "phase": trainer.phase,
        "lines": trainer.run.sync_metrics(),
        "seconds": trainer.reporter.seconds(),
        "plateau": [trainer.plateau.best, trainer.plateau.waited, trainer.plateau.dropped],
        "options": dataclasses.asdict(trainer.method.options),
        "version": __version__, "config": _training_config(trainer.config),
        "data": trainer.data_facts,
    }  # fmt: skip
    state = copy_state(trainer.network, trainer.optimizer, trainer.method)
    save_tensors(trainer.run.checkpoint_path, state, facts)


def restore_progress(trainer: Trainer) -> None:
    """Load the checkpoint of a run; an InputError unless it continues this run exactly."""
    file = trainer.run.checkpoint_path
    state, facts = load_tensors(file)
    version = facts.get("version", "before 0.2") if isinstance(facts, dict) else "unknown"
    try:
        if facts["config"] != _training_config(trainer.config):
            raise InputError(
                f"The configuration of run {trainer.run.name} has changed since its checkpoint; "
                f"restore it, or remove {file.name} to train from the beginning."
            )
        check_facts(trainer.run, facts["data"], trainer.data_facts)
        step, round, phase = (facts[k] for k in ("step", "round", "phase"))
        steps, rounds = trainer.config.train.iterations, trainer.config.train.rounds
        if phase not in PHASES or not (0 <= step <= steps and 0 <= round <= rounds):
            raise ValueError(f"phase {phase}, step {step}, round {round}")
        trainer.step, trainer.round, trainer.phase = step, round, phase
        trainer.reporter.resume(float(facts["seconds"]), trainer.step)
        plateau = trainer.plateau
        plateau.best, plateau.waited, plateau.dropped = facts["plateau"]
        sum(facts["plateau"])  # raises for what are no numbers
        trainer.method.options = dataclasses.replace(trainer.method.options, **facts["options"])
        restore_state(state, trainer.network, trainer.optimizer, trainer.method)
        trainer.run.truncate_metrics(int(facts["lines"]))
    except InputError:
        raise
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        ArithmeticError,
        RuntimeError,
    ) as error:
        why = str(error).split("\n")[0][:100]
        raise InputError(
            f"{file}, written by clmle {version}, does not fit this run in clmle "
            f"{__version__} ({type(error).__name__}: {why}); remove it to train from the "
            "beginning, or use that version."
        ) from error


def _training_config(config: Config) -> dict[str, Any]:
    """What a run must keep to be continued: all but the machine, and where the data are."""
    tree = config.to_dict()
    tree["train"] = {k: v for k, v in tree["train"].items() if k not in ("device", "threads")}
    tree["data"] = {k: v for k, v in tree["data"].items() if k not in ("dataset", "labels")}
    return tree
