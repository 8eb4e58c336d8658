"""Phi against the correlation of NumPy on images with both labels known."""

import numpy as np
import pytest

from clmle.data.co_occurrence import co_occurrence


def test_phi_is_the_correlation_of_known_labels():
    rng = np.random.default_rng(0)
    a = rng.integers(0, 2, 300)
    b = np.where(rng.random(300) < 0.8, a, 1 - a)
    c = rng.integers(-1, 2, 300)
    never = np.zeros(300, dtype=int)
    found = co_occurrence({"a": a, "b": b, "c": c, "never": never})
    assert found[0, 1] == pytest.approx(np.corrcoef(a, b)[0, 1])
    known = c >= 0
    assert found[1, 2] == pytest.approx(np.corrcoef(b[known], c[known])[0, 1])
    assert np.isnan(found[3]).all()
    np.testing.assert_allclose(found, found.T)
    np.testing.assert_allclose(np.diag(found)[:3], 1)
