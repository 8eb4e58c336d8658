"""Losses of other methods against plain float64 loops of their published formulas."""

import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from clmle.losses.adaface import adaface_logits
from clmle.losses.balanced_contrastive import balanced_contrastive_loss
from clmle.losses.center import center_invariant_loss, center_loss, move_centers
from clmle.losses.coco import coco_loss, coco_scale
from clmle.losses.crl import crl_loss, crl_weight, minority_classes
from clmle.losses.ldam import ldam_loss, ldam_margins
from clmle.losses.lmle import lmle_loss
from clmle.losses.magnet import magnet_loss
from clmle.losses.marginal import marginal_loss
from clmle.losses.noisy import noisy_logits
from clmle.losses.range import range_loss


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    features = torch.from_numpy(rng.normal(size=(18, 5)))
    labels = torch.from_numpy(np.repeat([0, 1, 2], [10, 5, 3]))
    return features, labels


def unit(x):
    return F.normalize(x, dim=1)


def test_center_loss_and_its_update(batch):
    f, y = batch
    centers = torch.randn(3, 5, dtype=torch.float64)
    expected = np.mean([0.5 * ((f[i] - centers[y[i]]) ** 2).sum().item() for i in range(len(f))])
    assert center_loss(f, y, centers).item() == pytest.approx(expected)
    moved = centers.clone()
    move_centers(moved, f, y, 0.5)
    for c in range(3):
        members = f[y == c]
        delta = (centers[c] - members).sum(dim=0) / (1 + len(members))
        torch.testing.assert_close(moved[c], centers[c] - 0.5 * delta)


def test_center_invariant_loss_is_zero_for_equally_long_centers(batch):
    _, y = batch
    centers = torch.randn(3, 5, dtype=torch.float64)
    norms = [float((c**2).sum()) for c in centers]
    expected = np.mean([0.25 * (norms[c] - np.mean(norms)) ** 2 for c in y.tolist()])
    assert center_invariant_loss(y, centers).item() == pytest.approx(expected)
    assert center_invariant_loss(y, unit(centers)).item() == pytest.approx(0, abs=1e-20)


def test_marginal_loss(batch):
    f, y = unit(batch[0]), batch[1]
    n, total = len(f), 0.0
    for i, j in itertools.permutations(range(n), 2):
        sign = 1 if y[i] == y[j] else -1
        total += max(0.0, 0.3 - sign * (1.2 - float(((f[i] - f[j]) ** 2).sum())))
    assert marginal_loss(f, y).item() == pytest.approx(total / (n * n - n))


def test_range_loss(batch):
    f, y = batch
    expected, centers = 0.0, []
    for c in range(3):
        members = f[y == c]
        centers.append(members.mean(dim=0))
        pairs = itertools.combinations(members, 2)
        widest = sorted((float(((a - b) ** 2).sum()) for a, b in pairs), reverse=True)[:2]
        expected += 0.7 * 2 / sum(1 / d for d in widest)
    nearest = min(float(((a - b) ** 2).sum()) for a, b in itertools.combinations(centers, 2))
    expected += 0.3 * max(0.0, 4.0 - nearest)
    got = range_loss(f, y, k=2, margin=4.0, intra_weight=0.7, inter_weight=0.3)
    assert got.item() == pytest.approx(expected)


def test_noisy_softmax_changes_the_true_logit_only(batch):
    f, y = batch
    w = torch.randn(3, 5, dtype=torch.float64)
    noise = torch.randn(len(f), dtype=torch.float64)
    got = noisy_logits(f, w, y, noise, 0.1)
    for i in range(len(f)):
        for c in range(3):
            expected = float(f[i] @ w[c])
            if c == y[i]:
                length = float(f[i].norm() * w[c].norm())
                cosine = expected / length
                expected -= 0.1 * length * (1 - cosine) * abs(float(noise[i]))
            assert got[i, c].item() == pytest.approx(expected)


def test_coco_scale_gives_perfect_features_the_loss_of_the_bound():
    for n_classes in (2, 10, 1000):
        scale = coco_scale(n_classes, 1e-4)
        perfect = torch.full((1, n_classes), -scale, dtype=torch.float64)
        perfect[0, 0] = scale
        loss = F.cross_entropy(perfect, torch.tensor([0]))
        assert loss.item() == pytest.approx(1e-4, rel=1e-6)


def test_coco_equals_normalized_softmax_of_pytorch_metric_learning(batch):
    from pytorch_metric_learning.losses import NormalizedSoftmaxLoss

    f, y = batch[0].float(), batch[1]
    peer = NormalizedSoftmaxLoss(3, 5, temperature=1 / 6.0)
    got = coco_loss(f, y, peer.W.T, 6.0)
    assert got.item() == pytest.approx(peer(f, y).item(), rel=1e-5)


def test_adaface_equals_arcface_or_cosface_at_extreme_quality(batch):
    f, w = batch[0], torch.randn(3, 5, dtype=torch.float64)
    y = (unit(f) @ unit(w).T).argmax(dim=1)  # angles that stay clear of pi
    cosine = unit(f) @ unit(w).T
    own = cosine.gather(1, y[:, None]).squeeze(1)
    low = adaface_logits(f, w, y, 1e6, 1.0, margin=0.2, scale=8.0)  # all lengths far below
    high = adaface_logits(f, w, y, -1e6, 1.0, margin=0.2, scale=8.0)
    angle = (own.acos() + 0.2).clamp(max=math.pi).cos()
    torch.testing.assert_close(low.gather(1, y[:, None]).squeeze(1), 8 * angle)
    expected = (own.acos() - 0.2).clamp(min=1e-4).cos() - 0.4
    torch.testing.assert_close(high.gather(1, y[:, None]).squeeze(1), 8 * expected)


def test_ldam_margins_and_loss(batch):
    f, y = batch
    margins = ldam_margins(torch.tensor([10, 5, 3]), 0.5)
    assert margins.max().item() == 0.5
    assert (margins[0] / margins[2]).item() == pytest.approx((3 / 10) ** 0.25)
    cosine = unit(f) @ unit(torch.randn(3, 5, dtype=torch.float64)).T
    losses = []
    for i, c in enumerate(y.tolist()):
        logits = 30 * cosine[i].clone()
        logits[c] -= 30 * margins[c]
        losses.append(float(torch.logsumexp(logits, 0) - logits[c]))
    assert ldam_loss(cosine, y, margins).item() == pytest.approx(np.mean(losses))


def test_minority_classes_hold_at_most_half_of_the_batch(batch):
    _, y = batch
    assert minority_classes(y, 3) == [2, 1]
    assert minority_classes(torch.tensor([0, 0, 1, 1]), 2) == [0]
    assert crl_weight(torch.tensor([96, 4]), 0.01) == pytest.approx(92 / 192)


def test_crl_loss(batch):
    f, y = unit(batch[0]), batch[1]
    losses = []
    for a in range(len(f)):
        if y[a] == 0:
            continue
        own = [float((f[a] - f[p]).norm()) for p in range(len(f)) if y[p] == y[a] and p != a]
        other = [float((f[a] - f[n]).norm()) for n in range(len(f)) if y[n] != y[a]]
        for dp in sorted(own, reverse=True)[:2]:
            losses += [max(0.0, 0.5 + dp - dn) for dn in sorted(other)[:2]]
    positive = [v for v in losses if v > 0]
    got = crl_loss(f, y, 3, margin=0.5, hardest=2)
    assert got.item() == pytest.approx(sum(positive) / len(positive))


def test_lmle_loss(batch):
    f, y = unit(batch[0]), batch[1]
    clusters = torch.tensor([0] * 5 + [1] * 5 + [2] * 3 + [3] * 2 + [4] * 3)
    losses = []
    for a in range(len(f)):
        d = ((f - f[a]) ** 2).sum(dim=1)
        same = [i for i in range(len(f)) if clusters[i] == clusters[a] and i != a]
        kin = [i for i in range(len(f)) if y[i] == y[a] and clusters[i] != clusters[a]]
        other = [i for i in range(len(f)) if y[i] != y[a]]
        if not (same and kin and other):
            continue
        chain = [max(d[same]), min(d[kin]), max(d[kin]), min(d[other])]
        losses.append(sum(max(0.0, 0.1 + float(p - q)) for p, q in itertools.pairwise(chain)))
    assert len(losses) == 15  # class 2 is a single cluster: no quintuplet
    assert lmle_loss(f, clusters, y).item() == pytest.approx(np.mean(losses))


def test_magnet_loss(batch):
    f, y = batch
    clusters = torch.tensor([0] * 5 + [1] * 5 + [2] * 5 + [3] * 3)
    classes = torch.tensor([0, 0, 1, 2])
    means = torch.stack([f[clusters == m].mean(dim=0) for m in range(4)])
    variance = sum(float(((f[i] - means[clusters[i]]) ** 2).sum()) for i in range(18)) / 17
    each, s2 = magnet_loss(f, clusters, classes, alpha=1.0)
    assert s2.item() == pytest.approx(variance)
    for i in range(18):
        d = [float(((f[i] - m) ** 2).sum()) / (2 * variance) for m in means]
        others = sum(math.exp(-d[m]) for m in range(4) if classes[m] != y[i])
        expected = max(0.0, -math.log(math.exp(-d[clusters[i]] - 1.0) / others))
        assert each[i].item() == pytest.approx(expected)


def test_balanced_contrastive_loss(batch):
    f, y = unit(batch[0]), batch[1]
    prototypes = unit(torch.randn(3, 5, dtype=torch.float64))
    t, losses = 0.2, []
    for i in range(len(f)):
        groups = {
            c: [f[k] for k in range(len(f)) if y[k] == c and k != i] + [prototypes[c]]
            for c in range(3)
        }
        denominator = sum(
            np.mean([math.exp(float(f[i] @ k) / t) for k in group]) for group in groups.values()
        )
        own = groups[int(y[i])]
        losses.append(
            -np.mean([math.log(math.exp(float(f[i] @ p) / t) / denominator) for p in own])
        )
    got = balanced_contrastive_loss(f, y, prototypes, t)
    assert got.item() == pytest.approx(np.mean(losses))


def test_gradients(batch):
    f = batch[0].clone().requires_grad_()
    y = batch[1]
    p = torch.randn(3, 5, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: marginal_loss(unit(x), y), f)
    assert torch.autograd.gradcheck(lambda x: balanced_contrastive_loss(unit(x), y, unit(p)), f)
    slots = torch.tensor([0] * 5 + [1] * 5 + [2] * 5 + [3] * 3)
    classes = torch.tensor([0, 0, 1, 2])
    assert torch.autograd.gradcheck(lambda x: magnet_loss(x, slots, classes)[0], f)
