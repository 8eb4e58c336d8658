"""Training: methods learn, an interrupted run resumes exactly, options do what they say."""

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from clmle import InputError
from clmle.methods import get_method
from clmle.presets import preset_config
from clmle.run_folder import create_run
from clmle.training import Stopped, evaluate, load_model, prepare, train, trainer
from clmle.training.images import shifted
from clmle.training.plateau import Plateau


def digits(method="clmle", **train_values):
    config = preset_config("quick", method, "digits")
    values = {"iterations": 24, "pretrain_iterations": 8, "rounds": 2, "batch_size": 120}
    options = config.options
    if hasattr(options, "samples_per_cluster"):
        options = dataclasses.replace(options, samples_per_cluster=5)
    train_config = dataclasses.replace(config.train, **(values | train_values))
    return dataclasses.replace(config, options=options, train=train_config)


def trained(path, config):
    run = create_run(path, config.to_dict())
    return run, train(run)


def same_weights(a, b):
    left, right = load_file(a.model_path), load_file(b.model_path)
    return left.keys() == right.keys() and all(np.array_equal(left[k], right[k]) for k in left)


# Every method: tests/methods/test_methods.py.
@pytest.mark.parametrize("method", ["clmle", "clmle-paper", "softmax", "oversampling"])
def test_a_run_trains_tests_and_embeds(method, tmp_path):
    run, result = trained(tmp_path, digits(method))
    assert run.status()["state"] == "done"
    assert 0.05 <= result["test"]["balanced_accuracy"] <= 1
    assert result["iterations"] == 24
    again = evaluate(run)
    assert again["balanced_accuracy"] == pytest.approx(result["test"]["balanced_accuracy"])
    model = load_model(run)
    images = np.random.default_rng(0).integers(0, 256, (5, 16, 16, 1), dtype=np.uint8)
    np.testing.assert_allclose(np.linalg.norm(model.embed(images), axis=1), 1, atol=1e-5)
    assert model.scores(images).shape == (5, 10)
    stored = run.embedding(run.embedding_rounds()[-1])
    assert len(stored["features"]) == len(stored["labels"]) == len(stored["clusters"])


def test_clmle_learns_long_tailed_digits(tmp_path):
    _, result = trained(tmp_path, digits(iterations=60, pretrain_iterations=30, rounds=3))
    assert result["test"]["balanced_accuracy"] > 0.7


@pytest.mark.parametrize("method", ["clmle", "clmle-paper", "softmax"])
def test_stopping_and_resuming_changes_nothing(method, tmp_path):
    config = digits(method, margin_trials=2)
    whole, result = trained(tmp_path / "whole", config)
    run = create_run(tmp_path / "parts", config.to_dict())
    for stop_at, phase in (
        (3, ""),
        (8, "margin search"),
        (8, "round 1"),
        (16, "clusters"),
        (17, ""),
    ):
        with contextlib.suppress(Stopped):
            train(run, report=_stop_at(run, stop_at, phase))
    assert run.metrics("train")
    assert train(run)["test"] == result["test"]
    assert same_weights(whole, run)
    for kind in ("train", "validation", "refresh", "margins"):
        a, b = (
            [{k: v for k, v in m.items() if "second" not in k} for m in r.metrics(kind)]
            for r in (whole, run)
        )
        assert a == b


def _stop_at(run, step, phase):
    trainer.STATUS_EVERY = 0.0

    def report(status):
        if status["step"] >= step and phase in status["phase"] and status["step"] > 0:
            run.request_stop()

    return report


@pytest.fixture(autouse=True)
def _restore_pace(monkeypatch):
    monkeypatch.setattr(trainer, "STATUS_EVERY", trainer.STATUS_EVERY)


def test_resuming_a_killed_run_is_exact(tmp_path):
    config = digits(iterations=60, pretrain_iterations=10, rounds=4, threads=1)
    whole, result = trained(tmp_path / "whole", config)
    run = create_run(tmp_path / "killed", config.to_dict())
    command = [sys.executable, "-m", "clmle", "train", "--resume", str(run.path)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        deadline = time.time() + 600
        while not run.checkpoint_path.exists() and time.time() < deadline:
            time.sleep(0.02)
        time.sleep(0.4)
        process.send_signal(signal.SIGKILL)
    assert run.result() is None
    assert run.status()["state"] == "lost"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert run.result()["test"] == result["test"]
    assert same_weights(whole, run)


def test_metrics_can_be_followed_while_they_grow(tmp_path):
    run = create_run(tmp_path, digits().to_dict())
    lengths = []
    train(run, report=lambda _: lengths.append(len(run.metrics())))
    assert lengths[-1] > 4
    with open(run.path / "metrics.jsonl", "a") as file:
        file.write('{"kind": "train", "ste')
    assert all("step" in m for m in run.metrics())
    refresh = run.metrics("refresh")
    assert [m["round"] for m in refresh] == [0, 1, 2]


def test_clmle_paper_has_the_options_of_the_paper():
    options = get_method("clmle-paper").Options()
    assert (options.scale, options.denominator, options.rule) == (1.0, "sum", "printed")
    assert (options.cluster_size, options.clusters_per_batch) == (200, 12)
    assert (options.samples_per_cluster, options.min_clusters) == (20, 1)
    assert options.softmax_weight == 0
    assert not options.normalize_centroids


def test_init_from_takes_the_weights_of_another_run(tmp_path):
    first, _ = trained(tmp_path / "a", digits("oversampling"))
    config = digits(init_from=str(first.model_path), iterations=2, rounds=1)
    run, _ = trained(tmp_path / "b", config)
    _, task = prepare(config)
    stored = run.embedding(0)
    want = load_model(first).embed(task.images[stored["rows"]])
    np.testing.assert_allclose(stored["features"], want, atol=1e-4)


def test_init_from_features_make_the_first_clusters(tmp_path):
    from clmle import balanced_spherical_kmeans

    _, task = prepare(digits())
    own = np.random.default_rng(0).normal(size=(len(task.images), 5)).astype(np.float32)
    np.save(tmp_path / "own.npy", own)
    config = digits(init_from=str(tmp_path / "own.npy"), iterations=2, rounds=1)
    run, _ = trained(tmp_path / "b", config)
    stored = run.embedding(0)
    zeros = task.train[task.labels[task.train] == 0]
    want = balanced_spherical_kmeans(own[zeros], n_clusters=len(zeros) // 20, seed=0).labels
    index = {row: i for i, row in enumerate(zeros)}
    stored_rows = [
        i for i, row in enumerate(stored["rows"]) if row in index and stored["split"][i] == 0
    ]
    assert len(stored_rows) > 50
    assert [stored["clusters"][i] for i in stored_rows] == [
        want[index[stored["rows"][i]]] for i in stored_rows
    ]
    np.save(tmp_path / "own.npy", own[:7])
    with pytest.raises(InputError, match="one row for each"):
        trained(tmp_path / "c", config)


def test_plateau_drops_then_stops():
    plateau = Plateau(patience=2, max_drops=1)
    answers = [plateau.update(v) for v in (0.5, 0.6, 0.6, 0.5, 0.5, 0.4)]
    assert answers == ["better", "better", "wait", "drop", "wait", "stop"]
    assert plateau.factor == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"iterations": 0}, "iterations"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"grad_clip_norm": -1.0}, "grad_clip_norm"),
        ({"backbone": "resnet9000"}, "backbone"),
        ({"device": "cuda:99"}, "cuda:99"),
        ({"init_from": "/nowhere.safetensors"}, "nowhere"),
        ({"batch_size": 0}, "batch_size"),
        ({"seed": -1}, "seed"),
    ],
)
def test_invalid_options_fail_in_one_sentence(change, message, tmp_path):
    run = create_run(tmp_path, digits(**change).to_dict())
    with pytest.raises(InputError, match=message):
        train(run)
    assert run.status()["state"] == "failed"
    assert message in json.dumps(run.status())


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
def test_terminate_saves_and_stops(tmp_path):
    run = create_run(tmp_path, digits(iterations=4000, pretrain_iterations=10).to_dict())
    command = [sys.executable, "-m", "clmle", "train", "--resume", str(run.path)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        deadline = time.time() + 600
        while not run.metrics("train") and time.time() < deadline:
            time.sleep(0.05)
        process.terminate()
        assert process.wait(timeout=600) == 130
    assert run.status()["state"] == "stopped"
    assert run.checkpoint_path.exists()


def test_split_minus_one_takes_the_seed_of_the_run():
    def rows(split, seed):
        config = digits(seed=seed)
        data = dataclasses.replace(config.data, split=split)
        return prepare(dataclasses.replace(config, data=data))[1].test.tolist()

    assert rows(-1, 3) == rows(3, 0) == rows(3, 5)  # the split of that number
    assert rows(0, 1) == rows(0, 2)
    assert rows(-1, 1) != rows(-1, 2)


def test_a_long_gradient_is_shortened_and_a_short_one_is_not(tmp_path):
    """Without momentum and decay one step of plain descent is rate times gradient."""
    plain = {"iterations": 1, "rounds": 1, "momentum": 0.0, "weight_decay": 0.0}

    def moved(name, clip):
        before, _ = trained(tmp_path / f"{name}-0", digits("softmax", **plain, learning_rate=1e-30))
        after, _ = trained(
            tmp_path / name, digits("softmax", **plain, learning_rate=0.5, grad_clip_norm=clip)
        )
        old, new = load_file(before.checkpoint_path), load_file(after.checkpoint_path)
        learned = [k for k in new if k.startswith("network") and k.endswith(("weight", "bias"))]
        return np.sqrt(sum(((new[k] - old[k]) ** 2).sum() for k in learned))

    whole = moved("whole", 0.0)
    assert whole > 0.02
    assert moved("short", 0.01) == pytest.approx(0.5 * 0.01, rel=0.01)
    assert moved("long", 100.0) == pytest.approx(whole, rel=1e-5)


def test_images_are_mirrored_only_where_the_data_set_allows_it():
    images = torch.arange(6, dtype=torch.uint8).expand(200, 6, 6)[..., None].contiguous()
    rising = [
        (shifted(images, np.random.default_rng(0), mirror)[:, :, -1] > 2).all(dim=1)
        for mirror in (True, False)
    ]
    assert 60 < int(rising[0].sum()) < 140
    assert rising[1].all()
    assert not preset_config("quick", "softmax", "digits").train.mirror
    assert preset_config("quick", "softmax", "toonfaces").train.mirror


def test_eq_9_starts_at_the_warmup_balanced_accuracy(tmp_path):
    """Its term of the loss appears in the first round after validation reached the level."""
    config = digits(iterations=60, pretrain_iterations=10, rounds=5)
    for warmup_until in (0.0, 0.5, 1.0):
        options = dataclasses.replace(config.options, warmup_until=warmup_until)
        run, _ = trained(tmp_path / str(warmup_until), dataclasses.replace(config, options=options))
        reached, ready = {}, False
        for line in run.metrics("validation"):
            progress = (line["balanced_accuracy"] - 0.1) / 0.9
            ready = ready or progress >= warmup_until
            reached[line["step"]] = ready
        for line in run.metrics("train"):
            if line["step"] > 10:
                before = max(step for step in reached if step < line["step"])
                assert ("embedding" in line) == reached[before]
        assert any("embedding" in line for line in run.metrics("train")) == (warmup_until < 1)
