"""Losses of other methods against plain float64 loops of their published formulas."""

import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy import special

from clmle.losses.adaface import adaface_logits
from clmle.losses.balanced_contrastive import balanced_contrastive_loss
from clmle.losses.center import center_invariant_loss, center_loss, move_centers
from clmle.losses.coco import coco_loss, coco_scale
from clmle.losses.crl import crl_loss, crl_weight, minority_classes
from clmle.losses.gpaco import gpaco_loss
from clmle.losses.ldam import ldam_loss, ldam_margins
from clmle.losses.lmle import lmle_loss
from clmle.losses.magnet import magnet_loss
from clmle.losses.marginal import marginal_loss
from clmle.losses.noisy import noisy_logits
from clmle.losses.proco import concentration, proco_logits
from clmle.losses.range import range_loss
from clmle.losses.sbcl import sbcl_loss, subclass_temperatures
from clmle.methods.proco import ClassMeans


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


def test_gpaco_loss(batch):
    f, y = unit(batch[0]), batch[1].tolist()
    logits, alpha, t = torch.randn(18, 3, dtype=torch.float64), 0.3, 0.2
    total = 0.0
    for i in range(18):
        others = [j for j in range(18) if j != i]
        among = {j: float(f[i] @ f[j]) / t for j in others}
        log_all = math.log(sum(map(math.exp, [*logits[i].tolist(), *among.values()])))
        weighted, weight = log_all - float(logits[i, y[i]]), 1.0
        for j in others:
            if y[j] == y[i]:
                weighted, weight = weighted + alpha * (log_all - among[j]), weight + alpha
        total += weighted / weight / 18
    assert gpaco_loss(f, batch[1], logits, alpha, t).item() == pytest.approx(total)


def test_gpaco_loss_of_a_class_without_training_images_is_finite(batch):
    f = unit(batch[0]).requires_grad_()
    logits = torch.zeros(18, 4, dtype=torch.float64)
    logits[:, 3] = -torch.inf
    loss = gpaco_loss(f, batch[1], logits)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(f.grad).all()


SUBCLASSES = torch.tensor(
    [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5, 5, 5]
)  # 4 has 2, 0 has 4


def test_sbcl_loss(batch):
    f, y, t, beta = unit(batch[0]), batch[1].tolist(), 0.2, 0.4
    wide, z = torch.tensor([0.3, 0.5, 0.2], dtype=torch.float64), SUBCLASSES.tolist()

    def contrast(i, positives, everything, temperature):
        if not positives:
            return 0.0
        s = {j: math.exp(float(f[i] @ f[j]) / temperature) for j in everything}
        return np.mean([math.log(sum(s.values()) / s[j]) for j in positives])

    total = 0.0
    for i in range(18):
        others = [j for j in range(18) if j != i]
        outside = [j for j in others if z[j] != z[i]]
        total += contrast(i, [j for j in others if z[j] == z[i]], others, t)
        relatives = [j for j in outside if y[j] == y[i]]
        total += beta * contrast(i, relatives, outside, float(wide[y[i]]))
    assert sbcl_loss(f, batch[1], SUBCLASSES, wide, t, beta).item() == pytest.approx(total / 18)


def test_temperatures_of_sbcl_are_higher_for_wide_classes(batch):
    f, y = batch[0].clone(), batch[1]
    f[y == 1] *= 5
    found = subclass_temperatures(f, y, torch.tensor([3, 2, 1]), 0.1)
    widths = []
    for c in range(3):
        own = f[y == c]
        widths.append(float((own - own.mean(dim=0)).norm(dim=1).mean()) / math.log(len(own) + 10))
    widths = np.clip(widths, *np.percentile(widths, [20, 80]))
    assert found[:2].numpy() == pytest.approx(0.1 * (widths / widths.mean())[:2])
    assert found[1] > found[0]
    assert found[2] == pytest.approx(0.1)  # a single subclass


@pytest.mark.parametrize("dim", [2, 5, 12, 64, 512])
@pytest.mark.parametrize("kappa", [0.0, 0.3, 40.0, 900.0])
def test_proco_logits_are_those_of_scipy(dim, kappa):
    rng = np.random.default_rng(dim)
    z, mu = (unit(torch.from_numpy(rng.normal(size=(4, dim)))) for _ in range(2))
    z = torch.cat([z, mu, -mu])
    t, v = 0.1, dim / 2 - 1

    def log_bessel(x):  # log of I_v(x) / x^v, whose limit at 0 is that of the power series
        if x < 1e-9:
            return -v * math.log(2) - special.gammaln(v + 1)
        if special.ive(v, x) > 0:
            return math.log(special.ive(v, x)) + x - v * math.log(x)
        from mpmath import besseli, log, mpf  # scipy's underflows

        return float(log(besseli(v, mpf(x))) - v * math.log(x))

    for dtype, tolerance in ((torch.float64, 1e-6), (torch.float32, 2e-4)):
        kappas = torch.full((4,), kappa, dtype=dtype)
        found = proco_logits(z.to(dtype), mu.to(dtype), kappas, t)
        for i, x in enumerate(z):
            for c, m in enumerate(mu):
                wanted = log_bessel(float((kappa * m + x / t).norm())) - log_bessel(kappa)
                assert float(found[i, c]) == pytest.approx(wanted, rel=tolerance, abs=tolerance)


def test_proco_logits_are_the_mean_over_samples_of_the_distribution():
    """Rejection-free sampling on the sphere in 3-D, where the cosine has a known distribution."""
    rng = np.random.default_rng(0)
    kappa, t, n = 20.0, 0.4, 400_000
    cosine = 1 + np.log(rng.random(n) * (1 - np.exp(-2 * kappa)) + np.exp(-2 * kappa)) / kappa
    turn = rng.random(n) * 2 * np.pi
    x = np.stack([cosine, *(np.sqrt(1 - cosine**2) * f(turn) for f in (np.cos, np.sin))], axis=1)
    z = unit(torch.tensor([[1.0, 0.4, 0.2], [-0.3, 1.0, 0.0]], dtype=torch.float64))
    mu = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64)
    found = proco_logits(z, mu, torch.tensor([kappa], dtype=torch.float64), t)
    sampled = np.log(np.exp(z.numpy() @ x.T / t).mean(axis=1))
    np.testing.assert_allclose(found[:, 0], sampled, atol=0.01)


def test_the_concentration_of_proco_is_that_of_the_samples():
    means = torch.tensor([[0.0, 0.0, 0.0], [0.9, 0.0, 0.0], [1.0, 0.0, 0.0]])
    assert concentration(means).tolist() == pytest.approx([0, 3 * 0.9 / 0.19, 1e5], rel=1e-5)


def test_class_means_of_proco_forget_the_epoch_before_the_last():
    means = ClassMeans(2, 2)
    zero, one = torch.tensor([0]), torch.tensor([[1.0, 0.0]])
    means.update(one, zero)
    means.next_epoch()
    assert means.update(-one, zero)[0].tolist() == [0, 0]  # both epochs
    means.next_epoch()
    assert means.update(-one, zero).tolist() == [[-1, 0], [0, 0]]


def test_gradients(batch):
    f = batch[0].clone().requires_grad_()
    y = batch[1]
    p = torch.randn(3, 5, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: marginal_loss(unit(x), y), f)
    assert torch.autograd.gradcheck(lambda x: balanced_contrastive_loss(unit(x), y, unit(p)), f)
    assert torch.autograd.gradcheck(lambda x, w: gpaco_loss(unit(x), y, x @ w.T, 0.3), (f, p))
    warm = torch.tensor([0.3, 0.5, 0.2], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: sbcl_loss(unit(x), y, SUBCLASSES, warm), f)
    kappa = torch.tensor([0.0, 7.0, 300.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda x: proco_logits(unit(x), unit(p).detach(), kappa), f)
    slots = torch.tensor([0] * 5 + [1] * 5 + [2] * 5 + [3] * 3)
    classes = torch.tensor([0, 0, 1, 2])
    assert torch.autograd.gradcheck(lambda x: magnet_loss(x, slots, classes)[0], f)
