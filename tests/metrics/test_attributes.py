"""Metrics of many attributes against those of each attribute."""

import numpy as np
import pytest

from clmle.metrics.attributes import attribute_metrics
from clmle.metrics.classification import classification_metrics

NAMES = ("a", "b", "c")


def example(seed, n=300):
    rng = np.random.default_rng(seed)
    labels = (rng.random((n, 3)) < [0.5, 0.1, 0.3]).astype(int)
    labels[rng.random((n, 3)) < 0.2] = -1
    scores = rng.normal(size=(n, 3, 2))
    scores[..., 1] += 1.5 * (labels == 1)
    return labels, scores


@pytest.mark.parametrize("seed", range(3))
def test_each_attribute_is_evaluated_on_its_known_images_and_averaged(seed):
    labels, scores = example(seed)
    found = attribute_metrics(labels, scores, NAMES)
    singles = {}
    for a, name in enumerate(NAMES):
        known = labels[:, a] >= 0
        singles[name] = classification_metrics(labels[known, a], scores[known, a])
    assert found["attributes"] == singles
    for metric in ("balanced_accuracy", "accuracy", "average_precision", "roc_auc", "mcc"):
        assert found[metric] == pytest.approx(np.mean([f[metric] for f in singles.values()]))
    assert found["recall"][1] == pytest.approx(np.mean([f["recall"][1] for f in singles.values()]))
    assert np.sum(found["confusion"]) == (labels >= 0).sum()
    assert found["left_out"] == []


def test_interval_matches_a_bootstrap_over_whole_images():
    labels, scores = example(5)
    low, high = attribute_metrics(labels, scores, NAMES)["interval"]
    rng = np.random.default_rng(1)
    right = scores.argmax(axis=2) == labels
    means = []
    for _ in range(1000):
        rows = rng.integers(0, len(labels), len(labels))
        recalls = [
            right[rows, a][labels[rows, a] == value].mean() for a in range(3) for value in (0, 1)
        ]
        means.append(np.mean(recalls))
    np.testing.assert_allclose([low, high], np.quantile(means, [0.025, 0.975]), atol=0.008)


def test_an_attribute_with_a_single_class_is_left_out_of_the_means_and_named():
    labels, scores = example(0)
    labels[:, 1] = np.where(labels[:, 1] == 1, -1, labels[:, 1])
    found = attribute_metrics(labels, scores, NAMES)
    assert found["left_out"] == ["b"]
    assert set(found["attributes"]) == {"a", "c"}
    without = attribute_metrics(labels[:, [0, 2]], scores[:, [0, 2]], ("a", "c"))
    assert found["balanced_accuracy"] == without["balanced_accuracy"]
    assert found["interval"] == without["interval"]
    nothing = attribute_metrics(np.full((4, 1), -1), np.zeros((4, 1, 2)), ("a",))
    assert nothing["balanced_accuracy"] is None
    assert nothing["left_out"] == ["a"]
