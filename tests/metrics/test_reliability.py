"""Calibration of probabilities against scikit-learn and a naive loop."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from clmle.classifiers import fit_probabilities
from clmle.errors import InputError
from clmle.metrics import calibration_metrics, expected_calibration_error, reliability_bins


def forecasts(seed=0, n=500):
    rng = np.random.default_rng(seed)
    p = rng.beta(0.6, 2.0, n)
    p[:9] = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.9, 1.0, 0.7]  # at the edges of bins
    return rng.random(n) < p**1.3, p


def naive_error(y, p, n_bins):
    total = 0.0
    for b in range(n_bins):
        low, high = b / n_bins, (b + 1) / n_bins
        inside = [(yi, pi) for yi, pi in zip(y, p, strict=True)
                  if (low < pi <= high) or (b == 0 and pi == 0)]  # fmt: skip
        if inside:
            hits, mean = np.mean([i for i, _ in inside]), np.mean([i for _, i in inside])
            total += len(inside) / len(p) * abs(hits - mean)
    return total


@pytest.mark.parametrize("equal_counts", [False, True])
def test_bins_are_those_of_scikit_learn(equal_counts):
    y, p = forecasts()
    strategy = "quantile" if equal_counts else "uniform"
    frequency, probability = calibration_curve(y, p, n_bins=10, strategy=strategy)
    bins = reliability_bins(y, p, equal_counts=equal_counts)
    assert [b["frequency"] for b in bins] == pytest.approx(frequency)
    assert [b["probability"] for b in bins] == pytest.approx(probability)
    assert sum(b["n"] for b in bins) == len(y)
    assert all(b["interval"][0] <= b["frequency"] <= b["interval"][1] for b in bins)


@pytest.mark.parametrize("n_bins", [1, 7, 10, 15])
def test_the_calibration_error_is_that_of_a_naive_loop(n_bins):
    y, p = forecasts(3)
    found = expected_calibration_error(y, p, n_bins=n_bins)
    assert found == pytest.approx(naive_error(y, p, n_bins), abs=1e-12)


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_brier_score_is_that_of_scikit_learn(n_classes):
    rng = np.random.default_rng(1)
    p = rng.dirichlet(np.full(n_classes, 0.7), 300)
    y = np.array([rng.choice(n_classes, p=row) for row in p])
    found = calibration_metrics(y, p)
    theirs = brier_score_loss(y, p[:, 1] if n_classes == 2 else p, labels=range(n_classes))
    assert found["brier_score"] == pytest.approx(theirs)
    called = p.argmax(axis=1)
    naive = naive_error(called == y, p.max(axis=1), 10)
    assert found["calibration_error"] == pytest.approx(naive, abs=1e-12)
    for c in range(n_classes):
        assert found["class_calibration_error"][c] == pytest.approx(
            naive_error(y == c, p[:, c], 10), abs=1e-12
        )
    constant = np.tile(np.bincount(y, minlength=n_classes) / len(y), (len(y), 1))
    assert calibration_metrics(y, constant)["brier_skill"] == pytest.approx(0)


def test_fitted_probabilities_are_platt_scaling():
    rng = np.random.default_rng(2)
    y = (rng.random(400) < 0.15).astype(int)
    scores = np.stack([rng.normal(size=400), rng.normal(size=400) + 2 * y], axis=1)
    odds = scores[:, 1] - scores[:, 0]
    fitted = fit_probabilities(scores, y)
    standard = (odds / odds.std())[:, None]
    theirs = LogisticRegression(C=1.0, tol=1e-8).fit(standard, y)
    assert fitted.probabilities(scores)[:, 1] == pytest.approx(
        theirs.predict_proba(standard)[:, 1], abs=2e-3
    )
    # The mean probability of every class is its frequency, whatever offset the scores had.
    shifted = scores + np.array([0.0, 7.0])
    assert fit_probabilities(shifted, y).probabilities(shifted).mean(axis=0)[1] == pytest.approx(
        y.mean(), abs=1e-3
    )


def test_fitting_makes_the_probabilities_of_many_classes_better():
    rng = np.random.default_rng(4)
    y = rng.choice(3, 900, p=[0.7, 0.2, 0.1])
    scores = 9 * (np.eye(3)[y] + rng.normal(scale=0.8, size=(900, 3)))
    own, new = slice(0, 450), slice(450, 900)
    softmax = np.exp(scores - scores.max(axis=1, keepdims=True))
    softmax /= softmax.sum(axis=1, keepdims=True)
    fitted = fit_probabilities(scores[own], y[own]).probabilities(scores[new])
    before, after = calibration_metrics(y[new], softmax[new]), calibration_metrics(y[new], fitted)
    assert after["calibration_error"] < before["calibration_error"] / 2
    assert after["brier_score"] < before["brier_score"]


def test_extreme_scores_and_absent_classes_give_probabilities():
    scores = np.array([[np.inf, 0.0, 1.0], [-np.inf, 5.0, 1.0], [1e30, -1e30, 0.0]])
    found = fit_probabilities(scores, np.array([0, 1, 0])).probabilities(scores)
    assert np.isfinite(found).all()
    assert found.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: reliability_bins([0, 2], [0.1, 0.2]), "true or false"),
        (lambda: reliability_bins([0, 1], [0.1, 1.2]), r"in \[0, 1\]"),
        (lambda: calibration_metrics([0, 1], [[0.5, 0.6], [0.5, 0.5]]), "sum 1"),
        (lambda: calibration_metrics([0, 2], [[0.5, 0.5], [0.5, 0.5]]), "from 0 to 1"),
        (lambda: fit_probabilities([[0.0, np.nan]], [0]), "NaN"),
        (lambda: fit_probabilities([[0.0, 1.0]], [2]), "from 0 to 1"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(InputError, match=message):
        call()
