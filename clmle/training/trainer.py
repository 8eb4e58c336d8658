"""The training of one run, from settings to result: readable from top to bottom.

    prior features   class-weighted softmax for a while (cluster methods only)
    margins          a few short trials judged on validation data, if asked for
    rounds           refresh the clusters, then steps; validation after every round
    test             the best round on validation data judges the test images, once

Every random draw is named by (seed, step, process). With the checkpoint (weights, momentum,
clusters, cached losses, plateau) a killed run therefore goes on exactly as if nothing had happened.

All that several processes do together goes by ``world``; alone, it does nothing.
"""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Any

import numpy as np
import torch

from clmle.config import Config, check_bounds
from clmle.errors import InputError
from clmle.files import clear_unfinished
from clmle.jobs.lock import run_lock
from clmle.methods import Loss, Method, Outputs, get_method
from clmle.methods.multi_label import MultiLabel
from clmle.run_folder import ReadOnlyRunFolder, RunFolder
from clmle.training.checkpoint import load_tensors, put_back, save_tensors, take
from clmle.training.distributed import World, world_of_environment
from clmle.training.evaluator import Evaluator
from clmle.training.extraction import autocast
from clmle.training.factory import make_method, make_network, task_facts
from clmle.training.images import ImageSource
from clmle.training.plateau import Plateau
from clmle.training.prepare import config_from_dict, prepare
from clmle.training.pretrain import given_features, start_from
from clmle.training.reporting import Report, Reporter, Stopped, StopSignals, machine

SAVE_EVERY = 15.0  # seconds between checkpoints within a round
TOLD_EVERY = 0.5  # seconds between status files
LOG_EVERY = 5  # steps between lines of the metrics file


def train(
    run: RunFolder, *, report: Report | None = None, world: World | None = None
) -> dict[str, Any]:
    """Train, or go on training, the run in a folder; returns its result.

    Every process of a ``torchrun`` calls this with the same folder; ``world`` is then found in the
    environment.

    Raises
    ------
    InputError
        Settings or data that cannot be used (the sentence is in the status too), or another
        process that trains this run.
    Stopped
        The run was asked to stop and can be resumed.
    """
    world = world or world_of_environment()
    with run_lock(run, world.is_main):
        return _train(run, report, world)


def _train(run: RunFolder, report: Report | None, world: World) -> dict[str, Any]:
    done = world.broadcast_from_main(lambda: _begun(run))
    if done is not None:
        return done
    try:
        session = Session(run, report, world)
    except InputError as error:  # settings that no run could use
        if world.is_main:
            where = {"phase": "failed", "step": 0, "total": 0, "seconds": 0.0, "seconds_left": None}
            run.write_status(state="failed", message=str(error), **where)
        raise
    try:
        with StopSignals(run), world.watched():
            return session.run_all()
    except Stopped:
        session.tell("stopped", state="stopped", message="Stopped; resume it to go on.")
        raise
    except InputError as error:
        session.tell("failed", state="failed", message=str(error))
        raise
    except Exception as error:
        session.tell("failed", state="failed", message=f"{type(error).__name__}: {error}")
        raise


def _begun(run: RunFolder) -> dict[str, Any] | None:
    """The result where there is one; else nothing, and what an earlier process left is cleared."""
    done = run.result()
    if done is None:
        clear_unfinished(run.path)
        run.clear_stop()
    return done


class Session:
    """What one process knows of the run that it trains."""

    def __init__(self, run: RunFolder, report: Report | None, world: World) -> None:
        self.world = world
        self.run = run if world.is_main else ReadOnlyRunFolder(run.path)
        report = report if world.is_main else None
        self.config: Config = config_from_dict(run.config())
        self.step = 0
        self.saved = time.monotonic()
        self.reporter = Reporter(self.run, self.config.train.iterations, report)
        self.tell("starting")

    # --- the whole, in order ------------------------------------------------------------

    def run_all(self) -> dict[str, Any]:
        self.get_ready()
        while self.phase != "done":
            if self.phase == "prior":
                self.pretrain()
            elif self.phase == "margins":
                self.choose_margins()
            else:
                self.train_round()
        return self.test()

    def get_ready(self) -> None:
        """Device, data, network and method, as they start or as the last checkpoint left them."""
        with self.world.raise_together():
            self.choose_device()
        _, self.task = self.world.first_on_machine(lambda: prepare(self.config, self.rendering))
        going_on = self.world.broadcast_from_main(self.run.checkpoint_path.exists)
        with self.world.raise_together():
            self.set_up()
            if going_on:
                self.restore()
            else:
                # One killed before its first checkpoint begins anew, and so do its lines.
                self.run.truncate_metrics(0)
                if self.config.train.init_from:
                    start_from(self.network, self.config.train.init_from)
        self.learn = self.world.wrap_ddp(self.network, self.method.modules)

    def choose_device(self) -> None:
        t = self.config.train
        if t.threads:
            torch.set_num_threads(t.threads)
        self.device = self.world.device(t.device)
        if self.device.type == "cuda":
            torch.backends.cuda.matmul.allow_tf32 = True
            torch.backends.cudnn.allow_tf32 = True

    def set_up(self) -> None:
        t = self.config.train
        check_bounds(t)
        self.source = ImageSource(self.task.images, self.device)
        self.labels = torch.from_numpy(self.task.labels).to(self.device)
        torch.manual_seed(t.seed)
        network = make_network(self.task, t, self.config.options)
        self.network = network.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.method = self.make(self.config.method, self.config.options)
        self.method.modules.to(self.device)
        self.trained = [*self.network.parameters(), *self.method.modules.parameters()]
        self.optimizer = torch.optim.SGD(
            self.trained, t.learning_rate, t.momentum, weight_decay=t.weight_decay
        )
        self.plateau = Plateau(t.patience, t.max_lr_drops)
        prior = self.method.uses_clusters and not t.init_from
        self.pretrain_steps = min(t.pretrain_iterations, t.iterations) if prior else 0
        self.phase = "prior" if self.pretrain_steps else "margins"
        self.round = 0
        self.evaluator = Evaluator(
            self.run, self.world, t, self.task, self.network, self.method, self.source, self.pulse
        )

    def make(self, name: str, options: Any) -> Method | MultiLabel:
        return self.world.shard_method(
            lambda train: make_method(name, options, self.task, train), self.config.train
        )

    # --- phases -------------------------------------------------------------------------

    def pretrain(self) -> None:
        """Prior features by class-weighted softmax (the network goes on from there)."""
        name = self.config.train.pretrain_method
        method = self.make(name, get_method(name).Options())
        while self.step < self.pretrain_steps:
            self.one_step(method, "prior features")
        self.phase = "margins"
        self.save()

    def choose_margins(self) -> None:
        """Clusters on the prior features; then the margins, by short trials on validation."""
        self.begin_round()
        self.validate()
        trials = self.config.train.margin_trials
        candidates = self.method.margin_candidates() if trials else []
        if candidates:
            before = take(self.network, self.optimizer, self.method)
            scores = []
            for number, options in enumerate(candidates, start=1):
                self.method.options = options
                for step in range(trials):
                    self.one_step(
                        self.method,
                        f"margins, trial {number} of {len(candidates)}",
                        as_step=self.step + step,
                    )
                scores.append(self.quick_validation())
                put_back(before, self.network, self.optimizer, self.method)
            self.method.options = candidates[int(np.argmax(scores))]
            self.run.append_metrics(
                kind="margins",
                step=self.step,
                between=[float(self.method_margin(o)) for o in candidates],
                balanced_accuracy=scores,
            )
        self.round = 1
        self.phase = "rounds"
        self.save()

    def train_round(self) -> None:
        """The steps of one round, then validation, plateau and the next clusters."""
        t = self.config.train
        steps = t.iterations - self.pretrain_steps
        end = self.pretrain_steps + steps * self.round // t.rounds
        while self.step < end:
            self.one_step(self.method, f"round {self.round} of {t.rounds}")
        self.begin_round()
        verdict = self.validate()
        if self.round >= t.rounds or verdict == "stop":
            self.phase = "done"
        else:
            self.round += 1
        self.save()

    def one_step(self, method: Method | MultiLabel, phase: str, as_step: int | None = None) -> None:
        """One batch: drawn, augmented, forward, backward, update."""
        t = self.config.train
        self.reporter.stepping()
        step = self.step if as_step is None else as_step
        number = self.world.number(step)
        batch = method.sample_batch(number)
        rows = self.task.train[batch.indices]
        generator = np.random.default_rng([t.seed, number, 1]) if t.augment else None
        images = method.augment(self.source.batch(rows, generator, t.mirror), batch, number)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate(step)
        self.network.train()
        labels = self.labels[torch.from_numpy(rows).to(self.device)]

        def work() -> Loss:
            with autocast(self.device, t.precision):
                features, logits = self.network(images)
            outputs = Outputs(features.float(), logits.float(), labels, step / t.iterations)
            return method.loss(outputs, batch)

        loss = self.learn(work)
        self.optimizer.zero_grad(set_to_none=True)
        loss.total.backward()
        if t.grad_clip_norm:
            torch.nn.utils.clip_grad_norm_(self.trained, t.grad_clip_norm)
        self.optimizer.step()
        self.world.sync_state(method, self.network)
        if as_step is None:
            self.step += 1
            if self.step % LOG_EVERY == 0 or self.step == 1:
                self.log(phase, loss)
        self.pulse(phase)

    def learning_rate(self, step: int) -> float:
        """A function of the step and of the plateaus so far alone."""
        t = self.config.train
        rate = t.learning_rate * self.plateau.factor
        if t.schedule == "cosine":
            rate *= 0.5 * (1 + math.cos(math.pi * min(step, t.iterations) / t.iterations))
        return rate

    def begin_round(self) -> None:
        """Fresh features of all training images where the method needs them; its clusters."""
        began = time.perf_counter()
        self.evaluator.extract_training_features("features for clusters")
        extracted = time.perf_counter()
        prior = self.config.train.init_from if self.round == 0 else ""
        self.method.start_round(
            self.round, self.evaluator.features, given_features(prior, self.task)
        )
        self.world.sync_state(self.method, self.network)
        if self.method.uses_clusters:
            self.run.append_metrics(
                kind="refresh",
                step=self.step,
                round=self.round,
                extract_seconds=extracted - began,
                cluster_seconds=time.perf_counter() - extracted,
            )

    def validate(self) -> str:
        """Judge validation images; keep the best weights; store the embedding."""
        outputs = self.evaluator.extract(self.task.validation, "validation")
        metrics = self.world.broadcast_from_main(lambda: self.judged(*outputs))
        self.method.on_validation(metrics)
        verdict = self.plateau.update(metrics["balanced_accuracy"])
        self.evaluator.store_embedding(self.round)
        return verdict

    def judged(self, features: np.ndarray, logits: np.ndarray) -> dict[str, Any]:
        """Figures of the validation images; the best weights so far are kept."""
        rule, metrics = self.evaluator.metrics(features, logits)
        # Of two equal rounds the later one is kept: it has learned for longer.
        if metrics["balanced_accuracy"] >= self.plateau.best:
            self.evaluator.save_best(rule, metrics, self.round)
        kept = ("balanced_accuracy", "accuracy", "average_precision", "roc_auc", "mcc", "recall")
        self.run.append_metrics(
            kind="validation",
            step=self.step,
            round=self.round,
            seconds=self.reporter.seconds(),
            **{name: metrics[name] for name in kept},
        )
        return metrics

    def test(self) -> dict[str, Any]:
        """The best round judges the test images; the result is written and returned."""
        found = self.evaluator.test()
        seconds = self.reporter.seconds()
        result: dict[str, Any] = found | {
            **task_facts(self.task),
            "seconds": seconds,
            "iterations": self.step,
            "images_per_second": self.step * self.config.train.batch_size / max(seconds, 1e-9),
            "machine": machine(self.device) | {"processes": self.world.size},
        }
        result = self.world.broadcast_from_main(lambda: result)
        self.run.write_result(result)
        self.tell("done", state="done")
        return result

    # --- parts --------------------------------------------------------------------------

    def quick_validation(self) -> float:
        """Balanced accuracy on validation data, with the clusters as they are."""
        self.evaluator.extract_training_features("trial")
        if self.evaluator.features is not None:
            self.method.start_round(self.round, self.evaluator.features)
            self.world.sync_state(self.method, self.network)
        outputs = self.evaluator.extract(self.task.validation, "trial")

        def score() -> float:
            judged: float = self.evaluator.metrics(*outputs, n_bootstrap=1)[1]["balanced_accuracy"]
            return judged

        return self.world.broadcast_from_main(score)

    def method_margin(self, options: Any) -> float:
        kept, self.method.options = self.method.options, options
        try:
            dim = self.config.train.feature_dim
            margin: float = self.method.margins(dim)[0]  # type: ignore[union-attr]
            return margin
        finally:
            self.method.options = kept

    # --- save, restore ------------------------------------------------------------------

    def save(self) -> None:
        """The checkpoint: everything that the next step depends on, the same in all processes."""
        if not self.world.is_main:
            return
        facts = {
            "step": self.step,
            "round": self.round,
            "phase": self.phase,
            "lines": len(self.run.metrics()),
            "seconds": self.reporter.seconds(),
            "plateau": [
                self.plateau.best,
                self.plateau.waited,
                self.plateau.dropped,
            ],
            "options": dataclasses.asdict(self.method.options),
        }
        save_tensors(
            self.run.checkpoint_path, take(self.network, self.optimizer, self.method), facts
        )
        self.saved = time.monotonic()

    def restore(self) -> None:
        groups, facts = load_tensors(self.run.checkpoint_path)
        self.step, self.round, self.phase = facts["step"], facts["round"], facts["phase"]
        self.reporter.resume(facts["seconds"], self.step)
        self.plateau.best, self.plateau.waited, self.plateau.dropped = facts["plateau"]
        self.method.options = dataclasses.replace(self.method.options, **facts["options"])
        put_back(groups, self.network, self.optimizer, self.method)
        self.run.truncate_metrics(facts["lines"])

    # --- telling ------------------------------------------------------------------------

    def pulse(self, phase: str) -> None:
        """Between two steps: tell the world, save now and then, stop if asked."""
        now, asked = time.monotonic(), False
        if now - self.reporter.quoted > TOLD_EVERY:
            self.tell(phase)
            asked = self.run.stop_requested()
        if self.world.any_process(asked):
            # A step or an extraction may be half done: the last checkpoint counts.
            if self.phase in ("prior", "rounds") and phase.startswith(("prior", "round")):
                self.save()
            raise Stopped
        if now - self.saved > SAVE_EVERY and phase.startswith(("prior", "round")):
            self.save()

    def rendering(self, done: int, total: int) -> None:
        self.tell(f"preparing images, {done:,} of {total:,}")
        if self.run.stop_requested():
            raise Stopped

    def tell(self, phase: str, *, state: str = "running", message: str = "") -> None:
        self.reporter.tell(phase, self.step, state=state, message=message)

    def log(self, phase: str, loss: Loss) -> None:
        values = {"loss": float(loss.total.detach())}
        means = self.world.mean(values | {k: float(value) for k, value in loss.parts.items()})
        if not math.isfinite(means["loss"]):
            raise InputError(
                f"The loss is no longer a number at step {self.step}; lower learning_rate."
            )
        self.run.append_metrics(
            kind="train",
            step=self.step,
            phase=phase,
            seconds=self.reporter.seconds(),
            loss=means.pop("loss"),
            learning_rate=self.optimizer.param_groups[0]["lr"],
            images_per_second=self.reporter.images_per_second(
                self.step, self.config.train.batch_size
            ),
            **means,
        )
