"""Margin bounds against their formulas and against known arrangements of points."""

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


def test_no_known_arrangement_exceeds_the_bound():
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
def test_corrected_within_bound_is_monotone_in_the_proportion(a, b):
    small, large = sorted((a, b))
    first = margin_bounds([small, 1000 - small]).within_arc[0]
    second = margin_bounds([large, 1000 - large]).within_arc[0]
    assert first <= second + 1e-12


def test_hinge_reaches_zero_exactly_up_to_the_feasible_margin():
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


def test_bounds_on_the_sphere_of_few_classes():
    two, one = margin_bounds([1, 2], dim=1), margin_bounds([3], dim=8)
    assert two.between_sphere == sphere_bound(2, 1) == 2.0
    assert sphere_bound(3, 1) == 0.0  # of three points on two positions two coincide
    assert one.between_sphere == sphere_bound(1, 1) == sphere_bound(1, 2) == 0.0
    assert sphere_bound(6, 3) == 1.0
    assert sphere_bound(7, 3) < 1.0  # more points than 2 d


@pytest.mark.parametrize("n", [7, 10, 100, 10_000])
def test_caps_of_half_the_smallest_angle_fill_the_sphere(n):
    """In three dimensions a cap of radius r covers (1 - cos r) / 2: the bound in closed form."""
    radius = math.acos(1 - 2 / n)
    assert sphere_bound(n, 3) == pytest.approx(min(1.0, 1 - math.cos(2 * radius)), rel=1e-6)


@pytest.mark.parametrize(("n", "dim"), [(50, 4), (500, 5), (2000, 8)])
def test_area_of_a_cap_is_the_integral_of_its_rings(n, dim):
    gap = sphere_bound(n, dim)
    radius = math.acos(1 - gap) / 2
    angles = np.linspace(0, math.pi, 200_001)
    rings = np.sin(angles) ** (dim - 2)
    assert rings[angles <= radius].sum() / rings.sum() == pytest.approx(1 / n, rel=0.01)


def test_feasible_margin_uses_the_larger_bound_of_the_sphere():
    bounds = margin_bounds([1] * 10, dim=16)
    assert bounds.dim == 16
    assert bounds.between_sphere == pytest.approx(1 + 1 / 9)
    assert bounds.feasible_between(1) == bounds.between_sphere
    assert bounds.feasible_between(4) == pytest.approx(1 + 1 / 9 - math.log(4))
    assert bounds.feasible_between(4, 2.0) == pytest.approx(1 + 1 / 9 - math.log(4) / 2)


def test_an_empty_class_and_a_single_class_are_allowed():
    np.testing.assert_allclose(margin_bounds([0, 4]).proportions, [0, 1])
    assert margin_bounds([0.5, 0.5]).within.tolist() == [2.0, 2.0]
    assert margin_bounds([7]).between == 0.0
    assert margin_bounds(np.array([1, 3], dtype=np.uint8)).class_counts.dtype == np.float64


def test_grid_has_equal_steps_down_to_above_zero():
    np.testing.assert_allclose(margin_grid(1.2), [1.0, 0.8, 0.6, 0.4, 0.2])
    assert margin_grid(1.0, 1).tolist() == [0.5]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: margin_bounds(["a"]), "class_counts must be real numbers"),
        (lambda: margin_bounds([0, 0]), "class_counts must be finite, not negative, and not all"),
        (lambda: margin_bounds([1], dim=0), "dim is 0, but must be a whole number of 1 or more."),
        (lambda: margin_grid(1.0, 0), "n is 0, but must be a whole number of 1 or more."),
        (lambda: margin_grid(math.nan), "bound is nan, but must be a finite number."),
        (lambda: margin_bounds([1, 1]).feasible_between(0), "n_other_clusters is 0, but must be a"),
        (lambda: margin_bounds([1, 1]).feasible_between(1, 0), "scale is 0, but must be a finite"),
    ],
)
def test_bad_input_raises_one_sentence(call, sentence):
    with pytest.raises(InputError) as error:
        call()
    assert str(error.value).startswith(sentence)
