"""Curves and most confident errors against scikit-learn and loops."""

import numpy as np
import pytest
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    roc_auc_score,
    roc_curve,
)

from clmle.errors import InputError
from clmle.metrics.confident_errors import KINDS, confident_errors
from clmle.metrics.curves import log_odds, precision_recall_points, roc_points


def example(seed, n=3000, ties=False):
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.1).astype(int)
    scores = rng.normal(size=(n, 2))
    scores[:, 1] += 1.5 * labels - 1
    if ties:
        scores = scores.round(0)
    return labels, scores


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ties", [False, True])
def test_points_are_on_the_curves_of_scikit_learn_and_areas_are_exact(seed, ties):
    labels, scores = example(seed, ties=ties)
    odds = scores[:, 1] - scores[:, 0]
    false, true, area = roc_points(labels, scores)
    assert area == roc_auc_score(labels, odds)
    theirs = set(zip(*roc_curve(labels, odds, drop_intermediate=False)[:2], strict=True))
    assert set(zip(false, true, strict=True)) <= theirs
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    recall, precision, average = precision_recall_points(labels, scores)
    assert average == average_precision_score(labels, odds)
    curve = precision_recall_curve(labels, odds)
    assert set(zip(precision, recall, strict=True)) <= set(zip(*curve[:2], strict=True))
    assert (np.diff(recall) >= 0).all()
    assert len(false) <= 400 >= len(recall)


def test_infinite_scores_keep_their_order():
    scores = np.array([[0, np.inf], [0, 3.0], [np.inf, 0], [0, -np.inf], [1.0, 1.0]])
    odds = log_odds(scores)
    assert np.isfinite(odds).all()
    assert odds[0] > odds[1] > odds[4] > odds[2]


@pytest.mark.parametrize("labels", [[0, 0, 0], [1, 1, 1], [0, 1], [0, 1, 2]])
def test_labels_of_a_single_class_or_another_length_raise_an_error(labels):
    with pytest.raises(InputError):
        roc_points(np.array(labels), np.zeros((3, 2)))
    with pytest.raises(InputError):
        log_odds(np.zeros((3, 4)))


@pytest.mark.parametrize("seed", range(3))
def test_confident_errors_match_a_loop(seed):
    labels, scores = example(seed, n=400, ties=seed == 2)
    found = confident_errors(labels, scores, 7)
    assert set(found) == set(KINDS)
    wanted = {kind: [] for kind in KINDS}
    for i, (label, (no, yes)) in enumerate(zip(labels, scores, strict=True)):
        confidence = abs(yes - no)
        if label and yes > no:
            wanted["found"].append((-confidence, i))
            wanted["narrowly found"].append((confidence, i))
        elif label:
            wanted["missed"].append((-confidence, i))
        elif yes > no:
            wanted["false alarm"].append((-confidence, i))
        else:
            wanted["correctly rejected"].append((-confidence, i))
    for kind, rows in wanted.items():
        assert found[kind].tolist() == [i for _, i in sorted(rows)][:7], kind


def test_a_perfect_classifier_has_no_errors():
    labels = np.array([0, 1, 1])
    found = confident_errors(labels, np.eye(2)[labels])
    assert len(found["missed"]) == len(found["false alarm"]) == 0
    assert found["found"].tolist() == [1, 2]
