"""Training of one run, from its config to its result, in the order in which it happens.

    pretraining  a classification loss before the first clustering (methods with clusters)
    margins      first clusters; optionally a short search of a1 on validation images
    rounds       training steps, then validation, then new clusters
    test         metrics of the test images by the best round on validation images

Random draws are seeded by (seed, step, process). With the checkpoint (weights, momentum, clusters,
cached losses, plateau) a resumed run is therefore identical to one that was never interrupted.
Calls to ``world`` coordinate several processes; in a single process they change nothing.
"""

import math
import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import numpy as np
import torch

from clmle.config import Config
from clmle.device import to_device
from clmle.errors import InputError
from clmle.files import clear_unfinished
from clmle.jobs.lock import run_lock
from clmle.methods import Loss, Method, Outputs, get_method
from clmle.methods._multi_label import MultiLabel
from clmle.models.pretrained import is_pretrained_name
from clmle.run_folder import ReadOnlyRunFolder, RunFolder
from clmle.training.distributed import World, world_of_environment
from clmle.training.evaluator import Evaluator
from clmle.training.extraction import autocast
from clmle.training.factory import make_method, make_network, task_facts
from clmle.training.images import ImageSource
from clmle.training.log_copies import LogCopies, log_of_done_run
from clmle.training.margin_search import search_margins
from clmle.training.neighborhoods import purity_of_clusters
from clmle.training.plateau import Plateau
from clmle.training.prepare import config_from_dict, prepare
from clmle.training.pretrain import (
    TrunkFeatures,
    given_features,
    load_published_weights,
    start_from,
)
from clmle.training.progress import restore_progress, save_progress
from clmle.training.reporting import Report, Reporter, Stopped, machine, stop_signals
from clmle.training.run_data import check_facts, data_facts
from clmle.training.sgd import SGD

SAVE_EVERY = 15.0  # seconds between checkpoints within a round
STATUS_EVERY = 0.5  # seconds between status files
LOG_EVERY = 5  # steps between lines of the metrics file


def train(
    run: RunFolder,
    *,
    report: Report | None = None,
    world: World | None = None,
    log: Sequence[str] = (),
) -> dict[str, Any]:
    """Train a run, or resume it, and return its result.

    Parameters
    ----------
    run : RunFolder
        Folder of the run, made by :func:`clmle.create_run`. A run that is done is not trained
        again.
    report : callable, optional
        Called with the status (a dict: ``state``, ``phase``, ``step``, ``total``, ``seconds``,
        ``seconds_left``) about twice per second.
    world : World, optional
        The processes that train the run together, by default those that torchrun started. Every
        process calls this function with the same folder.
    log : sequence of str, optional
        Trackers that receive what the run folder receives: "tensorboard", "mlflow", "wandb",
        "trackio". A resumed run goes on with those it had.

    Returns
    -------
    dict
        Metrics of the validation and the test images by the best round (``validation``,
        ``test``), class names and counts, seconds, and the machine; also written to
        ``result.json``.

    Raises
    ------
    InputError
        If the config or the data cannot be used, or another process trains the run.
    Stopped
        If the run was asked to stop; it can be resumed.

    Examples
    --------
    >>> import dataclasses, tempfile
    >>> from clmle import create_run, preset_config, train
    >>> config = preset_config("quick", "softmax", "digits")
    >>> budget = dataclasses.replace(config.train, backbone="tiny", iterations=2, rounds=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     run = create_run(folder, dataclasses.replace(config, train=budget).to_dict())
    ...     result = train(run)
    >>> sorted(result["test"])[:3]
    ['accuracy', 'average_precision', 'balanced_accuracy']
    """
    world = world or world_of_environment()
    with run_lock(run, world.is_main):
        done = world.broadcast_from_main(lambda: _result_or_cleared(run))
        if done is not None:
            if log and world.is_main:
                log_of_done_run(run, log)
            return done
        try:
            trainer = Trainer(run, report, world, log)
        except InputError as error:  # an invalid config
            if world.is_main:
                Reporter(run, 0, None).write("failed", 0, state="failed", message=str(error))
            raise
        try:
            with stop_signals(run), world.report_lost_process(), closing(trainer.log_copies):
                return trainer.run_all()
        except Stopped:
            trainer.report("stopped", state="stopped", message="Stopped; resume it to continue.")
            raise
        except Exception as error:
            kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
            trainer.report("failed", state="failed", message=f"{kind}{error}")
            raise


def _result_or_cleared(run: RunFolder) -> dict[str, Any] | None:
    """Return the result if the run is done; else remove what an earlier process left."""
    done = run.result()
    if done is None:
        clear_unfinished(run.path)
        run.clear_stop()
    if run.checkpoint_path.exists() and run.metrics("validation") and not run.model_path.exists():
        # The weights of the best round are gone: only training from the beginning makes them again.
        run.checkpoint_path.unlink()
        return None
    return done


class Trainer:
    """One process of the training of a run.

    ``phase`` is "pretraining", "margins", "rounds" or "done"; ``step`` counts training steps and
    ``round`` counts rounds from 1 (0 before the first).
    """

    def __init__(
        self, run: RunFolder, report: Report | None, world: World, log: Sequence[str] = ()
    ) -> None:
        self.world = world
        self.log_copies = LogCopies(run, log if world.is_main else None)
        self.run = run if world.is_main else ReadOnlyRunFolder(run.path)
        self.config: Config = config_from_dict(run.config())
        self.step = self.round = 0
        self.saved = time.monotonic()
        self.reporter = Reporter(
            self.run, self.config.train.iterations, report if world.is_main else None
        )
        self.report("starting")

    def run_all(self) -> dict[str, Any]:
        """Train through all phases and return the result."""
        self.set_up()
        if self.phase == "pretraining":
            self.pretrain()
        if self.phase == "margins":
            self.start_rounds()
        while self.phase == "rounds":
            self.train_round()
        return self.test()

    def set_up(self) -> None:
        """Build everything, then load the checkpoint if there is one."""
        t, world = self.config.train, self.world
        with world.raise_together():
            if t.threads:
                torch.set_num_threads(t.threads)
            self.device = world.device(t.device)
        dataset, self.task = world.first_on_machine(
            lambda: prepare(self.config, self.report_images, self.run.value_range)
        )
        resumed = world.broadcast_from_main(self.run.checkpoint_path.exists)
        with world.raise_together():
            attribute = self.config.data.attribute
            self.data_facts = data_facts(dataset, attribute)
            if not resumed:
                self.run.write_data_facts(self.data_facts)
            elif (stored := self.run.data_facts()) is not None:
                check_facts(self.run, stored, self.data_facts)
            self.build()
            if resumed:
                restore_progress(self)
            else:  # a run killed before its first checkpoint starts again, with an empty log
                self.run.truncate_metrics(0)
                if t.pretrained:
                    load_published_weights(self.network, t.backbone)
                if t.init_from:
                    start_from(self.network, t.init_from)
        self.log_copies.open(self.task)
        self.differentiable = world.wrap_ddp(
            self.network, self.method.modules, self.uses_all_parameters()
        )

    def build(self) -> None:
        """Build network, method and optimizer in their initial state."""
        t = self.config.train
        self.source = ImageSource(self.task.images, self.device)
        self.labels = torch.from_numpy(self.task.labels).to(self.device)
        torch.manual_seed(t.seed)
        network = make_network(self.task, t, self.config.options)
        self.network = network.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.method = self.make_method(self.config.method, self.config.options)
        self.method.to(self.device)
        self.parameters = [*self.network.parameters(), *self.method.modules.parameters()]
        self.optimizer = SGD(self.parameters, t.learning_rate, t.momentum, t.weight_decay)
        self.plateau = Plateau(t.patience, t.max_lr_drops)
        pretrained = self.method.uses_clusters and not (t.init_from or t.pretrained)
        self.pretrain_steps = min(t.pretrain_iterations, t.iterations) if pretrained else 0
        self.phase = "pretraining" if self.pretrain_steps else "margins"
        self.evaluator = Evaluator(
            self.run, self.world, t, self.task, self.network, self.method, self.source, self.pulse
        )

    def uses_all_parameters(self) -> bool:
        """Return whether every step of the run uses all parameters of network and method."""
        t, kinds = self.config.train, {self.config.method: self.config.options}
        if self.pretrain_steps:
            kinds[t.pretrain_method] = get_method(t.pretrain_method).Options()
        return not is_pretrained_name(t.backbone) and all(
            get_method(name).uses_all_parameters(options) for name, options in kinds.items()
        )

    def make_method(self, name: str, options: Any) -> Method | MultiLabel:
        """Build a method that draws the batches of this process."""
        return self.world.shard_method(
            lambda train: make_method(name, options, self.task, train), self.config.train
        )

    def pretrain(self) -> None:
        """Train the network by another method before the first clustering."""
        name = self.config.train.pretrain_method
        method = self.make_method(name, get_method(name).Options())
        while self.step < self.pretrain_steps:
            self.one_step(method, "pretraining")
        self.phase = "margins"
        self.save()

    def start_rounds(self) -> None:
        """Make the first clusters, then search the margin if asked for."""
        self.refresh()
        self.validate()
        search_margins(self)
        self.round, self.phase = 1, "rounds"
        self.save()

    def train_round(self) -> None:
        """Train the steps of one round, make new clusters and validate."""
        t = self.config.train
        end = self.pretrain_steps + (t.iterations - self.pretrain_steps) * self.round // t.rounds
        while self.step < end:
            self.one_step(self.method, f"round {self.round} of {t.rounds}")
        self.refresh()
        stop = self.validate() == "stop"
        if stop or self.round >= t.rounds:
            self.phase = "done"
        else:
            self.round += 1
        self.save()

    def one_step(self, method: Method | MultiLabel, phase: str, step: int | None = None) -> None:
        """Train one batch: draw, augment, forward, backward, update.

        ``step`` is given for the steps of a margin search, which are undone later.
        """
        t, searching = self.config.train, step is not None
        step = self.step if step is None else step
        self.reporter.start_pace()
        is_logged = not searching and ((step + 1) % LOG_EVERY == 0 or step == 0)
        draw = self.world.draw_number(step)
        batch = method.sample_batch(draw)
        rows = self.task.train[batch.indices]
        generator = np.random.default_rng([t.seed, draw, 1]) if t.augment else None
        torch.manual_seed(int(np.random.SeedSequence([t.seed, draw, 2]).generate_state(1)[0]))
        images = method.augment(self.source.batch(rows, generator, t.mirror), batch, draw)
        labels = self.labels[to_device(rows, self.device)]
        self.optimizer.learning_rate = self.learning_rate(step)
        self.network.train()

        def forward() -> Loss:
            with autocast(self.device, t.precision):
                features, logits = self.network(images, method.detach_head)
            progress = step / t.iterations
            outputs = Outputs(features.float(), logits.float(), labels, progress, is_logged)
            return method.loss(outputs, batch)

        loss = self.differentiable(forward)
        self.optimizer.zero_grad()
        loss.total.backward()
        loss.after_backward()
        if t.grad_clip_norm:
            torch.nn.utils.clip_grad_norm_(self.parameters, t.grad_clip_norm)
        self.optimizer.step()
        self.world.sync_state(method, self.network)
        if not searching:
            self.step += 1
            if is_logged:
                self.log(phase, loss)
        self.pulse(phase)

    def learning_rate(self, step: int) -> float:
        """Return the learning rate of a step: cosine schedule times the drops of the plateau."""
        t = self.config.train
        rate = t.learning_rate * self.plateau.factor
        if t.schedule == "cosine":
            rate *= 0.5 * (1 + math.cos(math.pi * min(step, t.iterations) / t.iterations))
        return rate

    def refresh(self) -> None:
        """Extract the features of all training images if the method needs them; new clusters."""
        began = time.perf_counter()
        self.evaluator.extract_training_features("features for clusters")
        extracted = time.perf_counter()
        self.start_round(self.first_features() if self.round == 0 else None)
        if self.method.uses_clusters:
            facts = {
                "extract_seconds": extracted - began,
                "cluster_seconds": time.perf_counter() - extracted,
                "purity": purity_of_clusters(self.task, self.method.assignment()),
            }
            self.run.append_metrics(kind="refresh", step=self.step, round=self.round, **facts)

    def first_features(self) -> np.ndarray | None:
        """Return the features of the first clustering, if they are not those of the network."""
        t = self.config.train
        if t.pretrained and not t.init_from and self.method.uses_clusters:
            trunk = TrunkFeatures(self.network)
            return self.evaluator.extract(self.task.train, "features for clusters", trunk)[0]
        return given_features(t.init_from, self.task)

    def start_round(self, given: np.ndarray | None = None) -> None:
        """Start a round of the method with the extracted features; ``given`` are the user's."""
        self.method.start_round(self.round, self.evaluator.features, given)
        self.world.sync_state(self.method, self.network)

    def validate(self) -> str:
        """Compute validation metrics, store the embedding, and return the plateau's answer."""
        outputs = self.evaluator.extract(self.task.validation, "validation")
        metrics = self.world.broadcast_from_main(lambda: self.validation_metrics(*outputs))
        self.method.on_validation(metrics)
        answer = self.plateau.update(metrics["balanced_accuracy"])
        self.evaluator.store_embedding(self.round)
        return answer

    def validation_metrics(self, features: np.ndarray, logits: np.ndarray) -> dict[str, Any]:
        """Compute and log the metrics; save the weights if this round is the best so far."""
        classifier, metrics = self.evaluator.metrics(features, logits)
        # Of two equal rounds the later one, which was trained for longer, is kept.
        if metrics["balanced_accuracy"] >= self.plateau.best:
            self.evaluator.save_best(classifier, metrics, self.round)
        logged = (
            "balanced_accuracy", "accuracy", "average_precision", "roc_auc", "mcc", "recall",
            "impostor_rate", "minority_impostor_rate",
        )  # fmt: skip
        facts: dict[str, Any] = {"step": self.step, "round": self.round}
        facts["seconds"] = self.reporter.seconds()
        facts["hardest"] = self.evaluator.hardest
        if self.evaluator.warnings:
            facts["warnings"] = self.evaluator.warnings
        self.run.append_metrics(
            kind="validation", **facts, **{name: metrics[name] for name in logged}
        )
        return metrics

    def test(self) -> dict[str, Any]:
        """Compute the metrics of the best round, write the result and return it."""
        metrics = self.evaluator.test()
        seconds = self.reporter.seconds()
        result: dict[str, Any] = metrics | {
            **task_facts(self.task),
            "seconds": seconds,
            "iterations": self.step,
            "images_per_second": self.step * self.config.train.batch_size / max(seconds, 1e-9),
            "machine": machine(self.device) | {"processes": self.world.size},
        }
        result = self.world.broadcast_from_main(lambda: result)
        self.run.write_result(result)
        self.report("done", state="done")
        return result

    def save(self) -> None:
        """Write the checkpoint."""
        if self.world.is_main:
            save_progress(self)
            self.saved = time.monotonic()

    def pulse(self, phase: str) -> None:
        """Between two steps: write the status and the checkpoint when due; stop if asked."""
        now, asked = time.monotonic(), False
        # Within an extraction or a margin search, the last checkpoint stays the valid one.
        savable = phase.startswith(("pretraining", "round"))
        if now - self.reporter.written > STATUS_EVERY:
            self.report(phase)
            asked = self.run.stop_requested()
        if self.world.any_process(asked):
            if savable:
                self.save()
            raise Stopped
        if savable and now - self.saved > SAVE_EVERY:
            self.save()

    def report(self, phase: str, *, state: str = "running", message: str = "") -> None:
        """Write the status of the run."""
        self.reporter.write(phase, self.step, state=state, message=message)
        self.log_copies.update()

    def report_images(self, done: int, total: int) -> None:
        """Report the progress of reading or rendering the data set."""
        self.report(f"preparing images, {done:,} of {total:,}")
        if self.run.stop_requested():
            raise Stopped

    def log(self, phase: str, loss: Loss) -> None:
        """Append the loss of a step to the metrics file."""
        terms = {"loss": loss.total.detach(), **loss.parts}
        values = torch.stack(list(terms.values())).tolist()  # one wait for the device
        means = self.world.mean(dict(zip(terms, values, strict=True)))
        if not math.isfinite(means["loss"]):
            raise InputError(
                f"The loss is not a finite number at step {self.step}; lower learning_rate."
            )
        speed = self.reporter.images_per_second(self.step, self.config.train.batch_size)
        self.run.append_metrics(
            kind="train", step=self.step, phase=phase, seconds=self.reporter.seconds(),
            loss=means.pop("loss"), learning_rate=self.optimizer.learning_rate,
            images_per_second=speed, **means,
        )  # fmt: skip
