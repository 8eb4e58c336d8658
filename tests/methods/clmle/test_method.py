"""CLMLE as a method: its training step runs Eq. 9, its options are grouped and bounded."""

import dataclasses

import numpy as np
import pytest
import torch

import clmle
from clmle import InputError
from clmle.config import parse
from clmle.data.base import Dataset
from clmle.data.multilabel import multi_task
from clmle.methods import Outputs, get_method
from clmle.methods._multi_label import MultiLabel
from clmle.methods.clmle import CLMLEOptions, method
from clmle.models.network import MultiNetwork, Network


def trained_step(n_attributes, monkeypatch, **own):
    """Calls of the loss in one training step of CLMLE on random features."""
    calls = []

    def spy(*args, **kwargs):
        calls.append((args, kwargs))
        return clmle.clmle_loss(*args, **kwargs)

    assert method.clmle_loss is clmle.losses.clmle.clmle_loss
    monkeypatch.setattr(method, "clmle_loss", spy)
    rng = np.random.default_rng(0)
    labels = {f"a{i}": (rng.random(400) < 0.2).astype(np.int8) for i in range(n_attributes)}
    split = np.repeat([0, 1, 2], [320, 40, 40]).astype(np.int8)
    images = rng.integers(0, 256, (400, 8, 8, 1), dtype=np.uint8)
    task = multi_task(Dataset("toy", images, split, labels))
    options = dataclasses.replace(CLMLEOptions(), cluster_size=20, **own)
    head = MultiLabel(get_method("clmle"), options, task, 48, 0, 6)
    if n_attributes == 1:
        head = get_method("clmle")(options, task.tasks[0], 48, 0, 6)
    shape = (320, 6) if n_attributes == 1 else (320, n_attributes, 6)
    head.start_round(0, rng.normal(size=shape).astype(np.float32))
    batch = head.sample_batch(0)
    chosen = torch.from_numpy(task.labels[task.train][batch.indices]).long()
    n = len(batch.indices)
    features = torch.randn(n, n_attributes, 6, requires_grad=True)
    logits = torch.randn(n, n_attributes, 2)
    if n_attributes == 1:
        outputs = Outputs(features[:, 0], logits[:, 0], chosen[:, 0])
    else:
        outputs = Outputs(features, logits, chosen)
    loss = head.loss(outputs, batch)
    loss.total.backward()
    loss.after_backward()
    assert features.grad.abs().sum() > 0
    return calls


@pytest.mark.parametrize("centroids", ["local", "memory", "batch"])
def test_a_training_step_calls_the_function_of_eq_9_once(centroids, monkeypatch):
    ((args, options),) = trained_step(1, monkeypatch, centroids=centroids)
    assert args[0].shape == (48, 6)
    assert options["n_negative_clusters"] == (6 if centroids == "local" else None)


def test_the_heads_of_all_attributes_call_the_function_of_eq_9_once(monkeypatch):
    ((args, _),) = trained_step(3, monkeypatch)
    assert args[0].shape == (3, 48, 6)


def test_options_stand_in_four_groups_of_which_about_ten_are_for_everyone():
    options = dataclasses.fields(CLMLEOptions)
    groups = {f.metadata["group"] for f in options}
    assert groups == {"clusters", "sampler", "loss", "classifier"}
    basic = [f.name for f in options if not f.metadata["expert"]]
    assert 8 <= len(basic) <= 12
    paper = dataclasses.fields(get_method("clmle-paper").Options)
    assert [f.name for f in paper] == [f.name for f in options]
    for f, g in zip(paper, options, strict=True):
        assert f.metadata == g.metadata


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"scale": 0}, "scale is 0.0, but must be above 0."),
        ({"margin_weight": -1}, "margin_weight is -1.0, but must be 0 or more."),
        ({"between_margin": 2.5}, "between_margin is 2.5, but must be from 0 to 2."),
        (
            {"max_class_fraction": 0},
            "max_class_fraction is 0.0, but must be above 0 and at most 1.",
        ),
        ({"cluster_size": 0}, "cluster_size is 0, but must be 1 or more."),
    ],
)
def test_an_option_out_of_range_is_named_with_its_value_and_range(values, message):
    with pytest.raises(InputError) as error:
        parse(CLMLEOptions, values, "clmle")
    assert str(error.value) == message
    assert parse(CLMLEOptions, {"between_margin": None}, "clmle").between_margin is None


@pytest.mark.parametrize("attribute", ["", "a,b"])
def test_a_detached_head_leaves_the_embedding_to_eq_9(attribute):
    torch.manual_seed(0)
    several = len(attribute.split(",")) > 1
    network = MultiNetwork("tiny", 1, 32, 8, 2) if several else Network("tiny", 1, 32, 8, 2)
    images = torch.randn(6, 1, 32, 32)
    for detached in (False, True):
        network.zero_grad()
        network(images, detached)[1].square().sum().backward()
        reached = any(
            p.grad is not None and p.grad.abs().sum() > 0 for p in network.backbone.parameters()
        )
        assert reached != detached
        assert any(p.grad is not None for p in network.head.parameters())


def test_the_head_trains_the_embedding_until_eq_9_starts():
    rng = np.random.default_rng(0)
    labels = {"a": (rng.random(400) < 0.2).astype(np.int8)}
    split = np.repeat([0, 1, 2], [320, 40, 40]).astype(np.int8)
    task = Dataset("toy", np.zeros((400, 8, 8, 1), np.uint8), split, labels).task("a")
    head = get_method("clmle")(CLMLEOptions(detach_head=True, warmup_until=0.5), task, 48, 0, 6)
    head.on_validation({"balanced_accuracy": 0.6})
    assert not head.detach_head
    head.on_validation({"balanced_accuracy": 0.9})
    assert head.detach_head
    assert not get_method("clmle")(CLMLEOptions(), task, 48, 0, 6).detach_head
