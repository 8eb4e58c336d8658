"""Metrics of groups against Fairlearn, and the gap of random groups against permutations."""

import numpy as np
import pytest
from fairlearn.metrics import MetricFrame
from sklearn.metrics import accuracy_score, balanced_accuracy_score, precision_score, recall_score

from clmle.errors import InputError
from clmle.metrics import metrics_by_group


def predictions(seed=0, n=600, n_classes=3):
    rng = np.random.default_rng(seed)
    labels = rng.choice(n_classes, n, p=[0.7, 0.2, 0.1])
    groups = rng.choice(np.array(["north", "south", "west"]), n, p=[0.6, 0.3, 0.1])
    wrong = rng.random(n) < np.where(groups == "west", 0.4, 0.15)
    return labels, np.where(wrong, rng.integers(0, n_classes, n), labels), groups


def test_every_group_has_the_metrics_of_fairlearn():
    labels, predicted, groups = predictions()
    found = metrics_by_group(labels, predicted, groups, min_images=1)
    own = {
        "accuracy": accuracy_score,
        "balanced_accuracy": balanced_accuracy_score,
        **{f"recall {c}": lambda y, p, c=c: recall_score(y == c, p == c) for c in range(3)},
        **{f"precision {c}": lambda y, p, c=c: precision_score(y == c, p == c) for c in range(3)},
    }
    frame = MetricFrame(metrics=own, y_true=labels, y_pred=predicted, sensitive_features=groups)
    for row in [*found["groups"], found["overall"]]:
        of = frame.overall if row["group"] == "all" else frame.by_group.loc[row["group"]]
        flat = row | {f"{k} {c}": row[k][c] for k in ("recall", "precision") for c in range(3)}
        for name in own:
            assert flat[name] == pytest.approx(of[name]), (row["group"], name)
    gap = frame.difference(method="between_groups")
    gaps = found["gaps"]
    assert gaps["accuracy"]["gap"] == pytest.approx(gap["accuracy"])
    assert gaps["balanced_accuracy"]["gap"] == pytest.approx(gap["balanced_accuracy"])
    assert gaps["balanced_accuracy"]["worst"] == frame.by_group["balanced_accuracy"].idxmin()
    for c in range(3):
        assert gaps["recall"][c]["gap"] == pytest.approx(gap[f"recall {c}"])


def test_the_random_gap_is_that_of_permutations_within_classes():
    labels, predicted, groups = predictions(1, 900)
    found = metrics_by_group(labels, predicted, groups, min_images=1)
    found = found["gaps"]["balanced_accuracy"]
    rng = np.random.default_rng(5)
    gaps = []
    for _ in range(500):
        shuffled = groups.copy()
        for c in range(3):
            of = labels == c
            shuffled[of] = rng.permutation(groups[of])
        values = [
            np.mean([(predicted == c)[(labels == c) & (shuffled == g)].mean() for c in range(3)])
            for g in np.unique(groups)
        ]
        gaps.append(max(values) - min(values))
    assert found["random_gap"] == pytest.approx(np.quantile(gaps, 0.95), abs=0.03)
    reached = np.mean(np.array(gaps) >= found["gap"])
    assert found["p_value"] == pytest.approx(reached, abs=0.04)


def test_equal_groups_are_rarely_significant_and_an_unequal_one_is():
    """P-values of a classifier that treats the groups alike are not small more often than stated;
    the interval of the gap would exclude 0 far more often, since best and worst are selected."""
    small = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        labels, groups = rng.integers(0, 2, 400), rng.integers(0, 8, 400)
        predicted = np.where(rng.random(400) < 0.2, 1 - labels, labels)
        small.append(metrics_by_group(labels, predicted, groups)["gaps"]["accuracy"]["p_value"])
    assert np.mean(np.array(small) < 0.1) < 0.2
    predicted[(groups == 3) & (rng.random(400) < 0.8)] = 0
    labels[groups == 3] = 1
    gaps = metrics_by_group(labels, predicted, groups)["gaps"]
    assert gaps["accuracy"]["worst"] == "3"
    assert gaps["accuracy"]["p_value"] < 0.01


def test_small_groups_are_listed_but_not_compared():
    labels = np.array([0, 1] * 20 + [1])
    groups = np.array(["a"] * 20 + ["b"] * 20 + ["tiny"])
    predicted = labels.copy()
    predicted[[3, 40]] = 0
    found = metrics_by_group(labels, predicted, groups)
    tiny = found["groups"][2]
    assert (tiny["n"], tiny["accuracy"], tiny["recall"]) == (1, 0.0, [None, 0.0])
    assert tiny["accuracy_interval"][1] > 0.7
    assert found["gaps"]["accuracy"]["compared"] == 2
    assert found["gaps"]["accuracy"]["worst"] == "a"
    assert metrics_by_group(labels, predicted, np.arange(41))["gaps"]["accuracy"] is None


@pytest.mark.parametrize(
    ("labels", "predicted", "groups", "message"),
    [
        ([0, 1], [0], ["a", "b"], "labels and predicted must be"),
        ([0, 1], [0, 1], ["a"], "groups must name one for each of 2 images"),
        ([0.5, 1], [0, 1], ["a", "b"], "labels must be numbers of classes"),
        ([0, 1], [0, -1], ["a", "b"], "predicted must be numbers of classes"),
        ([0, 1], [0, 1], [1.0, np.nan], "groups contains NaN"),
    ],
)
def test_mistakes_are_named(labels, predicted, groups, message):
    with pytest.raises(InputError, match=message):
        metrics_by_group(labels, predicted, groups)
