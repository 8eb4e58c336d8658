"""Local margins against loops."""

from importlib import import_module

import numpy as np
import pytest

from clmle import InputError
from clmle.metrics import local_margin


def _unit(rng: np.random.Generator, n: int) -> np.ndarray:
    x = rng.normal(size=(n, 4))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


@pytest.mark.parametrize("chunk", [1, 1 << 24])
@pytest.mark.parametrize("inside", [False, True])
def test_nearest_of_the_class_minus_nearest_of_another(chunk, inside, monkeypatch):
    monkeypatch.setattr(import_module("clmle.metrics.local_margin"), "CHUNK", chunk)
    rng = np.random.default_rng(0)
    near, near_labels = _unit(rng, 40), rng.integers(0, 3, 40)
    rows = rng.permutation(40)[:15]
    x, labels = (near[rows], near_labels[rows]) if inside else (_unit(rng, 15), near_labels[:15])
    same = rows if inside else None
    expected = []
    for i in range(15):
        at = [j for j in range(40) if not (inside and j == rows[i])]
        own = max(float(x[i] @ near[j]) for j in at if near_labels[j] == labels[i])
        other = max(float(x[i] @ near[j]) for j in at if near_labels[j] != labels[i])
        expected.append(own - other)
    found = local_margin(x, labels, near, near_labels, same)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_row_without_another_of_its_class_has_no_margin():
    near, labels = np.eye(3), np.array([0, 1, 1])
    found = local_margin(near, labels, near, labels, np.arange(3))
    assert np.isnan(found).tolist() == [True, False, False]
    assert np.isnan(local_margin(near[:1], labels[:1], near[:1], labels[:1])).all()


def test_invalid_input_raises_an_error_that_names_it():
    with pytest.raises(InputError, match="same d"):
        local_margin(np.eye(3), np.zeros(3), np.eye(2), np.zeros(2))
