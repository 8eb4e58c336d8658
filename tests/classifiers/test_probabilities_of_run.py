"""Probabilities of a run: one map, or one for each attribute, independent of the batch."""

import numpy as np
import pytest

from clmle.classifiers import ProbabilityMap, fit_probabilities
from clmle.classifiers.probabilities import MANY_CLASSES, fit_probabilities_of_run

RNG = np.random.default_rng(0)


def test_unknown_labels_of_an_attribute_do_not_count():
    scores = RNG.normal(size=(60, 3, 2))
    labels = RNG.integers(0, 2, (60, 3))
    labels[:15, 1], labels[:, 2] = -1, -1
    first, second, third = fit_probabilities_of_run(scores, labels)
    for found, wanted in (
        (first, fit_probabilities(scores[:, 0], labels[:, 0])),
        (second, fit_probabilities(scores[15:, 1], labels[15:, 1])),
    ):
        assert found.weight == wanted.weight
        np.testing.assert_array_equal(found.offset, wanted.offset)
    assert third.weight == 1.0
    assert ProbabilityMap(**first.to_dict()).probabilities(scores[:, 0]) == pytest.approx(
        first.probabilities(scores[:, 0])
    )


def test_of_many_classes_the_weight_alone_is_fitted():
    n_classes = MANY_CLASSES + 1
    labels = RNG.integers(0, n_classes, 400)
    scores = RNG.normal(size=(400, n_classes)) + 3 * np.eye(n_classes)[labels]
    (found,) = fit_probabilities_of_run(scores, labels)
    assert not found.offset.any()
    grid = np.linspace(0.05, 3, 600)
    loss = [-np.log(ProbabilityMap(w, found.offset).probabilities(scores)
                    [np.arange(400), labels]).mean() for w in grid]  # fmt: skip
    assert found.weight == pytest.approx(grid[np.argmin(loss)], rel=0.05)


def test_the_probability_of_an_image_does_not_depend_on_others():
    fitted = ProbabilityMap(0.3, np.array([0.0, 1.0, -1.0]))
    scores = np.array([[np.inf, -np.inf, -np.inf], [9.0, 2.0, -np.inf], [70.0, 60.0, 1.0]])
    together = fitted.probabilities(scores)
    for row, wanted in zip(scores, together, strict=True):
        np.testing.assert_array_equal(fitted.probabilities(row[None])[0], wanted)
    assert together[0, 0] > 1 - 1e-9
