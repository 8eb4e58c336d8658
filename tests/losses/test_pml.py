"""ClusterMarginLoss in a loop of pytorch-metric-learning, against clmle_loss and float64 loops."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.losses import CrossBatchMemory
from pytorch_metric_learning.miners import TripletMarginMiner
from pytorch_metric_learning.reducers import (
    AvgNonZeroReducer,
    ClassWeightedReducer,
    DoNothingReducer,
)
from pytorch_metric_learning.regularizers import LpRegularizer
from pytorch_metric_learning.samplers import MPerClassSampler
from torch.utils.data import DataLoader, TensorDataset

from clmle import InputError, clmle_loss, nearest_cluster_scores
from clmle.cluster_index import ClusterIndex
from clmle.losses.pml import ClusterMarginLoss
from clmle.samplers.cluster import ClusterSampler


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(24, 5, generator=generator, dtype=torch.float64)
    return x, torch.tensor([0] * 12 + [1] * 8 + [2] * 4)


@pytest.fixture
def index(batch):
    x, y = batch
    return ClusterIndex.build(F.normalize(x, dim=1).numpy(), y.numpy(), 4)


def naive(unit, slots, classes, a1, a2, s, unit_means):
    """Eq. 9 with means instead of sums, sample by sample."""
    unit = unit.detach().numpy()
    mu = [unit[slots == m].mean(axis=0) for m in range(len(classes))]
    if unit_means:
        mu = [m / np.linalg.norm(m) for m in mu]
    losses = []
    for f, own in zip(unit, slots, strict=True):
        total = 0.0
        for margin, same in ((a1, False), (a2, True)):
            others = [
                math.exp(s * f @ mu[k])
                for k in range(len(mu))
                if k != own and (classes[k] == classes[own]) == same
            ]
            if others:
                total += max(0.0, s * margin - s * f @ mu[own] + math.log(np.mean(others)))
        losses.append(total)
    return np.array(losses)


def slots_by_index(unit, y, index):
    own = []
    for f, c in zip(unit.detach().numpy(), y.tolist(), strict=True):
        mine = np.flatnonzero(index.classes == c)
        own.append(mine[(index.centroids[mine] @ f).argmax()])
    clusters, slots = np.unique(own, return_inverse=True)
    return slots, index.classes[clusters]


@pytest.mark.parametrize("unit_means", [True, False])
@pytest.mark.parametrize("clustered", [True, False])
def test_loss_is_eq_9_over_the_clusters_of_the_batch(batch, index, clustered, unit_means):
    x, y = batch
    unit = F.normalize(x, dim=1)
    loss = ClusterMarginLoss(
        0.5, 0.2, index=index if clustered else None, normalize_centroids=unit_means
    )
    slots, classes = slots_by_index(unit, y, index) if clustered else (y.numpy(), np.arange(3))
    if clustered:
        assert len(classes) > 3
    expected = naive(unit, slots, classes, 0.5, 0.2, 8.0, unit_means)
    assert expected.max() > 0
    assert loss(x, y).item() == pytest.approx(expected.mean())


def test_gradient_is_that_of_clmle_loss(batch, index):
    x, y = batch
    ours = x.clone().requires_grad_()
    ClusterMarginLoss(0.5, 0.2, index=index, normalize_centroids=False)(ours, y).backward()
    theirs = x.clone().requires_grad_()
    unit = F.normalize(theirs, dim=1)
    slots, classes = map(torch.from_numpy, slots_by_index(unit, y, index))
    clmle_loss(unit, slots, classes, 0.5, 0.2, scale=8.0, denominator="mean").backward()
    assert ours.grad.abs().max() > 0
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_reference_rows_are_the_centroids(batch):
    x, y = batch
    mu = F.normalize(torch.randn(7, 5, dtype=torch.float64), dim=1)
    classes = torch.tensor([0, 0, 0, 1, 1, 2, 2])
    unit = F.normalize(x, dim=1)
    own = [max((k for k in range(7) if classes[k] == c), key=lambda k: float(f @ mu[k]))
           for f, c in zip(unit, y, strict=True)]  # fmt: skip
    want = clmle_loss(
        unit, torch.tensor(own), classes, 0.5, 0.2, scale=8.0, denominator="mean", centroids=mu
    )
    got = ClusterMarginLoss(0.5, 0.2)(x, y, ref_emb=3 * mu, ref_labels=classes)
    assert got.item() == pytest.approx(want.item())


def test_reducers_and_regularizers_of_the_library_apply(batch):
    x, y = batch
    each = ClusterMarginLoss(0.3, reducer=DoNothingReducer())(x, y)["loss"]["losses"]
    assert each.shape == (24,)
    nonzero = ClusterMarginLoss(0.3, reducer=AvgNonZeroReducer())(x, y)
    assert nonzero.item() == pytest.approx(each[each > 0].mean().item())
    costs = torch.tensor([0.5, 1.0, 3.0], dtype=torch.float64)
    weighted = ClusterMarginLoss(0.3, reducer=ClassWeightedReducer(costs))(x, y)
    assert weighted.item() == pytest.approx((each * costs[y]).mean().item())
    longer = ClusterMarginLoss(0.3, embedding_regularizer=LpRegularizer(), embedding_reg_weight=2.0)
    penalty = 2 * x.norm(dim=1).mean()
    assert longer(x, y).item() == pytest.approx((each.mean() + penalty).item())


def test_margins_of_classes_are_selected_by_label(batch, index):
    x, y = batch
    margins = torch.tensor([0.1, 0.4, 0.2], dtype=torch.float64)
    one = ClusterMarginLoss(0.5, margins, index=index, reducer=DoNothingReducer())
    losses = one(x, y)["loss"]["losses"]
    for c in range(3):
        same = ClusterMarginLoss(
            0.5, float(margins[c]), index=index, reducer=DoNothingReducer()
        )(x, y)["loss"]["losses"]  # fmt: skip
        torch.testing.assert_close(losses[y == c], same[y == c])


def test_unsupported_arguments_raise_one_sentence(batch, index):
    x, y = batch
    with pytest.raises(InputError, match="CosineSimilarity"):
        ClusterMarginLoss(0.5, distance=LpDistance())
    with pytest.raises(InputError, match="miner"):
        ClusterMarginLoss(0.5)(x, y, TripletMarginMiner()(x, y))
    with pytest.raises(InputError, match="Class 7"):
        ClusterMarginLoss(0.5, index=index)(x, torch.full_like(y, 7))
    with pytest.raises(Exception, match="not supported"):
        CrossBatchMemory(ClusterMarginLoss(0.5), embedding_size=5)


def islands(seed):
    """Two classes of two islands each, 240 against 30, in two of twelve dimensions."""
    rng = np.random.default_rng(seed)
    centers = np.array([[3, 0], [-3, 0], [0, 3], [0, -3]])
    y = np.repeat([0, 1, 2, 3], [120, 120, 15, 15])
    x = np.hstack([rng.normal(centers[y], 0.8), rng.normal(0, 2.0, (len(y), 10))])
    return torch.from_numpy(x).float(), torch.from_numpy(y // 2)


@pytest.mark.parametrize("sampler", ["library", "clusters"])
def test_training_with_the_library_improves_balanced_accuracy(sampler):
    x, y = islands(0)
    test_x, test_y = islands(1)
    data = TensorDataset(x, y)
    torch.manual_seed(0)
    np.random.seed(0)  # the library's sampler draws from the global generator
    net = torch.nn.Sequential(torch.nn.Linear(12, 32), torch.nn.ReLU(), torch.nn.Linear(32, 8))
    optimizer = torch.optim.Adam(net.parameters(), 0.01)

    @torch.no_grad()
    def features(inputs):
        return F.normalize(net(inputs), dim=1).numpy()

    def balanced_accuracy():
        scores = nearest_cluster_scores(
            features(test_x), index.centroids, index.classes, 5, "mean", scale=8.0
        )
        right = scores.argmax(axis=1) == test_y.numpy()
        return np.mean([right[test_y == c].mean() for c in (0, 1)])

    index = ClusterIndex.build(features(x), y.numpy(), 15, min_clusters=2)
    loss_function = ClusterMarginLoss(0.5, 0.1, index=index, within_weight=0.0)
    before, losses = balanced_accuracy(), []
    generator = np.random.default_rng(0)
    for _ in range(6):
        if sampler == "library":
            own = MPerClassSampler(index.assignment, m=4, batch_size=32, length_before_new_iter=320)
            loader = DataLoader(data, batch_size=32, sampler=own)
        else:
            drawn = ClusterSampler(index, 8, 4, 4, "uniform")
            batches = [drawn.draw(generator).indices.tolist() for _ in range(10)]
            loader = DataLoader(data, batch_sampler=batches)
        for inputs, labels in loader:
            optimizer.zero_grad()
            loss = loss_function(net(inputs), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        index.refresh(features(x))
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:10])
    assert balanced_accuracy() > before + 0.1
