"""Projections keep neighborhoods, are reproducible by seed, and are aligned over rounds."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from clmle import InputError
from clmle.projection import METHODS, project, project_rounds


def three_modes(seed=0):
    rng = np.random.default_rng(seed)
    labels = np.repeat([0, 1, 2], 40)
    x = 2 * np.eye(16)[labels] + 0.2 * rng.normal(size=(120, 16))
    return x / np.linalg.norm(x, axis=1, keepdims=True), labels


@pytest.mark.parametrize("method", METHODS)
def test_modes_stay_separate_and_equal_seeds_give_equal_projections(method):
    x, labels = three_modes()
    a, b = project(x, method, seed=1), project(x, method, seed=1)
    assert a.shape == (120, 2)
    np.testing.assert_allclose(a, b)
    assert KNeighborsClassifier(3).fit(a[::2], labels[::2]).score(a[1::2], labels[1::2]) > 0.95


def test_pca_is_the_plane_of_largest_variance():
    from sklearn.decomposition import PCA

    x, _ = three_modes()
    want = PCA(2).fit_transform(x)
    got = project(x, "pca")
    np.testing.assert_allclose(np.abs(got), np.abs(want), atol=1e-4)


@pytest.mark.parametrize("n", [2, 3, 9, 12])
def test_a_small_number_of_points_is_projected(n):
    x = np.random.default_rng(0).normal(size=(n, 5))
    for method in METHODS:
        assert np.isfinite(project(x, method)).all()


def test_projections_of_slightly_moved_features_are_close():
    x, _ = three_modes()
    moved = x + 0.02 * np.random.default_rng(1).normal(size=x.shape)
    first, second = project_rounds([x, moved], "umap")
    center = [p.reshape(3, 40, 2).mean(axis=1) for p in (first, second)]
    spread = np.linalg.norm(center[0] - center[0].mean(axis=0), axis=1).mean()
    assert np.linalg.norm(center[0] - center[1], axis=1).max() < spread


def test_invalid_arguments_are_named():
    with pytest.raises(InputError, match="projection"):
        project(np.ones((5, 2)), "map")
    with pytest.raises(InputError, match="finite"):
        project(np.full((5, 2), np.nan))


@pytest.mark.parametrize("method", ["pca", "umap", "tsne"])
@pytest.mark.parametrize(
    "features",
    [
        np.ones((40, 6)),
        np.repeat(np.random.default_rng(0).normal(size=(3, 6)), 20, axis=0),
        np.repeat(np.random.default_rng(0).normal(size=(12, 6)), 5, axis=0),
        np.random.default_rng(0).normal(size=(40, 1)),
        np.random.default_rng(0).normal(size=(40, 3)) * 1e30,
        np.random.default_rng(0).normal(size=(40, 3)) * 1e-30,
        np.ones((1, 3)),
    ],
)
def test_degenerate_features_have_finite_points(method, features):
    frames = project_rounds([features, features], method)
    assert all(frame.shape == (len(features), 2) for frame in frames)
    assert all(np.isfinite(frame).all() for frame in frames)


@pytest.mark.parametrize("shape", [(0, 4), (20, 0)])
def test_no_features_are_an_error(shape):
    with pytest.raises(InputError, match="with a row and a column"):
        project(np.ones(shape))


def test_what_numba_compiles_for_umap_is_kept_on_disk():
    points = np.random.default_rng(0).normal(size=(30, 4)).astype(np.float32)
    project(points, "umap")
    from umap import layouts, umap_

    for function in (layouts.rdist, umap_.fast_intersection, umap_.compute_membership_strengths):
        assert function.stats.cache_path is not None


def test_umap_leaves_the_threads_of_pytorch_alone(monkeypatch):
    import torch

    before = torch.get_num_threads()
    monkeypatch.setattr("clmle.projection._umap", lambda: Threaded)
    project(np.random.default_rng(0).normal(size=(30, 4)), "umap")
    assert torch.get_num_threads() == before


class Threaded:
    """In place of UMAP: numba starts its threads once in a process only."""

    def __init__(self, **options):
        pass

    def fit_transform(self, features):
        import torch

        torch.set_num_threads(torch.get_num_threads() + 1)
        return features[:, :2]
