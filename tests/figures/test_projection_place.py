"""Further images in a picture that is there: among those they are like, and nothing else moves."""

import numpy as np
import pytest

from clmle.figures import OWN, embedding_map
from clmle.projection import place


def test_a_copy_of_an_image_lands_among_its_like():
    rng = np.random.default_rng(0)
    centers = np.eye(3, 8)
    kind = np.repeat([0, 1, 2], 40)
    features = centers[kind] + 0.1 * rng.normal(size=(120, 8))
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    points = np.array([[0, 0], [10, 0], [0, 10]])[kind] + rng.normal(size=(120, 2))
    others = features[[3, 50, 110]]
    got = place(points, features, others, 10)
    for row, where in zip(others, got, strict=True):
        nearest = sorted(range(120), key=lambda i: -float(row @ features[i]))[:10]
        np.testing.assert_allclose(where, np.median(points[nearest], axis=0), rtol=1e-6)
    np.testing.assert_allclose(got, [[0, 0], [10, 0], [0, 10]], atol=1.5)


@pytest.mark.parametrize("numbers", [False, True])
def test_images_handed_in_are_stars_above_all_others(numbers):
    points = np.arange(12.0).reshape(6, 2)
    groups = ["a", "b", OWN, "a", "b", OWN]
    figure = embedding_map(points, "t", groups=groups, values=range(6) if numbers else ())
    star = figure.data[-1]
    assert star.name == OWN
    assert star.marker.symbol == "star"
    assert list(star.customdata) == [2, 5]
    rows = sorted(int(r) for trace in figure.data for r in trace.customdata)
    assert rows == list(range(6))  # nobody is drawn twice
