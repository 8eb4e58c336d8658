"""Eq. 9 against the stored centroids nearest to each sample: a float64 loop is the oracle."""

import math

import pytest
import torch
import torch.nn.functional as F

from clmle import InputError, clmle_loss


def example(seed=0, n=14, k=9, d=5, tasks=0):
    """Unit features, labels of three classes, unit centroids and their classes."""
    draw = torch.Generator().manual_seed(seed)
    front = (tasks,) if tasks else ()
    features = torch.randn(*front, n, d, generator=draw, dtype=torch.float64)
    centroids = torch.randn(*front, k, d, generator=draw, dtype=torch.float64)
    labels = torch.arange(n).remainder(3).expand(*front, n)
    classes = torch.arange(k).remainder(3).expand(*front, k)
    return F.normalize(features, dim=-1), labels, F.normalize(centroids, dim=-1), classes


def plain(f, labels, centroids, classes, a1, a2=0.0, scale=8.0, n=6, own=None, weight=0.0,
          denominator="mean"):  # fmt: skip
    """Loss of each sample, cluster by cluster."""
    losses = []
    for i in range(len(f)):
        cosine = [float(f[i] @ c) for c in centroids]
        family = [k for k in range(len(classes)) if classes[k] == labels[i]]
        foreign = [k for k in range(len(classes)) if classes[k] not in (-1, labels[i])]
        mine = max(family, key=lambda k: cosine[k]) if own is None else int(own[i])
        margin = a1 if isinstance(a1, float) else float(a1[i])
        within = a2 if isinstance(a2, float) else float(a2[labels[i]])
        siblings = [k for k in family if k != mine]
        lost = 0.0
        for group, bound, times in ((foreign, margin, 1.0), (siblings, within, weight)):
            nearest = sorted((cosine[k] for k in group), reverse=True)[:n]
            if not nearest:
                continue
            total = sum(math.exp(scale * c) for c in nearest)
            total /= len(nearest) if denominator == "mean" else 1
            lost += times * max(0.0, scale * (bound - cosine[mine]) + math.log(total))
        losses.append(lost)
    return torch.tensor(losses, dtype=torch.float64)


def nearest_loss(f, labels, centroids, classes, a1, a2=0.0, *, own=None, **options):
    """Eq. 9 against nearest clusters, with the defaults of the method."""
    defaults = {"scale": 8.0, "denominator": "mean", "n_negative_clusters": 6, "within_weight": 0.0}
    return clmle_loss(
        f, own, classes, a1, a2, labels=labels, centroids=centroids, reduction="none",
        **(defaults | options),
    )  # fmt: skip


def close(got, want):
    torch.testing.assert_close(got, want, rtol=1e-11, atol=1e-11)


def test_loss_is_eq_9_over_the_nearest_clusters():
    f, labels, centroids, classes = example(k=12)
    got = nearest_loss(f, labels, centroids, classes, 0.4)
    close(got, plain(f, labels, centroids, classes, 0.4))
    close(nearest_loss(f, labels, centroids, classes, 0.4, 0.9), got)
    two = nearest_loss(f, labels, centroids, classes, 0.4, within_weight=1.0)
    close(two, plain(f, labels, centroids, classes, 0.4, weight=1.0))


@pytest.mark.parametrize("block", [1, 4, 5, 1 << 16])
@pytest.mark.parametrize("n", [1, 2, 20])
def test_any_number_of_clusters_and_any_block_size(n, block, monkeypatch):
    monkeypatch.setattr("clmle.losses.clmle.BLOCK", block)
    f, labels, centroids, classes = example(seed=n)
    a1 = torch.linspace(-0.2, 0.9, len(f), dtype=torch.float64)
    got = nearest_loss(
        f, labels, centroids, classes, a1, 0.2, scale=3.0, n_negative_clusters=n, within_weight=0.7
    )
    want = plain(f, labels, centroids, classes, a1, 0.2, scale=3.0, n=n, weight=0.7)
    close(got, want)


def test_a_cluster_of_a_negative_class_is_ignored():
    f, labels, centroids, classes = example()
    classes = torch.where(torch.arange(len(classes)) < 3, -1, classes)
    got = nearest_loss(f, labels, centroids, classes, 0.3, 0.1, within_weight=1.0)
    close(got, plain(f, labels, centroids, classes, 0.3, 0.1, weight=1.0))
    got = nearest_loss(f, labels, centroids[3:], classes[3:], 0.3, 0.1, within_weight=1.0)
    close(got, plain(f, labels, centroids, classes, 0.3, 0.1, weight=1.0))


def test_a_class_with_one_cluster_has_no_within_class_term():
    f, labels, centroids, _ = example(k=4)
    classes = torch.tensor([0, 1, 2, 2])
    alone = labels < 2
    first = nearest_loss(f, labels, centroids, classes, 0.3, 0.9)
    both = nearest_loss(f, labels, centroids, classes, 0.3, 0.9, within_weight=2.0)
    close(both[alone], first[alone])
    assert (both[~alone] > first[~alone]).all()


@pytest.mark.parametrize("block", [2, 1 << 16])
@pytest.mark.parametrize("own", [False, True])
def test_leading_dimensions_are_independent_tasks(own, block, monkeypatch):
    monkeypatch.setattr("clmle.losses.clmle.BLOCK", block)
    f, labels, centroids, classes = example(tasks=3, n=7)
    labels = torch.stack([labels[a].roll(a) for a in range(3)])
    a2 = torch.tensor([0.1, 0.5, 0.3], dtype=torch.float64)
    number = labels + 3 if own else None  # the second cluster of one's class
    options = {"scale": 4.0, "n_negative_clusters": 2, "within_weight": 0.5}
    got = nearest_loss(f, labels, centroids, classes, 0.3, a2, own=number, **options)
    for a in range(3):
        want = plain(f[a], labels[a], centroids[a], classes[a], 0.3, a2, scale=4.0, n=2,
                     weight=0.5, own=number[a] if own else None)  # fmt: skip
        close(got[a], want)


def test_within_margins_may_differ_between_tasks():
    f, labels, centroids, classes = example(tasks=2, n=6)
    a2 = torch.tensor([[0.1, 0.9, 0.4], [0.8, 0.0, 0.2]], dtype=torch.float64)
    got = nearest_loss(f, labels, centroids, classes, 0.3, a2, within_weight=1.0)
    for a in range(2):
        want = plain(f[a], labels[a], centroids[a], classes[a], 0.3, a2[a], weight=1.0)
        close(got[a], want)


def test_centroids_are_converted_to_the_precision_of_the_features():
    f, labels, centroids, classes = example()
    got = nearest_loss(f, labels, centroids.float(), classes, 0.3, 0.2, within_weight=1.0)
    assert got.dtype == torch.float64
    want = plain(f, labels, centroids.float().double(), classes, 0.3, 0.2, weight=1.0)
    close(got, want)
    single = nearest_loss(f.float(), labels, centroids, classes, 0.3, 0.2, within_weight=1.0)
    assert single.dtype == torch.float32
    torch.testing.assert_close(single.double(), want, atol=1e-5, rtol=1e-5)


def test_gradient_is_that_of_finite_differences():
    f, labels, centroids, classes = example(n=4)
    centroids.requires_grad_()
    raw = f.clone().requires_grad_()

    def loss(x):
        return nearest_loss(
            x, labels, centroids.detach(), classes, 0.9, 0.9, scale=2.0, within_weight=0.5
        )

    assert torch.autograd.gradcheck(loss, raw)


def test_what_the_search_needs_is_named():
    f, labels, centroids, classes = example()
    for missing, message in (
        ({"centroids": None}, "^The nearest clusters are searched among centroids"),
        ({"labels": None}, "^clusters is None; give labels and n_negative_clusters too"),
        ({"n_negative_clusters": None}, "^clusters is None; give labels"),
        ({"n_negative_clusters": 0}, "^n_negative_clusters is 0, but must be"),
        ({"labels": labels[1:]}, "^labels must hold a whole number for each of the 14 rows"),
        ({"labels": labels + 1}, "^labels hold class 3, which has no cluster."),
    ):
        given = {"centroids": centroids, "labels": labels, "n_negative_clusters": 2} | missing
        with pytest.raises(InputError, match=message):
            clmle_loss(f, None, classes, 0.3, 0.1, **given)


def test_all_clusters_as_negatives_give_the_loss_of_stored_centroids():
    f, labels, centroids, classes = example()
    own = labels + 3
    options = {"scale": 3.0, "centroids": centroids, "within_weight": 0.5, "reduction": "none"}
    want = clmle_loss(f, own, classes, 0.3, 0.2, **options)
    close(clmle_loss(f, own, classes, 0.3, 0.2, n_negative_clusters=9, **options), want)


def test_a_between_margin_for_each_sample_has_to_fit_the_batch():
    f, labels, centroids, classes = example()
    for margin, message in (
        (torch.zeros(3), r"between_margin must be one real number, .* but has shape \(3,\)."),
        ([0.1, 0.2], "between_margin must be a tensor, not list."),
    ):
        with pytest.raises(InputError, match=f"^{message}"):
            nearest_loss(f, labels, centroids, classes, margin)
