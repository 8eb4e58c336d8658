"""Classification metrics against scikit-learn and an explicit bootstrap."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from clmle import InputError
from clmle.metrics import classification_metrics, shot_accuracy
from clmle.metrics.intervals import mean_of_proportions


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10**6), st.integers(5, 80), st.integers(2, 5))
def test_metrics_match_scikit_learn(seed, n, n_classes):
    rng = np.random.default_rng(seed)
    labels = rng.integers(n_classes, size=n)
    labels[:n_classes] = np.arange(n_classes)
    scores = rng.normal(size=(n, n_classes)) + np.eye(n_classes)[labels]
    got = classification_metrics(labels, scores)
    predicted = scores.argmax(axis=1)
    assert got["balanced_accuracy"] == pytest.approx(
        metrics.balanced_accuracy_score(labels, predicted)
    )
    assert got["accuracy"] == pytest.approx(metrics.accuracy_score(labels, predicted))
    assert got["mcc"] == pytest.approx(metrics.matthews_corrcoef(labels, predicted), abs=1e-9)
    np.testing.assert_allclose(
        got["recall"], metrics.recall_score(labels, predicted, average=None, zero_division=0)
    )
    assert got["confusion"] == metrics.confusion_matrix(labels, predicted).tolist()
    if n_classes == 2:
        margin = scores[:, 1] - scores[:, 0]
        assert got["roc_auc"] == pytest.approx(metrics.roc_auc_score(labels, margin))
        assert got["average_precision"] == pytest.approx(
            metrics.average_precision_score(labels, margin)
        )


def test_interval_matches_a_bootstrap_of_images_within_classes():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], [900, 60])
    scores = rng.normal(size=(960, 2)) + 1.2 * np.eye(2)[labels]
    got = classification_metrics(labels, scores)["interval"]
    right = scores.argmax(axis=1) == labels
    draws = []
    for _ in range(2000):
        recall = [
            rng.choice(right[labels == c], (labels == c).sum(), replace=True).mean() for c in (0, 1)
        ]
        draws.append(np.mean(recall))
    np.testing.assert_allclose(got, np.quantile(draws, [0.025, 0.975]), atol=0.01)


@pytest.mark.parametrize("n", [(2, 2), (5, 2), (200, 6)])
def test_interval_covers_the_true_balanced_accuracy_of_few_images(n):
    rng = np.random.default_rng(1)
    recall = rng.uniform(size=(2000, 2))
    spans = [mean_of_proportions(rng.binomial(n, r), np.array(n)) for r in recall]
    covered = [a <= r.mean() <= b for r, (a, b) in zip(recall, spans, strict=True)]
    assert 0.93 < np.mean(covered) < 0.98


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=5))
def test_interval_stays_between_0_and_1_and_always_has_a_width(counts):
    hits, more = np.array(counts).T
    if (hits + more).any():
        low, high = mean_of_proportions(hits, hits + more)
        assert -1e-12 <= low < high <= 1 + 1e-12


def test_infinite_scores_and_absent_classes_are_accepted():
    scores = np.array([[np.inf, -np.inf], [0.0, 1.0], [-np.inf, np.inf]])
    got = classification_metrics(np.array([0, 1, 1]), scores)
    assert got["balanced_accuracy"] == 1.0
    assert got["roc_auc"] == 1.0
    alone = classification_metrics(np.array([1, 1]), scores[1:])
    assert alone["recall"] == [None, 1.0]
    assert alone["roc_auc"] is None


def test_nan_scores_are_named():
    with pytest.raises(InputError, match="NaN"):
        classification_metrics(np.array([0]), np.array([[np.nan, 0.0]]))


def test_shots_are_those_of_the_published_definition():
    """Over 100 training images many, below 20 few; classes without test images do not count."""
    counts = [101, 100, 20, 19, 1, 5000, 7]
    recall = [0.2, 0.4, 0.6, 0.8, 0.0, 1.0, None]
    found = shot_accuracy(counts, recall)
    assert found == {
        "many": {"classes": 2, "accuracy": pytest.approx(0.6)},
        "medium": {"classes": 2, "accuracy": pytest.approx(0.5)},
        "few": {"classes": 2, "accuracy": pytest.approx(0.4)},
    }
    assert shot_accuracy([500], [0.5])["few"] == {"classes": 0, "accuracy": None}
    with pytest.raises(InputError, match="one of each recall"):
        shot_accuracy([1, 2], [0.5])
