"""The loss against Eq. 9 written out in float64 loops."""

import math
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clmle import InputError, clmle_loss, cluster_loss, inverse_frequency_weights


def naive(features, slots, classes, a1, a2, weights, scale, denominator, centroids=None):
    """Eq. 9, sample by sample and cluster by cluster, in Python's floats."""
    f = [[float(v) for v in row] for row in features]
    present = sorted(set(slots)) if centroids is None else range(len(classes))
    means = {}
    for m in present:
        rows = [f[i] for i in range(len(f)) if slots[i] == m]
        means[m] = (
            [sum(column) / len(rows) for column in zip(*rows, strict=True)]
            if centroids is None
            else [float(v) for v in centroids[m]]
        )
    losses = []
    for i, row in enumerate(f):
        m = slots[i]
        dots = {k: sum(a * b for a, b in zip(row, means[k], strict=True)) for k in present}
        margin2 = a2 if isinstance(a2, float) else float(a2[classes[m]])
        total = 0.0
        for margin, others in (
            (a1, [k for k in present if classes[k] != classes[m]]),
            (margin2, [k for k in present if k != m and classes[k] == classes[m]]),
        ):
            if others:
                spread = sum(math.exp(scale * dots[k]) for k in others)
                if denominator == "mean":
                    spread /= len(others)
                ratio = math.exp(scale * (dots[m] - margin)) / spread
                total += max(0.0, -math.log(ratio))
        losses.append(weights[i] * total)
    return losses


def batch(seed, n, m, n_classes, d=5):
    g = torch.Generator().manual_seed(seed)
    features = torch.nn.functional.normalize(
        torch.randn(n, d, generator=g, dtype=torch.float64), dim=1
    )
    slots = torch.randint(m, (n,), generator=g)
    classes = torch.randint(n_classes, (m,), generator=g)
    return features, slots, classes


@settings(deadline=None, max_examples=80)
@given(
    seed=st.integers(0, 10**6),
    n=st.integers(1, 20),
    m=st.integers(1, 6),
    n_classes=st.integers(1, 4),
    scale=st.sampled_from([1.0, 8.0]),
    denominator=st.sampled_from(["sum", "mean"]),
    per_class=st.booleans(),
    given_centroids=st.booleans(),
)
def test_loss_is_eq_9(seed, n, m, n_classes, scale, denominator, per_class, given_centroids):
    features, slots, classes = batch(seed, n, m, n_classes)
    a2 = torch.linspace(0.05, 0.4, n_classes, dtype=torch.float64) if per_class else 0.2
    centroids = torch.randn(m, 5, dtype=torch.float64) if given_centroids else None
    weights = torch.rand(n, dtype=torch.float64) + 0.1
    want = naive(
        features, slots.tolist(), classes.tolist(), 0.3, a2, weights.tolist(), scale,
        denominator, centroids,
    )  # fmt: skip
    options = {"sample_weight": weights, "scale": scale, "denominator": denominator}
    options |= {"centroids": centroids}
    each = clmle_loss(features, slots, classes, 0.3, a2, reduction="none", **options)
    torch.testing.assert_close(each, torch.tensor(want, dtype=torch.float64), rtol=1e-9, atol=1e-9)
    mean = clmle_loss(features, slots, classes, 0.3, a2, **options)
    assert float(mean) == pytest.approx(sum(want) / n, rel=1e-9, abs=1e-9)
    total = clmle_loss(features, slots, classes, 0.3, a2, reduction="sum", **options)
    assert float(total) == pytest.approx(sum(want), rel=1e-9, abs=1e-9)
    single = clmle_loss(features.float(), slots, classes, 0.3, a2, **options)
    assert float(single) == pytest.approx(sum(want) / n, rel=2e-5, abs=1e-5)


@pytest.mark.parametrize("denominator", ["sum", "mean"])
def test_gradients_flow_through_the_batch_centroids(denominator):
    features, slots, classes = batch(3, 9, 3, 2)
    features.requires_grad_()

    def loss(f):
        return clmle_loss(f, slots, classes, 0.5, 0.3, scale=4.0, denominator=denominator)

    assert torch.autograd.gradcheck(loss, (features,))
    (through,) = torch.autograd.grad(loss(features), features)
    fixed = torch.stack([features[slots == m].mean(dim=0) for m in range(3)]).detach()
    held = clmle_loss(
        features, slots, classes, 0.5, 0.3, scale=4.0, denominator=denominator, centroids=fixed
    )
    (around,) = torch.autograd.grad(held, features)
    assert not torch.allclose(through, around)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize(("n", "m", "n_classes"), [(1, 1, 1), (6, 1, 1), (6, 3, 1), (0, 2, 2)])
def test_degenerate_batches_are_finite(dtype, n, m, n_classes):
    features, slots, classes = batch(0, n, m, n_classes)
    f = features.to(dtype).requires_grad_()
    loss = clmle_loss(f, slots, classes, 0.5, 0.5, scale=64.0)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(f.grad).all()


def test_autocast_does_not_change_the_loss():
    features, slots, classes = batch(1, 40, 6, 2, d=64)
    f = features.float()
    exact = clmle_loss(f, slots, classes, 0.3, 0.1, scale=16.0)
    with torch.autocast("cpu", torch.bfloat16):
        cast = clmle_loss(f, slots, classes, 0.3, 0.1, scale=16.0)
    torch.testing.assert_close(cast, exact)


def test_separated_clusters_have_loss_zero():
    f = torch.eye(4)
    assert clmle_loss(f, torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1]), 0.2, 0.1) == 0


def test_eq_8_is_eq_9_with_every_cluster_a_class():
    features, slots, _ = batch(5, 12, 4, 1)
    want = naive(features, slots.tolist(), [0, 1, 2, 3], 0.4, 0.0, [1.0] * 12, 1.0, "sum")
    got = cluster_loss(features, slots, 4, 0.4, reduction="none")
    torch.testing.assert_close(got, torch.tensor(want, dtype=torch.float64))


def test_margins_of_classes_may_be_a_plain_list():
    features, slots, classes = batch(7, 12, 4, 3)
    a = clmle_loss(features, slots, classes, 0.3, [0.1, 0.2, 0.3])
    b = clmle_loss(features, slots, classes, 0.3, torch.tensor([0.1, 0.2, 0.3]).double())
    torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-6)


def test_weights_give_every_class_the_same_total_and_mean_one():
    classes = torch.tensor([0] * 30 + [2] * 10 + [5])
    weights = inverse_frequency_weights(classes)
    totals = torch.stack([weights[classes == c].sum() for c in (0, 2, 5)])
    torch.testing.assert_close(totals, totals[:1].expand(3))
    assert float(weights.mean()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": torch.ones(3)}, "features"),
        ({"clusters": torch.tensor([0, 1])}, "clusters"),
        ({"clusters": torch.tensor([0, 1, 7])}, "clusters must be from 0 to 1"),
        ({"cluster_classes": torch.tensor([0.0, 1.0])}, "cluster_classes"),
        ({"scale": 0.0}, "scale"),
        ({"denominator": "max"}, "denominator"),
        ({"reduction": "median"}, "reduction"),
        ({"centroids": torch.ones(5, 3)}, "centroids"),
        ({"within_margin": torch.tensor([0.1])}, "within_margin"),
    ],
)
def test_error_names_the_bad_argument(change, message):
    assert re.search(message, message_for(**change))


def message_for(**change):
    """The message for an input that is valid except for ``change``."""
    good = {
        "features": torch.eye(3),
        "clusters": torch.tensor([0, 1, 1]),
        "cluster_classes": torch.tensor([0, 1]),
        "between_margin": 0.1,
        "within_margin": 0.1,
    }
    with pytest.raises(InputError) as error:
        clmle_loss(**(good | change))
    return str(error.value)


def test_errors_are_whole_sentences():
    assert message_for(sample_weight=torch.ones(2)) == (
        "sample_weight must hold one weight for each of the 3 rows, but has shape (2,)."
    )
    for shape in ((2, 2), (1, 2, 2)):
        assert message_for(within_margin=torch.zeros(shape)) == (
            f"within_margin must be one real number, or (C,) of them, but has shape {shape}."
        )
    assert "but has shape ()." in message_for(within_margin=1j)
    assert message_for(cluster_classes=torch.tensor([[0, 1]])) == (
        "cluster_classes must be (M,) whole numbers, the class of each cluster."
    )
    assert message_for(clusters=torch.tensor([0, 1, 2])) == (
        "clusters must be from 0 to 1, but hold 0 to 2."
    )
    assert message_for(features=torch.full((3, 3), math.nan)) == (
        "The loss is not finite: features, centroids, margins or weights hold NaN or infinity, "
        "or overflow; if a training has diverged, lower learning_rate."
    )
    for name in ("between_margin", "within_margin", "within_weight"):
        assert message_for(**{name: math.nan}).startswith(f"{name} is nan, but must be")
    assert message_for(scale=-1.0).startswith("scale is -1.0, but must be")


def test_defaults_are_those_of_the_paper():
    features, slots, classes = batch(5, 12, 4, 2)
    want = naive(features, slots.tolist(), classes.tolist(), 0.4, 0.3, [1.0] * 12, 1.0, "sum")
    mean = torch.tensor(sum(want) / 12, dtype=torch.float64)
    torch.testing.assert_close(clmle_loss(features, slots, classes, 0.4, 0.3), mean)
    torch.testing.assert_close(
        cluster_loss(features, slots, 4, 0.4), clmle_loss(features, slots, torch.arange(4), 0.4, 0)
    )


def test_eq_8_passes_on_every_option():
    features, slots, _ = batch(7, 12, 4, 2)
    weights, centroids = torch.linspace(0.1, 2, 12).double(), torch.eye(4, 5).double()
    given = {"sample_weight": weights, "centroids": centroids}
    options = {"scale": 3.0, "denominator": "mean", "reduction": "sum"}
    torch.testing.assert_close(
        cluster_loss(features, slots, 4, 0.4, **given, **options),
        clmle_loss(features, slots, torch.arange(4), 0.4, 0.0, **given, **options),
    )


def test_eq_8_of_one_cluster_is_zero_and_of_none_an_error():
    features = torch.eye(3)
    assert cluster_loss(features, torch.zeros(3, dtype=torch.long), 1, 0.4) == 0
    with pytest.raises(InputError, match=r"^n_clusters is 0, but must be a whole number of 1"):
        cluster_loss(features, torch.zeros(3, dtype=torch.long), 0, 0.4)


def test_a_term_without_other_clusters_is_zero():
    features, slots, _ = batch(5, 12, 2, 1)
    one_class = torch.zeros(2, dtype=torch.long)
    apart = torch.arange(2)
    assert clmle_loss(features, slots, one_class, 5.0, 0.0, within_weight=0.0) == 0
    assert clmle_loss(features, slots, apart, -5.0, 5.0) == 0


def test_weights_keep_the_type_of_the_features():
    features, slots, classes = batch(5, 12, 4, 2)
    weights = torch.linspace(0.1, 2, 12).half()
    got = clmle_loss(features, slots, classes, 0.4, 0.3, sample_weight=weights)
    want = clmle_loss(features, slots, classes, 0.4, 0.3, sample_weight=weights.double())
    assert got == want
    single = clmle_loss(features.float(), slots, classes, 0.4, 0.3, sample_weight=weights.double())
    assert single.dtype == torch.float32


@pytest.mark.parametrize(
    "name", ["features", "clusters", "cluster_classes", "centroids", "sample_weight"]
)
def test_error_names_a_sparse_tensor(name):
    given_ = {
        "features": torch.eye(3),
        "clusters": torch.arange(3),
        "cluster_classes": torch.tensor([0, 1, 1]),
        "between_margin": 0.3,
        "within_margin": 0.1,
        "centroids": torch.eye(3),
        "sample_weight": torch.ones(3),
    }
    clmle_loss(**given_)
    with pytest.raises(InputError, match=f"^{name} must be a dense tensor"):
        clmle_loss(**given_ | {name: given_[name].to_sparse()})


def test_mean_of_one_sample_is_its_loss():
    one = (torch.eye(2)[:1], torch.tensor([1]), torch.tensor([0, 1]), 0.3, 0.1)
    mean, total = (
        clmle_loss(*one, centroids=torch.eye(2), reduction=how) for how in ("mean", "sum")
    )
    assert mean == total > 0


@pytest.mark.parametrize("within", [0.2, [0.1, 0.2, 0.3]])
def test_leading_dimensions_are_independent_tasks(within):
    batches = [batch(seed, 9, 4, 3) for seed in (1, 2)]
    options = {"scale": 3.0, "denominator": "mean", "reduction": "none"}
    stacked = [torch.stack(tensors) for tensors in zip(*batches, strict=True)]
    together = clmle_loss(*stacked, 0.3, within, **options)
    apart = [clmle_loss(*one, 0.3, within, **options) for one in batches]
    torch.testing.assert_close(together, torch.stack(apart))


def test_unchecked_arguments_give_the_same_loss():
    features, slots, classes = batch(5, 12, 4, 2)
    checked = clmle_loss(features, slots, classes, 0.4, 0.3)
    assert clmle_loss(features, slots, classes, 0.4, 0.3, validate=False) == checked


def test_weights_of_several_batches_are_those_of_each_batch_over_its_known_samples():
    classes = torch.tensor([[0, 0, 0, 1, 2], [2, 2, 1, 1, 0]])
    known = torch.tensor([[1, 1, 0, 1, 0], [1, 1, 1, 0, 1]]).bool()
    got = inverse_frequency_weights(classes, 3, known)
    for a in range(2):
        want = inverse_frequency_weights(classes[a][known[a]])
        torch.testing.assert_close(got[a][known[a]], want)
