"""The path of a GPU: no operation mixes devices, and few operations make the host wait."""

import dataclasses

import numpy as np
import pytest
import torch

from clmle import CLMLELoss, nearest_cluster_scores, nearest_cluster_terms
from clmle.cluster_index import ClusterIndex
from clmle.data.base import Dataset
from clmle.data.multilabel import multi_task
from clmle.methods import get_method, method_names
from clmle.methods._base import Outputs
from clmle.methods._multi_label import MultiLabel
from clmle.presets import preset_config
from clmle.run_folder import create_run
from clmle.training import evaluate, extraction, load_model, train, trainer
from clmle.training.distributed import World
from tests.gpu.pretend import pretend_gpu

# How often a step, which is not logged, makes the host wait; 0 for the methods left out. A number
# may only fall.
WAITS = {
    "adaface": 1,
    "clmle": 1,
    "clmle-paper": 1,
    "crl": 1,
    "feature-transfer": 1,
    "lmle": 1,
    "magnet": 1,
    "range": 1,
    # These waits are inside pytorch-metric-learning.
    "arcface": 2,
    "circle": 6,
    "contrastive": 2,
    "cosface": 2,
    "l-softmax": 2,
    "multi-similarity": 1,
    "soft-triple": 1,
    "sphereface": 2,
    "sub-center-arcface": 2,
    "supcon": 4,
    "triplet": 4,
}


def digits(method, device="cuda"):
    """A run on a GPU of one step of pretraining and two of the method, the last one not logged."""
    config = preset_config("quick", method, "digits")
    options = config.options
    if hasattr(options, "samples_per_cluster"):
        options = dataclasses.replace(options, samples_per_cluster=5)
    short = dataclasses.replace(
        config.train,
        backbone="tiny",
        device=device,
        threads=1,
        iterations=3,
        pretrain_iterations=1,
        rounds=1,
        batch_size=120,
    )
    return dataclasses.replace(config, options=options, train=short)


@pytest.mark.parametrize("method", method_names())
def test_a_step_of_a_method_runs_on_a_gpu_with_few_waits(method, gpu, tmp_path):
    run = trainer.Trainer(create_run(tmp_path, digits(method).to_dict()), None, World())
    run.set_up()
    run.pretrain()
    run.refresh()
    run.one_step(run.method, "round 1 of 1")
    before = gpu.waits.copy()
    run.one_step(run.method, "round 1 of 1")
    waits = gpu.waits - before
    assert run.step in (2, 3)
    assert {p.device.type for p in run.parameters} == {"cuda"}
    assert sum(waits.values()) <= WAITS.get(method, 0), waits


def stacked_heads(device="cpu"):
    """Fourteen heads of CLMLE on random images, with their first clusters."""
    rng = np.random.default_rng(0)
    labels = {f"a{i}": rng.integers(0, 2, 300).astype(np.int8) for i in range(14)}
    split = np.repeat([0, 1, 2], [240, 30, 30]).astype(np.int8)
    images = rng.integers(0, 256, (300, 8, 8, 1), dtype=np.uint8)
    task = multi_task(Dataset("toy", images, split, labels))
    options = dataclasses.replace(get_method("clmle").Options(), cluster_size=20)
    heads = MultiLabel(get_method("clmle"), options, task, 48, 0, 6)
    heads.to(torch.device(device))
    heads.start_round(0, rng.normal(size=(240, 14, 6)).astype(np.float32))
    assert heads.stack is not None
    return heads, torch.from_numpy(task.labels[task.train]).long()


def step_of(heads, labels, device):
    """The loss of a step on ``device``, and what it waits for; the index is updated."""
    batch = heads.sample_batch(0)
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(48, 14, 6, generator=generator).to(device).requires_grad_()
    logits = torch.zeros(48, 14, 2, device=device)
    outputs = Outputs(features, logits, labels[batch.indices].to(device))
    loss = heads.loss(outputs, batch)
    loss.total.backward()
    loss.after_backward()
    assert features.grad.abs().sum() > 0
    return float(loss.total.detach())


def test_stacked_heads_wait_once_and_compute_what_a_cpu_does(gpu):
    (here, labels), (there, _) = stacked_heads(), stacked_heads()
    wanted = step_of(here, labels, "cpu")
    step_of(there, labels, "cuda")  # constants are copied once for a round
    there, _ = stacked_heads()
    before = gpu.waits.copy()
    found = step_of(there, labels, "cuda")
    waits = gpu.waits - before
    own = {key: n for key, n in waits.items() if not key[1].startswith("test_")}
    assert sum(own.values()) <= 1, own
    assert found == pytest.approx(wanted, rel=1e-5)
    for a, b in zip(here.heads, there.heads, strict=True):
        np.testing.assert_allclose(a.index.centroids, b.index.centroids, atol=1e-5)
        np.testing.assert_allclose(a.index.losses, b.index.losses, rtol=1e-4)


def test_a_run_is_evaluated_in_the_precision_it_was_trained_in(gpu, tmp_path, monkeypatch):
    config = digits("clmle")
    full = dataclasses.replace(config, train=dataclasses.replace(config.train, precision="float32"))
    run = create_run(tmp_path, full.to_dict())
    result = train(run)
    used = []
    autocast = extraction.autocast

    def kept(device, precision):
        used.append(precision)
        return autocast(device, precision)

    monkeypatch.setattr(extraction, "autocast", kept)
    again = evaluate(run)
    load_model(run).embed(np.zeros((3, 16, 16, 1), np.uint8))
    assert used == ["float32", "float32"]
    assert again["balanced_accuracy"] == pytest.approx(result["test"]["balanced_accuracy"])


def test_products_keep_the_precision_of_float32(gpu, tmp_path):
    train(create_run(tmp_path, digits("softmax").to_dict()))
    assert not torch.backends.cuda.matmul.allow_tf32
    assert torch.get_float32_matmul_precision() == "highest"


@pytest.mark.parametrize("method", ["clmle", "clmle-paper", "magnet"])
def test_a_device_without_float64_trains(method, tmp_path):
    with pretend_gpu("mps"):
        train(create_run(tmp_path, digits(method, "mps").to_dict()))


def unit_batch():
    """Unit features (6, 3), their clusters, and the classes of the clusters."""
    unit = torch.nn.functional.normalize(torch.arange(18.0).sin().view(6, 3), dim=1)
    return unit, torch.tensor([0, 0, 1, 1, 2, 2]), torch.tensor([0, 0, 1])


def test_the_loss_updates_its_clusters_on_a_gpu(gpu):
    unit, clusters, classes = unit_batch()
    labels, indices = classes[clusters], torch.arange(6)
    here, there = (CLMLELoss(labels, dim=3, cluster_size=2) for _ in range(2))
    there.to("cuda")
    for _ in range(3):  # before the first clustering and after it
        wanted = here(unit, labels, indices)
        found = there(*(tensor.to("cuda") for tensor in (unit, labels, indices)))
        torch.testing.assert_close(found.cpu(), wanted)
    np.testing.assert_allclose(here.index.centroids, there.index.centroids, rtol=1e-5, atol=1e-6)


def test_the_loss_of_pytorch_metric_learning_runs_on_a_gpu(gpu):
    from clmle.losses import ClusterMarginLoss

    unit, clusters, classes = unit_batch()
    labels = classes[clusters]
    index = ClusterIndex.build(unit.numpy(), labels.numpy(), 2)
    for given in (None, index):
        loss = ClusterMarginLoss(0.5, 0.1, index=given)
        wanted = loss(unit, labels)
        found = loss.to("cuda")(unit.to("cuda"), labels.to("cuda"))
        torch.testing.assert_close(found.cpu(), wanted)


def test_nearest_clusters_are_searched_on_a_gpu(gpu):
    unit, clusters, classes = unit_batch()
    there = unit.to("cuda"), classes[clusters].to("cuda")
    scores = nearest_cluster_scores(unit.to("cuda"), *there, 3)
    wanted = nearest_cluster_scores(unit, unit, classes[clusters], 3)
    torch.testing.assert_close(scores.cpu(), wanted)
    terms = nearest_cluster_terms(unit[0].to("cuda"), *there, 3)
    assert terms["clusters"].tolist()[0] == 0
    np.testing.assert_allclose(terms["scores"], wanted[0].numpy(), rtol=1e-5)
