"""The comparison on imbalanced tables: how a configuration is chosen."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from bench.core.tables import evaluated, tuned


class Unfit(LogisticRegression):
    """A method that fails as boosting does where its weak classifiers are worse than chance."""

    def fit(self, X, y):
        raise ValueError("worse than random")


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [180, 20])
    return rng.normal(size=(200, 3)) + 3 * y[:, None], y


def test_a_configuration_that_cannot_be_fitted_is_left_out(rows):
    parts = train_test_split(*rows, test_size=0.25, stratify=rows[1], random_state=0)
    assert type(tuned([Unfit, LogisticRegression], parts, *rows)) is LogisticRegression


def test_a_method_without_any_that_can_counts_as_chance(rows):
    parts = train_test_split(*rows, test_size=0.25, stratify=rows[1], random_state=0)
    assert evaluated(tuned([Unfit], parts, *rows), *rows) == (0.5, 0.1)
