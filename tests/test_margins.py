"""The bounds against their formulas, and against arrangements of points that exist."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clmle import InputError, margin_bounds, margin_grid
from clmle.margins import sphere_bound


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=30))
def test_printed_bounds_are_fig_4(counts):
    bounds = margin_bounds(counts)
    total = sum(counts)
    assert bounds.between == pytest.approx(math.cos(0) - math.cos(2 * math.pi / len(counts)))
    want = [1 - math.cos(2 * math.pi * c / total) for c in counts]
    np.testing.assert_allclose(bounds.within, want, atol=1e-12)


def test_printed_between_bound_keeps_its_digits_for_many_classes():
    want = 2 * (math.pi / 10575) ** 2 * (1 - (math.pi / 10575) ** 2 / 3)
    assert margin_bounds(np.ones(10575)).between == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("d", [2, 3, 8, 64])
def test_simplex_attains_the_bound(d):
    points = np.eye(d + 1) - 1 / (d + 1)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    cosine = (points @ points.T)[0, 1]
    assert sphere_bound(d + 1, d) == pytest.approx(1 - cosine)


@pytest.mark.parametrize("d", [3, 8, 64])
def test_orthoplex_attains_the_bound_up_to_2d(d):
    for n in range(d + 2, 2 * d + 1):
        assert sphere_bound(n, d) == 1.0


def test_no_known_arrangement_beats_the_bound():
    golden = (1 + 5**0.5) / 2
    icosahedron = np.array(
        [p for a in (-1, 1) for b in (-golden, golden) for p in ((0, a, b), (a, b, 0), (b, 0, a))]
    )
    icosahedron /= np.linalg.norm(icosahedron, axis=1, keepdims=True)
    cosines = (icosahedron @ icosahedron.T)[~np.eye(12, dtype=bool)]
    assert 1 - cosines.max() <= sphere_bound(12, 3) <= 1
    for seed in range(20):
        points = np.random.default_rng(seed).normal(size=(30, 4))
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        gaps = 1 - (points @ points.T)[~np.eye(30, dtype=bool)]
        assert gaps.min() <= sphere_bound(30, 4)


@given(st.integers(2, 3000), st.integers(1, 128))
def test_sphere_bound_never_grows_with_classes(n, d):
    assert sphere_bound(n + 1, d) <= sphere_bound(n, d) + 1e-9


@given(st.integers(1, 999), st.integers(1, 999))
def test_repaired_within_bound_is_monotone_in_share(a, b):
    small, large = sorted((a, b))
    first = margin_bounds([small, 1000 - small]).within_arc[0]
    second = margin_bounds([large, 1000 - large]).within_arc[0]
    assert first <= second + 1e-12


def test_feasible_margin_is_where_the_hinge_can_just_reach_zero():
    """Own centroid at cosine 1, K' others at -1: Eq. 9's hinge is zero exactly at the bound."""
    import torch

    from clmle import clmle_loss

    feature = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    centroids = torch.tensor([[1.0, 0.0]] + [[-1.0, 0.0]] * 6, dtype=torch.float64)
    classes = torch.tensor([0] + [1] * 6)
    for scale in (1.0, 8.0):
        a1 = margin_bounds([5, 5], dim=8).feasible_between(6, scale)
        for margin, wanted in ((a1 - 1e-6, True), (a1 + 1e-3, False)):
            loss = clmle_loss(
                feature, torch.tensor([0]), classes, margin, 0.0, scale=scale, centroids=centroids
            )
            assert (float(loss) < 1e-9) == wanted


def test_feasible_uses_the_printed_bound_without_dim():
    bounds = margin_bounds([1, 1, 1, 1])
    assert bounds.feasible_between(3, 2.0) == pytest.approx(1.0 - math.log(3) / 2)
    assert margin_bounds([960, 40], 64).feasible_between(6, 1.0) == pytest.approx(0.2082, abs=1e-4)


def test_grid_decreases_below_the_bound():
    grid = margin_grid(2.0, 5)
    assert (np.diff(grid) < 0).all()
    assert grid.max() < 2.0
    assert grid.min() > 0.0


@pytest.mark.parametrize("counts", [[], [0, 0], [1, -1], [1, float("nan")], [[1, 2]]])
def test_bad_counts_are_named(counts):
    with pytest.raises(InputError, match="class_counts"):
        margin_bounds(counts)


def test_sphere_needs_the_dimension():
    with pytest.raises(InputError, match="dim"):
        _ = margin_bounds([1, 2]).between_sphere
