"""Weights and offsets from validation data."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from clmle.classifiers._base import (
    accuracy_of_scores,
    best_classifier,
    log_softmax,
    restore_classifier,
)
from clmle.classifiers.calibration import balanced_calibration, calibrate
from clmle.classifiers.cluster_vote import ClusterVoteClassifier
from clmle.classifiers.knn import KNNClassifier, PrototypeClassifier
from clmle.classifiers.linear import HeadClassifier, LinearClassifier, OffsetClassifier
from clmle.classifiers.nearest_cluster import ClusterClassifier
from clmle.classifiers.stacked import StackedClassifier


def binary(n=500, rate=0.1, seed=0):
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < rate).astype(int)
    return np.stack([np.zeros(n), 3 * y + 2 * rng.normal(size=n) - 4], axis=1), y


def test_one_score_and_two_classes_is_balanced_logistic_regression():
    scores, y = binary()
    (weight,), offset = balanced_calibration([scores], y)
    d = scores[:, 1] - scores[:, 0]
    peer = LogisticRegression(class_weight="balanced", tol=1e-10).fit(
        ((d - d.mean()) / d.std())[:, None], y
    )
    slope = peer.coef_[0, 0] / d.std()
    assert weight == pytest.approx(slope, rel=1e-3)
    assert offset[1] - offset[0] == pytest.approx(peer.intercept_[0] - slope * d.mean(), rel=1e-3)


def test_weights_of_two_scores_equal_those_of_logistic_regression():
    first, y = binary()
    second = np.stack([np.zeros(len(y)), y + np.random.default_rng(9).normal(size=len(y))], axis=1)
    weights, _ = balanced_calibration([first, second], y)
    x = np.stack([s[:, 1] - s[:, 0] for s in (first, second)], axis=1)
    peer = LogisticRegression(class_weight="balanced", tol=1e-10).fit(
        (x - x.mean(axis=0)) / x.std(axis=0), y
    )
    np.testing.assert_allclose(weights, peer.coef_[0] / x.std(axis=0), rtol=2e-3)


def test_a_score_without_information_has_almost_no_weight():
    rng = np.random.default_rng(1)
    y = rng.integers(0, 5, 2000)
    useful = rng.normal(size=(2000, 5))
    useful[np.arange(2000), y] += 3
    weights, _ = balanced_calibration([useful, rng.normal(size=(2000, 5))], y)
    assert weights[0] > 1
    assert weights[1] < 0.05 * weights[0]


def test_offsets_undo_a_shift_of_many_classes():
    rng = np.random.default_rng(2)
    y = rng.integers(0, 6, 6000)
    scores = rng.normal(size=(6000, 6))
    scores[np.arange(6000), y] += 2
    shift = np.array([3.0, -3, 0, 1, -1, 2])
    before = accuracy_of_scores(y, scores)
    (weight,), offset = balanced_calibration([scores + shift], y)
    after = accuracy_of_scores(y, weight * (scores + shift) + offset)
    assert accuracy_of_scores(y, scores + shift) < before - 0.1
    assert after == pytest.approx(before, abs=0.01)


def test_separable_scores_and_an_absent_class_stay_finite():
    scores = np.array([[5.0, -5, 0], [4, -4, 0], [-5, 5, 0], [-4, 4, 0]])
    weights, offset = balanced_calibration([scores], np.array([0, 0, 1, 1]))
    assert np.isfinite(weights).all()
    assert np.isfinite(offset).all()
    assert ((weights[0] * scores + offset).argmax(axis=1) == [0, 0, 1, 1]).all()


def test_a_restored_stacked_classifier_gives_the_same_scores():
    rng = np.random.default_rng(3)
    centroids = rng.normal(size=(6, 4)).astype(np.float32)
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    clusters = ClusterClassifier(centroids, np.array([0, 0, 0, 1, 1, 1]), 2, "per-class", 8.0, 2)
    features = rng.normal(size=(80, 4))
    logits, labels = rng.normal(size=(80, 2)), rng.integers(0, 2, 80)
    rule = StackedClassifier.fitted(clusters, (features, logits, labels), with_head=True)
    again = restore_classifier(rule.kind, rule.arrays(), rule.chosen())
    np.testing.assert_array_equal(again.scores(features, logits), rule.scores(features, logits))
    alone = StackedClassifier.fitted(clusters, (features, logits, labels), with_head=False)
    assert alone.head_weight == 0
    np.testing.assert_array_equal(
        alone.scores(features, logits), alone.scores(features, log_softmax(logits) * 7)
    )


def test_best_classifier_returns_the_first_of_equally_accurate_ones():
    labels = np.array([0, 0, 0, 1])
    logits = np.array([[1.0, 0], [1, 0], [0, 1], [0.4, 0.5]])
    bad, good, alike = (OffsetClassifier(np.array([0.0, b])) for b in (5.0, 0.0, 0.01))
    validation = (np.empty((4, 0)), logits, labels)
    assert best_classifier([bad, good, alike], validation) is good


def test_offsets_raise_the_balanced_accuracy_of_the_head():
    rng = np.random.default_rng(4)
    labels = (rng.random(400) < 0.1).astype(int)
    logits = np.stack([np.zeros(400), 2 * labels + rng.normal(size=400) - 3], axis=1)
    validation = (np.empty((400, 0)), logits, labels)
    tuned = calibrate(HeadClassifier(), validation, "offsets")
    assert isinstance(tuned, OffsetClassifier)
    before, after = (
        accuracy_of_scores(labels, c.scores(*validation[:2])) for c in (HeadClassifier(), tuned)
    )
    assert after > before + 0.1


def test_calibration_stacks_other_classifiers_without_the_head_and_leaves_stacked_ones():
    rng = np.random.default_rng(5)
    features, labels = rng.normal(size=(60, 3)), rng.integers(0, 2, 60)
    validation = (features, rng.normal(size=(60, 2)), labels)
    knn = KNNClassifier(features, labels, 5, 2)
    assert calibrate(knn, validation, "none") is knn
    tuned = calibrate(knn, validation, "offsets")
    assert isinstance(tuned, StackedClassifier)
    assert tuned.head_weight == 0
    assert calibrate(tuned, validation, "offsets") is tuned


@pytest.mark.parametrize(
    "classifier",
    [
        HeadClassifier(),
        OffsetClassifier(np.array([1.0, -1.0])),
        LinearClassifier(np.eye(3)[:2], np.array([0.0, 0.5]), True, "linear"),
        PrototypeClassifier(np.eye(3), np.array([0, 1, 1])),
        KNNClassifier(np.eye(3), np.array([0, 1, 1]), 2, 2),
        ClusterVoteClassifier(np.eye(3), np.array([0, 1, 1]), 2, "gap", 0.1, 2),
        ClusterClassifier(np.eye(3), np.array([0, 1, 1]), 2, "mean", 8.0, 2, {"between_margin": 1}),
    ],
    ids=lambda classifier: classifier.kind,
)
def test_a_restored_classifier_has_the_same_scores_and_values(classifier):
    again = restore_classifier(classifier.kind, classifier.arrays(), classifier.chosen())
    rng = np.random.default_rng(6)
    features, logits = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    np.testing.assert_array_equal(
        again.scores(features, logits), classifier.scores(features, logits)
    )
    assert again.chosen() == classifier.chosen()
    assert all(np.ndim(value) == 0 or name == "offset" for name, value in again.chosen().items())
