"""CLMLELoss: its value by loops in float64, clusters that follow the batches, and its state."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from sklearn.datasets import load_digits

from clmle import (
    ClassBalancedSampler,
    CLMLELoss,
    ClusterBatchSampler,
    InputError,
    clmle_loss,
    margin_bounds,
    nearest_cluster_scores,
)
from clmle.losses import clmle_module
from clmle.methods.clmle.options import CLMLEOptions
from clmle.metrics import classification_metrics

LABELS = np.repeat([0, 1, 2], [40, 14, 6])


@pytest.fixture
def embeddings():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(60, 5, generator=generator, dtype=torch.float64)


def batch_of(n=24):
    return torch.from_numpy(np.random.default_rng(0).permutation(60)[:n])


def naive(loss, embeddings, indices, a1, s, n_negative):
    """Eq. 9 (first term, mean over the nearest clusters) times class weights, in float64."""
    index, labels = loss.index, LABELS[indices]
    values = []
    for f, c in zip(F.normalize(embeddings, dim=1).numpy(), labels, strict=True):
        own = max(float(f @ mu) for mu, k in zip(index.centroids, index.classes, strict=True)
                  if k == c)  # fmt: skip
        others = sorted((float(f @ mu) for mu, k in zip(index.centroids, index.classes, strict=True)
                         if k != c), reverse=True)[:n_negative]  # fmt: skip
        mean = np.mean([math.exp(s * x) for x in others])
        weight = len(labels) / (len(set(labels)) * np.sum(labels == c))
        values.append(weight * max(0.0, s * a1 - s * own + math.log(mean)))
    return np.array(values)


@pytest.mark.parametrize("a1", [None, 0.6])
def test_a_sample_is_compared_with_the_nearest_stored_clusters(embeddings, a1):
    loss = CLMLELoss(LABELS, 5, cluster_size=6, scale=4.0, n_negative_clusters=3,
                     between_margin=a1, reduction="none")  # fmt: skip
    loss.refresh(embeddings)
    rows = batch_of()
    margin = margin_bounds([40, 14, 6], 5).between_sphere / 8 if a1 is None else a1
    wanted = naive(loss, embeddings[rows], rows, margin, 4.0, 3)
    assert (wanted > 0).any()
    found = loss(embeddings[rows], torch.from_numpy(LABELS)[rows], rows)
    np.testing.assert_allclose(found.numpy(), wanted, rtol=1e-4, atol=1e-5)


def test_margins_are_by_default_those_of_the_method():
    options = CLMLEOptions()
    fractions = options.between_margin_fraction, options.within_margin_fraction
    assert fractions == (clmle_module.BETWEEN_FRACTION, clmle_module.WITHIN_FRACTION)
    loss = CLMLELoss(LABELS, 5)
    chosen = loss.options | {"n_negative_clusters": loss.n_negative_clusters}
    assert chosen == {name: getattr(options, name) for name in chosen}
    assert loss.clusters.momentum == options.centroid_momentum


def test_classes_are_the_clusters_until_the_first_clustering(embeddings):
    loss = CLMLELoss(LABELS, 5, class_weighting=False, between_margin=0.7, refresh_every=1000)
    rows = batch_of()
    unit, classes = F.normalize(embeddings[rows].float(), dim=1), torch.from_numpy(LABELS)[rows]
    wanted = clmle_loss(unit, classes, torch.arange(3), 0.7, 0.0, scale=8.0, denominator="mean",
                        within_weight=0.0)  # fmt: skip
    assert wanted > 0
    torch.testing.assert_close(loss(embeddings[rows], classes, rows), wanted)


def test_gradients_are_those_before_the_centroids_move(embeddings):
    rows, gradients = batch_of(), []
    for momentum in (1.0, 0.0):  # centroids stay, or jump to the batch
        loss = CLMLELoss(LABELS, 5, cluster_size=6, between_margin=0.6, centroid_momentum=momentum)
        loss.refresh(embeddings)
        before = loss.index.centroids.copy()
        leaf = embeddings[rows].clone().requires_grad_()
        loss(leaf, None, rows).backward()
        assert (momentum == 1.0) == np.allclose(loss.index.centroids, before, atol=1e-6)
        gradients.append(leaf.grad)
    assert gradients[0].abs().max() > 0
    torch.testing.assert_close(*gradients)


# --- clusters -----------------------------------------------------------------------------


def test_clusters_after_an_epoch_are_those_of_the_features_of_the_epoch(embeddings):
    loss, other = (CLMLELoss(LABELS, 5, cluster_size=6) for _ in range(2))
    for rows in batch_of(60).split(7):
        loss(embeddings[rows], None, rows)
    other.refresh(embeddings)
    np.testing.assert_array_equal(loss.index.assignment, other.index.assignment)
    np.testing.assert_allclose(loss.index.centroids, other.index.centroids, atol=1e-6)
    sizes = loss.index.sizes[loss.index.classes == 0]
    assert sizes.sum() == 40
    assert sizes.max() - sizes.min() <= 1
    assert np.isfinite(loss.index.losses).all()


def test_samples_that_no_batch_had_join_clusters_of_seen_ones(embeddings):
    loss = CLMLELoss(LABELS, 5, cluster_size=4, refresh_every=8)
    rows = torch.tensor([0, 1, 2, 3, 40, 41, 42, 43])  # nothing of class 2
    loss(embeddings[rows], None, rows)
    unit = F.normalize(embeddings[rows], dim=1).numpy()
    near = loss.index.centroids[loss.index.classes == 0] @ unit[:4].T
    assert (near.max(axis=1) > 0.7).all()  # mixtures of the seen samples of the class
    assert np.isfinite(loss(embeddings[rows], None, rows).item())
    np.testing.assert_allclose(np.linalg.norm(loss.index.centroids, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("how", ["eval", "no indices"])
def test_validation_data_change_nothing(embeddings, how):
    loss = CLMLELoss(LABELS, 5, refresh_every=1)
    if how == "eval":
        loss.eval()
    rows = batch_of()
    before = loss.state_dict()["_extra_state"].clone()
    loss(embeddings[rows], torch.from_numpy(LABELS)[rows], rows if how == "eval" else None)
    assert torch.equal(loss.state_dict()["_extra_state"], before)


@pytest.mark.parametrize("form", ["torch", "safetensors"])
def test_training_continues_from_a_stored_state(embeddings, form, tmp_path):
    def step(loss, number):
        rows = torch.from_numpy(np.random.default_rng(number).permutation(60)[:20])
        return loss(embeddings[rows] + number, None, rows).item()

    loss = CLMLELoss(LABELS, 5, cluster_size=6, between_margin=0.8)
    for number in range(5):
        step(loss, number)
    other = CLMLELoss(LABELS, 5, cluster_size=6, between_margin=0.8)
    if form == "torch":
        torch.save(loss.state_dict(), tmp_path / "state")
        other.load_state_dict(torch.load(tmp_path / "state", weights_only=True))
    else:
        save_file(loss.state_dict(), tmp_path / "state")
        other.load_state_dict(load_file(tmp_path / "state"))
    wanted = [step(loss, number) for number in range(5, 10)]
    assert wanted[0] > 0
    assert [step(other, number) for number in range(5, 10)] == wanted
    with pytest.raises(InputError, match="belong to other labels"):
        CLMLELoss(LABELS[::-1] + 1, 5, cluster_size=6).load_state_dict(loss.state_dict())


def test_a_plain_loop_learns_with_samplers_that_draw_from_its_clusters():
    x, y = load_digits(return_X_y=True)
    keep = np.r_[np.flatnonzero(y != 8), np.flatnonzero(y == 8)[:20]]
    train, test = keep[::2], np.setdiff1d(np.arange(len(y)), keep[::2])
    inputs, labels = torch.tensor(x[train] / 16, dtype=torch.float32), torch.tensor(y[train])
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(64, 48), torch.nn.ReLU(), torch.nn.Linear(48, 16))
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    loss = CLMLELoss(labels, 16, cluster_size=20, between_margin=0.5)

    def balanced_accuracy():
        with torch.no_grad():
            unit = F.normalize(network(torch.tensor(x / 16, dtype=torch.float32)), dim=1)
        loss.refresh(unit[train])
        scores = nearest_cluster_scores(
            unit[test].numpy(), loss.index.centroids, loss.index.classes, 3, "mean", scale=8.0
        )
        return classification_metrics(y[test], scores)["balanced_accuracy"]

    before = balanced_accuracy()
    samplers = (
        ClassBalancedSampler(labels, 40 * 50),
        ClusterBatchSampler(loss.index, 8, 6, 2, n_batches=40),
    )
    batches = np.array(list(samplers[0])).reshape(40, 50).tolist()
    for batch in (*batches, *samplers[1]):
        rows = torch.tensor(batch)
        optimizer.zero_grad()
        loss(network(inputs[rows]), labels[rows], rows).backward()
        optimizer.step()
    assert balanced_accuracy() > before + 0.1


# --- several labels -----------------------------------------------------------------------


@pytest.mark.parametrize("own_features", [False, True])
def test_several_labels_are_the_losses_of_each_where_it_is_known(embeddings, own_features):
    several = np.stack([LABELS > 0, np.arange(60) % 2], axis=1).astype(int)
    several[5:25, 1] = -1
    z = torch.stack([embeddings, embeddings.flip(1)], dim=1) if own_features else embeddings
    both = CLMLELoss(several, 5, cluster_size=6, between_margin=0.6)
    both.refresh(z)
    rows, singles = batch_of(), []
    for a in range(2):
        known = np.flatnonzero(several[:, a] >= 0)
        own = z[:, a] if own_features else z
        one = CLMLELoss(several[known, a], 5, cluster_size=6, between_margin=0.6)
        one.refresh(own[known])
        np.testing.assert_allclose(both.indexes[a].centroids, one.index.centroids, atol=1e-6)
        seen = [int(i) for i in rows if several[i, a] >= 0]
        singles.append(one(own[seen], None, torch.from_numpy(np.searchsorted(known, seen))))
    assert len(rows) > len(seen)
    found = both(z[rows], torch.from_numpy(several)[rows], rows)
    torch.testing.assert_close(found, (singles[0] + singles[1]) / 2)
    assert min(singles) > 0


def test_a_batch_without_any_known_label_has_loss_zero_and_a_gradient():
    several = np.array([[0, 1], [1, 0], [-1, -1]])
    leaf = torch.ones(1, 4, requires_grad=True)
    value = CLMLELoss(several, 4)(leaf, None, torch.tensor([2]))
    value.backward()
    assert value.item() == 0
    assert leaf.grad.abs().max() == 0


# --- errors -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": [0.5, 1.0]}, "labels must be whole numbers"),
        ({"labels": [0, -1]}, "labels below 0 are unknown"),
        ({"labels": [[0, -1], [1, -1]]}, "labels below 0 are unknown"),
        ({"dim": 0}, "dim is 0"),
        ({"cluster_size": 0}, "cluster_size is 0"),
        ({"centroid_momentum": 2}, "centroid_momentum is 2"),
        ({"refresh_every": 0}, "refresh_every is 0"),
        ({"reduction": "sum"}, "reduction is 'sum'"),
        ({"between_margin": math.nan}, "between_margin is nan"),
        ({"within_margin": "a"}, "within_margin is 'a'"),
    ],
)
def test_the_constructor_names_the_bad_argument(change, message):
    with pytest.raises(InputError, match=f"^{message}"):
        CLMLELoss(**({"labels": LABELS, "dim": 5} | change))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"embeddings": torch.ones(2, 4)}, "embeddings must be float"),
        ({"embeddings": torch.ones(2, 5).long()}, "embeddings must be float"),
        ({"embeddings": torch.full((2, 5), math.nan)}, "The loss is not finite"),
        ({"indices": torch.tensor([0])}, "indices must be the positions of the 2"),
        ({"indices": torch.tensor([0, 60])}, "indices must be from 0 to 59"),
        ({"labels": torch.tensor([0])}, "labels must be whole numbers"),
        ({"labels": torch.tensor([0, 1])}, "labels of the batch differ"),
        ({"labels": None, "indices": None}, "labels are None"),
    ],
)
def test_a_call_names_the_bad_argument(change, message):
    good = {"embeddings": torch.eye(2, 5), "labels": torch.tensor([0, 2]),
            "indices": torch.tensor([0, 59])}  # fmt: skip
    loss = CLMLELoss(LABELS, 5)
    loss(**good)
    with pytest.raises(InputError, match=f"^{message}"):
        loss(**(good | change))
    with pytest.raises(InputError, match="all 60 training samples"):
        loss.refresh(torch.ones(3, 5))
