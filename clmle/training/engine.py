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

from clmle.errors import InputError
from clmle.files import clear_unfinished
from clmle.methods import Loss, Method, Outputs, get_method
from clmle.methods.multi_label import MultiLabel
from clmle.run_folder import Onlooker, RunFolder
from clmle.settings import Settings
from clmle.training.checkpoint import load_tensors, put_back, save_tensors, take
from clmle.training.distributed import World, world_of_environment
from clmle.training.images import ImageSource
from clmle.training.judge import Judge
from clmle.training.kinds import facts_of, make_method, make_network
from clmle.training.network import autocast
from clmle.training.plateau import Plateau
from clmle.training.prepare import check_budget, prepare, settings_from_dict
from clmle.training.prior import given_features, start_from
from clmle.training.reporting import Report, Reporter, Stopped, StopSignals, machine
from clmle.training.sole import sole_trainer

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
    with sole_trainer(run, world.leads):
        return _train(run, report, world)


def _train(run: RunFolder, report: Report | None, world: World) -> dict[str, Any]:
    done = world.first(lambda: _begun(run))
    if done is not None:
        return done
    try:
        session = Session(run, report, world)
    except InputError as error:  # settings that no run could use
        if world.leads:
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
        self.run = run if world.leads else Onlooker(run.path)
        report = report if world.leads else None
        self.settings: Settings = settings_from_dict(run.settings())
        self.step = 0
        self.saved = time.monotonic()
        self.reporter = Reporter(self.run, self.settings.train.iterations, report)
        self.tell("starting")

    # --- the whole, in order ------------------------------------------------------------

    def run_all(self) -> dict[str, Any]:
        self.get_ready()
        while self.phase != "done":
            if self.phase == "prior":
                self.train_prior()
            elif self.phase == "margins":
                self.choose_margins()
            else:
                self.train_round()
        return self.test()

    def get_ready(self) -> None:
        """Device, data, network and method, as they start or as the last checkpoint left them."""
        with self.world.together():
            self.choose_device()
        _, self.task = self.world.first_on_machine(lambda: prepare(self.settings, self.rendering))
        going_on = self.world.first(self.run.checkpoint_path.exists)
        with self.world.together():
            self.set_up()
            if going_on:
                self.restore()
            else:
                # One killed before its first checkpoint begins anew, and so do its lines.
                self.run.truncate_metrics(0)
                if self.settings.train.prior:
                    start_from(self.network, self.settings.train.prior)
        self.learn = self.world.learner(self.network, self.method.own)

    def choose_device(self) -> None:
        t = self.settings.train
        if t.threads:
            torch.set_num_threads(t.threads)
        self.device = self.world.device(t.device)
        if self.device.type == "cuda":
            torch.backends.cuda.matmul.allow_tf32 = True
            torch.backends.cudnn.allow_tf32 = True

    def set_up(self) -> None:
        t = self.settings.train
        check_budget(t)
        self.source = ImageSource(self.task.images, self.device)
        self.labels = torch.from_numpy(self.task.labels).to(self.device)
        torch.manual_seed(t.seed)
        network = make_network(self.task, t, self.settings.options)
        self.network = network.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.method = self.make(self.settings.method, self.settings.options)
        self.method.own.to(self.device)
        self.trained = [*self.network.parameters(), *self.method.own.parameters()]
        self.optimizer = torch.optim.SGD(
            self.trained, t.learning_rate, t.momentum, weight_decay=t.weight_decay
        )
        self.plateau = Plateau(t.patience, t.drops)
        prior = self.method.uses_clusters and not t.prior
        self.prior_steps = min(t.prior_iterations, t.iterations) if prior else 0
        self.phase = "prior" if self.prior_steps else "margins"
        self.round = 0
        self.judge = Judge(
            self.run, self.world, t, self.task, self.network, self.method, self.source, self.pulse
        )

    def make(self, name: str, options: Any) -> Method | MultiLabel:
        return self.world.made(
            lambda train: make_method(name, options, self.task, train), self.settings.train
        )

    # --- phases -------------------------------------------------------------------------

    def train_prior(self) -> None:
        """Prior features by class-weighted softmax (the network goes on from there)."""
        name = self.settings.train.prior_method
        method = self.make(name, get_method(name).Options())
        while self.step < self.prior_steps:
            self.one_step(method, "prior features")
        self.phase = "margins"
        self.save()

    def choose_margins(self) -> None:
        """Clusters on the prior features; then the margins, by short trials on validation."""
        self.begin_round()
        self.validate()
        trials = self.settings.train.margin_trials
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
                scores.append(self.score_quickly())
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
        t = self.settings.train
        steps = t.iterations - self.prior_steps
        end = self.prior_steps + steps * self.round // t.rounds
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
        t = self.settings.train
        self.reporter.stepping()
        step = self.step if as_step is None else as_step
        number = self.world.number(step)
        batch = method.draw(number)
        rows = self.task.train[batch.rows]
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
        if t.clip:
            torch.nn.utils.clip_grad_norm_(self.trained, t.clip)
        self.optimizer.step()
        self.world.settle(method, self.network)
        if as_step is None:
            self.step += 1
            if self.step % LOG_EVERY == 0 or self.step == 1:
                self.log(phase, loss)
        self.pulse(phase)

    def learning_rate(self, step: int) -> float:
        """A function of the step and of the plateaus so far alone."""
        t = self.settings.train
        rate = t.learning_rate * self.plateau.factor
        if t.schedule == "cosine":
            rate *= 0.5 * (1 + math.cos(math.pi * min(step, t.iterations) / t.iterations))
        return rate

    def begin_round(self) -> None:
        """Fresh features of all training images where the method needs them; its clusters."""
        began = time.perf_counter()
        self.judge.look_at_training_images("features for clusters")
        extracted = time.perf_counter()
        prior = self.settings.train.prior if self.round == 0 else ""
        self.method.start_round(self.round, self.judge.features, given_features(prior, self.task))
        self.world.settle(self.method, self.network)
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
        outputs = self.judge.extract(self.task.validation, "validation")
        figures = self.world.first(lambda: self.judged(*outputs))
        self.method.hear(figures)
        verdict = self.plateau.update(figures["balanced_accuracy"])
        self.judge.store_embedding(self.round)
        return verdict

    def judged(self, features: np.ndarray, logits: np.ndarray) -> dict[str, Any]:
        """Figures of the validation images; the best weights so far are kept."""
        rule, figures = self.judge.figures(features, logits)
        # Of two equal rounds the later one is kept: it has learnt for longer.
        if figures["balanced_accuracy"] >= self.plateau.best:
            self.judge.save_best(rule, figures, self.round)
        kept = ("balanced_accuracy", "accuracy", "average_precision", "roc_auc", "mcc", "recall")
        self.run.append_metrics(
            kind="validation",
            step=self.step,
            round=self.round,
            seconds=self.reporter.seconds(),
            **{name: figures[name] for name in kept},
        )
        return figures

    def test(self) -> dict[str, Any]:
        """The best round judges the test images; the result is written and returned."""
        found = self.judge.test()
        seconds = self.reporter.seconds()
        result: dict[str, Any] = found | {
            **facts_of(self.task),
            "seconds": seconds,
            "iterations": self.step,
            "images_per_second": self.step * self.settings.train.batch_size / max(seconds, 1e-9),
            "machine": machine(self.device) | {"processes": self.world.size},
        }
        result = self.world.first(lambda: result)
        self.run.write_result(result)
        self.tell("done", state="done")
        return result

    # --- parts --------------------------------------------------------------------------

    def score_quickly(self) -> float:
        """Balanced accuracy on validation data, with the clusters as they are."""
        self.judge.look_at_training_images("trial")
        if self.judge.features is not None:
            self.method.start_round(self.round, self.judge.features)
            self.world.settle(self.method, self.network)
        outputs = self.judge.extract(self.task.validation, "trial")

        def score() -> float:
            judged: float = self.judge.figures(*outputs, n_bootstrap=1)[1]["balanced_accuracy"]
            return judged

        return self.world.first(score)

    def method_margin(self, options: Any) -> float:
        kept, self.method.options = self.method.options, options
        try:
            dim = self.settings.train.feature_dim
            margin: float = self.method.margins(dim)[0]  # type: ignore[union-attr]
            return margin
        finally:
            self.method.options = kept

    # --- save, restore ------------------------------------------------------------------

    def save(self) -> None:
        """The checkpoint: everything that the next step depends on, the same in all processes."""
        if not self.world.leads:
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
        if now - self.reporter.told > TOLD_EVERY:
            self.tell(phase)
            asked = self.run.stop_asked()
        if self.world.any(asked):
            # A step or an extraction may be half done: the last checkpoint counts.
            if self.phase in ("prior", "rounds") and phase.startswith(("prior", "round")):
                self.save()
            raise Stopped
        if now - self.saved > SAVE_EVERY and phase.startswith(("prior", "round")):
            self.save()

    def rendering(self, done: int, total: int) -> None:
        self.tell(f"preparing images, {done:,} of {total:,}")
        if self.run.stop_asked():
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
                self.step, self.settings.train.batch_size
            ),
            **means,
        )
