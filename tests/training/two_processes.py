"""One of two processes of tests/training/test_distributed.py, and the runs that it trains.

``python -m tests.training.two_processes RANK FOLDER`` trains runs in FOLDER and writes the final
state of each to FOLDER/NAME.RANK.safetensors.
"""

import dataclasses
import json
import sys
from pathlib import Path
from unittest import mock

import numpy as np
import torch
import torch.distributed as dist
from torch import nn

from clmle import InputError
from clmle.models import backbones
from clmle.presets import preset_config
from clmle.run_folder import create_run, open_run
from clmle.training import Stopped, train, trainer
from clmle.training.checkpoint import copy_state, save_tensors
from clmle.training.distributed import leave, world_of_environment

SMALL = {"cluster_size": 20, "samples_per_cluster": 5, "clusters_per_batch": 6,
         "same_class_clusters": 3}  # fmt: skip
STEPS = 8


class Plain(nn.Sequential):
    """A network without batch normalization, whose statistics would depend on the process."""

    def __init__(self, channels, image_size, feature_dim):
        height, width = image_size
        super().__init__(
            nn.Conv2d(channels, 8, 3, 2), nn.Tanh(), nn.Flatten(),
            nn.Linear(8 * ((height - 1) // 2) * ((width - 1) // 2), feature_dim),
        )  # fmt: skip


backbones.BACKBONES["plain"] = Plain


def digits(method, options=None, **train_values):
    """Config of a short run on digits with the smallest backbone."""
    base = preset_config("quick", method, "digits")
    own = {k: v for k, v in (SMALL | (options or {})).items() if hasattr(base.options, k)}
    values = {"iterations": 12, "pretrain_iterations": 4, "rounds": 2, "batch_size": 96,
              "threads": 1, "backbone": "tiny"}  # fmt: skip
    return dataclasses.replace(
        base,
        options=dataclasses.replace(base.options, **own),
        train=dataclasses.replace(base.train, **(values | train_values)),
    )


def unnormalized(method):
    """A run in which the batches of two processes together are the batch of one process."""
    return digits(method, backbone="plain", augment=False, rounds=1)


def local_imbalance():
    """A run in which each process draws its own query cluster by cached losses."""
    options = {"sampler": "cluster-neighborhood", "centroids": "memory"}
    return digits("clmle", options, pretrain_iterations=0, augment=False)


def attributes(folder):
    """A run on three attributes, some of them unknown: bright corners of small images."""
    base = digits("clmle", batch_size=48)
    images = folder / "images"
    data = dataclasses.replace(
        base.data, dataset=str(images), attribute="all", labels=str(images / "labels.csv"),
        image_size=12,
    )  # fmt: skip
    return dataclasses.replace(base, data=data)


def write_attributes(folder):
    """The images of :func:`attributes`."""
    from PIL import Image

    images = folder / "images"
    images.mkdir()
    rng = np.random.default_rng(0)
    lines = ["file,split,first,second,third"]
    for i in range(220):
        split = "train" if i < 140 else "val" if i < 180 else "test"
        shown = (rng.random(3) < [0.5, 0.2, 0.3]).astype(int)
        pixels = rng.normal(80, 20, (12, 12))
        for corner, (y, x) in enumerate(((0, 0), (0, 7), (7, 0))):
            pixels[y : y + 5, x : x + 5] += 120 * shown[corner]
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(images / f"{i}.png")
        texts = [str(s) if rng.random() < 0.9 else "" for s in shown]
        lines.append(",".join([f"{i}.png", split, *texts]))
    (images / "labels.csv").write_text("\n".join(lines))


def whole():
    """A run with all phases, to be stopped or killed."""
    return digits("clmle", iterations=30, pretrain_iterations=4, rounds=2, margin_trials=1)


def trainer_of(folder, name, config, world):
    """A engine, ready to train, on a run of that name; the run is made by the first process."""
    if world.is_main:
        made = create_run(folder / f"{name}.of{world.size}", config.to_dict())
        (folder / f"{name}.name").write_text(made.name)
    world.broadcast_from_main(lambda: None)
    run = open_run(folder / f"{name}.of{world.size}", (folder / f"{name}.name").read_text())
    return run, trainer.Trainer(run, None, world)


def state(engine):
    return copy_state(engine.network, engine.optimizer, engine.method)


def steps_from_clusters(engine):
    """Return the state after the first clustering and after some steps on these clusters."""
    engine.set_up()
    engine.refresh()
    before = state(engine)
    for _ in range(STEPS):
        engine.one_step(engine.method, "round 1")
    return before, state(engine)


def main(rank, folder):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=2)
    world = world_of_environment()

    def keep(name, groups):
        save_tensors(folder / f"{name}.{rank}.safetensors", groups, None)

    for method in ("softmax", "tau-norm"):
        _, engine = trainer_of(folder, method, unnormalized(method), world)
        engine.run_all()
        keep(method, state(engine))
    _, engine = trainer_of(folder, "attributes", attributes(folder), world)
    engine.run_all()
    keep("attributes", state(engine))
    _, engine = trainer_of(folder, "loop", attributes(folder), world)
    with mock.patch("clmle.methods.clmle.method.CLMLE.stack_heads", return_value=None):
        engine.run_all()
    keep("loop", state(engine))
    _, engine = trainer_of(folder, "local_imbalance", local_imbalance(), world)
    before, after = steps_from_clusters(engine)
    keep("clusters", before)
    keep("local_imbalance", after)

    run, engine = trainer_of(folder, "whole", whole(), world)
    engine.run_all()
    keep("whole", state(engine))

    trainer.STATUS_EVERY = 0.0
    run, _ = trainer_of(folder, "stopped", whole(), world)
    stops = []
    for at in (2, 4, 10):  # in pretraining, the margin search, a round

        def report(status, at=at):
            if status["step"] >= at and status["state"] == "running":
                run.request_stop()

        try:
            train(run, report=report, world=world)
        except Stopped:
            stops.append(at)
    train(run, world=world)

    messages = []
    for config in (digits("softmax", batch_size=97), digits("clmle-paper", batch_size=48),
                     digits("softmax", device="cuda:1")):  # fmt: skip
        run, _ = trainer_of(folder, f"bad{len(messages)}", config, world)
        try:
            train(run, world=world)
        except InputError as error:
            messages.append(str(error))
    one_sided = ""
    try:
        with world.raise_together():
            if rank == 1:
                raise InputError("Only here.")
    except InputError as error:
        one_sided = str(error)
    found = {"stops": stops, "messages": messages, "one_sided": one_sided,
            "mean": world.mean({"a": float(rank)} | ({"b": 5.0} if rank else {}))}  # fmt: skip
    (folder / f"found.{rank}.json").write_text(json.dumps(found))
    leave(world)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
