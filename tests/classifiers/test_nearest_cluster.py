"""Nearest-cluster scores against Eq. 10 in plain float64 loops."""

import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clmle import InputError, nearest_cluster_scores, nearest_cluster_terms
from clmle.classifiers.nearest_cluster import decide, predictions_by_neighbors


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
def test_decide_returns_the_class_with_the_largest_score(rule, n_classes):
    rng = np.random.default_rng(0)
    queries, centroids = unit(rng, 50, 6), unit(rng, 200, 6)
    classes = rng.integers(n_classes, size=200)
    near = np.argsort(-(queries @ centroids.T), axis=1)[:, :9]
    similarity = np.take_along_axis(queries @ centroids.T, near, axis=1)
    scores = nearest_cluster_scores(queries, centroids, classes, 9, rule, n_classes=n_classes)
    got = decide(similarity, classes[near], n_classes, rule)
    assert (got == scores.argmax(axis=1)).all()


def test_printed_rule_predicts_the_majority_class_and_the_mean_does_not():
    """24 clusters against 1 at the same distances: as printed, the sum decides."""
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
    monkeypatch.setattr("clmle.classifiers.nearest_cluster.BLOCK", 1)
    np.testing.assert_allclose(nearest_cluster_scores(*arguments), whole, rtol=1e-12)


def test_tensors_give_tensors():
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
def test_error_describes_bad_input(change, message):
    good = {
        "queries": np.eye(3),
        "centroids": np.eye(3),
        "centroid_classes": np.array([0, 1, 1]),
        "n_neighbors": 2,
    }
    with pytest.raises(InputError, match=message):
        nearest_cluster_scores(**(good | change))


def test_decide_equals_eq_10_at_any_scale_and_with_a_single_retrieved_class():
    """Cosines times a large scale, rows of very different size, a row with a single class."""
    rng = np.random.default_rng(4)
    similarity = 64 * rng.uniform(-1, 1, (80, 6)) + rng.uniform(-2000, 2000, (80, 1))
    classes = rng.integers(3, size=(80, 6))
    classes[0] = 2
    for rule in ("printed", "mean"):
        want = []
        for dots, of in zip(similarity, classes, strict=True):
            scores = {}
            for c in set(of.tolist()):
                others = dots[of != c]
                # With one other cluster sum and mean are the same; with none the class wins.
                log_sum = np.logaddexp.reduce(others) if len(others) else -np.inf
                if rule == "mean" and len(others):
                    log_sum -= math.log(len(others))
                scores[c] = dots[of == c].min() - log_sum
            want.append(max(scores, key=lambda c: scores[c]))
        for n_classes in (3, 1000):
            with warnings.catch_warnings(action="error"):  # for the row with a single class
                assert decide(similarity, classes, n_classes, rule).tolist() == want
    alone, many = np.array([[0.5, 0.45, 0.45, 0.45]]), np.array([[0, 1, 1, 1]])
    for n_classes in (3, 1000):  # the mean unless asked otherwise
        assert decide(alone, many, n_classes).tolist() == [0]
        assert decide(alone, many, n_classes, "printed").tolist() == [1]


def test_terms_contain_every_retrieved_cluster():
    rng = np.random.default_rng(2)
    centroids, classes = unit(rng, 10, 4), np.array([0, 1] * 5)
    terms = nearest_cluster_terms(centroids[3], centroids, classes, 2, "per-class")
    assert sorted(terms["classes"].tolist()) == [0, 0, 1, 1]
    assert terms["classes"].tolist() == classes[terms["clusters"]].tolist()
    want = naive(centroids[3], centroids, classes, 2, "per-class", 1.0, 2)
    np.testing.assert_allclose(terms["scores"], want)
    printed = nearest_cluster_terms(centroids[3], centroids, classes, 4)
    want = naive(centroids[3], centroids, classes, 4, "printed", 1.0, 2)
    np.testing.assert_allclose(printed["scores"], want)


def test_integers_and_all_float_types_are_accepted():
    assert nearest_cluster_scores([[1, 0]], [[1, 0], [0, 1]], [0, 1], 2).tolist() == [[1, -1]]
    got = nearest_cluster_scores(np.eye(2, dtype=np.float32), np.eye(2), [0, 1], 2)
    assert got.dtype == np.float32
    half = nearest_cluster_scores(torch.eye(2).half(), torch.eye(2), torch.tensor([0, 1]), 2)
    assert half.dtype == torch.float32


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"queries": [["a", "b", "c"]]}, "queries must be real numbers"),
        ({"queries": np.ones(3)}, "queries"),
        ({"queries": torch.ones(1, 3, dtype=torch.complex64)}, "queries must be real numbers, but"),
        ({"centroids": [["a", "b", "c"]]}, "centroids must be real numbers"),
        ({"centroid_classes": ["a", "b", "c"]}, "centroid_classes must be real numbers"),
        ({"centroid_classes": np.array([0.0, 1.0, 1.0])}, "centroid_classes"),
        (
            {"centroid_classes": np.array([0, 1, -1])},
            "centroid_classes must name the class, from 0, of each of the 3 centroids; "
            "at least one is needed.",
        ),
        ({"n_neighbors": 0}, "n_neighbors is 0, but must be a whole number of 1 or more."),
        ({"n_classes": 1.5}, "n_classes is 1.5, but must be a whole number."),
        ({"scale": 0.0}, "scale is 0.0, but must be a finite number above 0."),
        ({"rule": "best"}, "rule is 'best'; choose one of: printed, mean, per-class."),
        (
            {"queries": np.full((1, 3), np.nan)},
            "queries or centroids hold NaN, infinity or values whose products overflow; "
            "clean them, and divide rows by their length.",
        ),
    ],
)
def test_error_message_is_one_sentence(change, sentence):
    good = {"queries": np.eye(3), "centroids": np.eye(3), "centroid_classes": np.array([0, 1, 1]),
            "n_neighbors": 2}  # fmt: skip
    with pytest.raises(InputError) as error:
        nearest_cluster_scores(**(good | change))
    assert str(error.value).startswith(sentence)


def test_error_describes_a_query_that_is_not_an_array():
    with pytest.raises(InputError, match=r"^query must be real numbers"):
        nearest_cluster_terms(["a"], np.eye(3), [0, 1, 1], 2)


def test_class_numbers_far_beyond_the_number_of_centroids_are_refused(monkeypatch):
    monkeypatch.setattr("clmle.classifiers.nearest_cluster.MANY_CLASSES", 250)
    x = np.eye(3)
    decided = nearest_cluster_scores(x, x, np.array([0, 1, 299]), 1)  # 100 per centroid: allowed
    assert decided.shape == (3, 300)
    with pytest.raises(InputError) as reported:
        nearest_cluster_scores(x, x, np.array([0, 1, 1500]), 1)
    assert str(reported.value) == (
        "Classes are numbered up to 1,500, but there are only 3 centroids; "
        "number them from 0 without gaps."
    )
    with pytest.raises(InputError, match="numbered up to 300,"):
        nearest_cluster_scores(x, x, np.array([0, 1, 300]), 1)
    monkeypatch.setattr(
        "clmle.classifiers.nearest_cluster.MANY_CLASSES", 400
    )  # whichever is larger
    assert nearest_cluster_scores(x, x, np.array([0, 1, 399]), 1).shape == (3, 400)


def test_sparse_tensors_are_refused():
    x = torch.eye(3)
    with pytest.raises(InputError, match=r"^centroids must be a dense tensor"):
        nearest_cluster_scores(x, x.to_sparse(), np.arange(3), 1)


@pytest.mark.parametrize("rule", ["printed", "mean", "per-class"])
@pytest.mark.parametrize("n_classes", [2, 7])
def test_predictions_for_many_n_are_those_of_each_n(rule, n_classes):
    rng = np.random.default_rng(0)
    queries, mu = unit(rng, 300, 6), unit(rng, 60, 6)
    classes = rng.integers(0, n_classes - 1, 60)  # the last class has no cluster
    numbers = [1, 2, 3, 5, 10, 40, 60]
    given = mu, classes
    found = predictions_by_neighbors(queries, *given, numbers, rule, scale=8, n_classes=n_classes)
    for n, predicted in zip(numbers, found, strict=True):
        scores = nearest_cluster_scores(queries, *given, n, rule, scale=8, n_classes=n_classes)
        np.testing.assert_array_equal(predicted, scores.argmax(axis=1))


def test_the_terms_of_a_tensor_are_those_of_an_array():
    rng = np.random.default_rng(0)
    mu, classes = unit(rng, 5, 3), np.array([0, 0, 1, 1, 2])
    wanted = nearest_cluster_terms(mu[0], mu, classes, 3)
    found = nearest_cluster_terms(torch.from_numpy(mu[0]), *map(torch.from_numpy, (mu, classes)), 3)
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name], values)
