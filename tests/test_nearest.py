"""The nearest-cluster rule against Eq. 10 written out in float64 loops."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clmle import InputError, nearest_cluster_scores, nearest_cluster_terms
from clmle.nearest import decide


def naive(query, centroids, classes, n, rule, scale, n_classes):
    """Eq. 10, term by term."""
    dots = [sum(a * b for a, b in zip(query, mu, strict=True)) for mu in centroids]

    def nearest(members):
        return sorted(members, key=lambda k: -dots[k])[:n]

    if rule == "per-class":
        retrieved = [
            k
            for c in range(n_classes)
            for k in nearest([k for k in range(len(dots)) if classes[k] == c])
        ]
    else:
        retrieved = nearest(range(len(dots)))
    scores = []
    for c in range(n_classes):
        mine = [k for k in retrieved if classes[k] == c]
        others = [k for k in retrieved if classes[k] != c]
        if not mine:
            scores.append(-math.inf)
        elif not others:
            scores.append(math.inf)
        else:
            top = min(scale * dots[k] for k in mine)
            total = sum(math.exp(scale * dots[k]) for k in others)
            scores.append(top - math.log(total / (1 if rule == "printed" else len(others))))
    return scores


def unit(rng, *shape):
    x = rng.normal(size=shape)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    k=st.integers(1, 12),
    n=st.integers(1, 15),
    n_classes=st.integers(1, 5),
    scale=st.sampled_from([1.0, 8.0, 64.0]),
    rule=st.sampled_from(["printed", "mean", "per-class"]),
)
def test_scores_are_eq_10(seed, k, n, n_classes, scale, rule):
    rng = np.random.default_rng(seed)
    queries, centroids = unit(rng, 3, 4), unit(rng, k, 4) * rng.uniform(0.2, 1, (k, 1))
    classes = rng.integers(n_classes, size=k)
    got = nearest_cluster_scores(
        queries, centroids, classes, n, rule, scale=scale, n_classes=n_classes
    )
    want = [naive(q, centroids, classes, n, rule, scale, n_classes) for q in queries]
    np.testing.assert_allclose(got, np.array(want), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("rule", ["printed", "mean"])
@pytest.mark.parametrize("n_classes", [3, 100])
def test_decide_names_the_class_with_the_largest_score(rule, n_classes):
    rng = np.random.default_rng(0)
    queries, centroids = unit(rng, 50, 6), unit(rng, 200, 6)
    classes = rng.integers(n_classes, size=200)
    near = np.argsort(-(queries @ centroids.T), axis=1)[:, :9]
    similarity = np.take_along_axis(queries @ centroids.T, near, axis=1)
    scores = nearest_cluster_scores(queries, centroids, classes, 9, rule, n_classes=n_classes)
    got = decide(similarity, classes[near], n_classes, rule)
    assert (got == scores.argmax(axis=1)).all()


def test_printed_rule_collapses_to_the_majority_and_the_mean_does_not():
    """24 clusters against 1 at the same distances: the sum decides as printed."""
    rng = np.random.default_rng(0)
    majority = unit(rng, 24, 8) * 0.3 + np.eye(8)[0]
    minority = np.eye(8)[1:2]
    centroids = np.concatenate([majority, minority])
    classes = np.array([0] * 24 + [1])
    queries = unit(rng, 200, 8) * 0.2 + np.eye(8)[1]
    printed = nearest_cluster_scores(queries, centroids, classes, 25, "printed").argmax(axis=1)
    mean = nearest_cluster_scores(queries, centroids, classes, 25, "mean").argmax(axis=1)
    assert printed.mean() < 0.05
    assert mean.mean() > 0.95


def test_results_do_not_depend_on_the_block_size(monkeypatch):
    rng = np.random.default_rng(1)
    arguments = unit(rng, 40, 5), unit(rng, 30, 5), rng.integers(3, size=30), 10, "mean"
    whole = nearest_cluster_scores(*arguments)
    monkeypatch.setattr("clmle.nearest.BLOCK", 1)
    np.testing.assert_allclose(nearest_cluster_scores(*arguments), whole, rtol=1e-12)


def test_tensors_in_tensors_out():
    scores = nearest_cluster_scores(torch.eye(3), torch.eye(3), torch.tensor([0, 1, 1]), 2)
    assert isinstance(scores, torch.Tensor)
    assert scores.dtype == torch.float32
    assert scores.shape == (3, 2)


def test_terms_explain_the_scores():
    rng = np.random.default_rng(2)
    centroids, classes = unit(rng, 10, 4), rng.integers(2, size=10)
    terms = nearest_cluster_terms(centroids[3], centroids, classes, 4, "mean")
    assert terms["clusters"][0] == 3
    assert (np.diff(terms["similarity"]) <= 0).all()
    want = naive(centroids[3], centroids, classes, 4, "mean", 1.0, 2)
    np.testing.assert_allclose(terms["scores"], want)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rule": "best"}, "rule"),
        ({"n_neighbors": 0}, "n_neighbors"),
        ({"centroids": np.eye(4)}, "same d"),
        ({"centroid_classes": np.array([0])}, "centroid_classes"),
        ({"scale": 0.0}, "scale"),
        ({"n_classes": 1}, "n_classes"),
    ],
)
def test_bad_input_is_named(change, message):
    good = {
        "queries": np.eye(3),
        "centroids": np.eye(3),
        "centroid_classes": np.array([0, 1, 1]),
        "n_neighbors": 2,
    }
    with pytest.raises(InputError, match=message):
        nearest_cluster_scores(**(good | change))
