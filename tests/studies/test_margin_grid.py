"""The grid of margins: every pair once, the best chosen on validation images."""

import numpy as np
import pytest

from clmle.studies.margin_grid import margin_grid, margin_request


def test_a_request_has_every_pair_with_every_seed_without_margin_trials():
    trials = margin_request([0.1, 0.5], [0.05, 0.25, 0.5], seeds=(0, 4)).trials()
    assert len(trials) == 12
    pairs = {(c.config.options.between_margin_fraction, c.config.options.within_margin_fraction,
              c.config.train.seed) for c in trials}  # fmt: skip
    assert pairs == {(a, b, s) for a in (0.1, 0.5) for b in (0.05, 0.25, 0.5) for s in (0, 4)}
    assert {c.config.options.within_weight for c in trials} == {1.0}
    assert {c.config.train.margin_trials for c in trials} == {0}
    assert {c.config.data.dataset for c in trials} == {"digits"}


def summary(a1, a2, seed, validation, test):
    options = {"between_margin_fraction": a1, "within_margin_fraction": a2}
    return {"seed": seed, "config": {"options": options},
            "validation": {"balanced_accuracy": validation},
            "test": {"balanced_accuracy": test}}  # fmt: skip


def test_means_are_over_seeds_and_the_best_pair_is_chosen_on_validation_images():
    grid = margin_grid([
        summary(0.5, 0.1, 0, 0.8, 0.99), summary(0.5, 0.1, 1, 0.7, 0.99),
        summary(0.1, 0.1, 0, 0.9, 0.60), summary(0.1, 0.1, 1, 0.8, 0.70),
        summary(0.1, 0.2, 0, 0.6, 0.5),
    ])  # fmt: skip
    assert (grid.between, grid.within) == ((0.1, 0.5), (0.1, 0.2))
    np.testing.assert_allclose(grid.validation, [[0.85, 0.6], [0.75, np.nan]])
    assert grid.best == (0, 0)  # though 0.5 is far better on test images
    assert grid.test[0, 0] == pytest.approx(0.65)
    assert grid.spread[0, 0] == pytest.approx(np.std([0.9, 0.8], ddof=1))
    assert np.isnan(grid.spread[0, 1])
    assert margin_grid([]) is None


def test_of_equal_pairs_the_smaller_margins_are_best():
    grid = margin_grid([summary(a, b, 0, 0.9, 0.9) for a in (0.5, 0.1) for b in (0.3, 0.2)])
    assert (grid.between[grid.best[0]], grid.within[grid.best[1]]) == (0.1, 0.2)
