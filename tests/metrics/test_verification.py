"""Verification metrics against their definitions and scikit-learn."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from sklearn.metrics import roc_curve as sk_roc_curve

from clmle.errors import InputError
from clmle.metrics.intervals import fraction_over_identities, wilson
from clmle.metrics.pair_features import pair_features, pair_similarity, pool_templates
from clmle.metrics.roc import allowed, auc, eer, roc_curve, tar_at_far
from clmle.metrics.verification import (
    best_threshold,
    challenging_pairs,
    fold_accuracy,
    verification_metrics,
)

# Few distinct values give many ties.
scores = st.lists(st.integers(-4, 4).map(lambda v: v / 4), min_size=1, max_size=60)


def naive_tar(genuine, impostor, far):
    """The largest TAR over all thresholds whose FAR is at most the target."""
    thresholds = [*genuine, *impostor, min([*genuine, *impostor]) - 1]
    fit = [t for t in thresholds if sum(i > t for i in impostor) <= far * len(impostor) + 1e-9]
    return max(sum(g > t for g in genuine) for t in fit) / len(genuine)


@settings(deadline=None, max_examples=200)
@given(scores, scores, st.sampled_from([0.5, 0.25, 0.1, 0.05, 0.03]))
def test_tar_is_the_largest_at_a_far_of_at_most_the_target(genuine, impostor, far):
    (row,) = tar_at_far(genuine, impostor, [far])
    if len(impostor) * far < 1:
        assert row["tar"] is None
        assert "impostor pairs" in row["note"]
        return
    assert row["tar"] == naive_tar(genuine, impostor, far)
    assert row["false_accepts"] == sum(i > row["threshold"] for i in impostor)
    assert row["false_accepts"] <= row["allowed"] <= far * len(impostor) + 1e-9


@settings(deadline=None, max_examples=100)
@given(scores, scores, st.sampled_from([0.5, 0.2, 0.1]))
def test_tar_matches_the_corners_of_the_curve_of_scikit_learn(genuine, impostor, far):
    same = np.repeat([1, 0], [len(genuine), len(impostor)])
    fars, tars, _ = sk_roc_curve(same, [*genuine, *impostor], drop_intermediate=False)
    (row,) = tar_at_far(genuine, impostor, [far])
    if row["tar"] is not None:
        assert row["tar"] == pytest.approx(tars[fars <= far + 1e-9].max())


@settings(deadline=None, max_examples=100)
@given(scores, scores)
def test_area_and_equal_error_rate_match_scikit_learn(genuine, impostor):
    same = np.repeat([1, 0], [len(genuine), len(impostor)])
    assert auc(genuine, impostor) == pytest.approx(roc_auc_score(same, [*genuine, *impostor]))
    far, tar, _ = roc_curve(genuine, impostor)
    low, high = 0.0, 1.0  # bisection of FAR = 1 - TAR on the interpolated curve
    for _ in range(60):
        middle = (low + high) / 2
        below = np.interp(middle, far, tar) < 1 - middle
        low, high = (middle, high) if below else (low, middle)
    assert eer(far, tar) == pytest.approx(low, abs=1e-9)


@pytest.mark.parametrize(("far", "n", "k"), [(1e-6, 4_000_000_000, 4000), (0.1, 30, 3),
                                              (0.3, 10, 3), (1e-3, 999, 0)])  # fmt: skip
def test_allowed_false_accepts_use_the_decimal_number_as_written(far, n, k):
    assert allowed(far, n) == k


def test_wilson_interval_solves_its_equation():
    """The observed proportion is 1.96 standard errors at each end."""
    for hits, n in ((3, 10), (50, 60), (999, 1000)):
        for end in wilson(hits, n):
            assert abs(hits / n - end) == pytest.approx(1.959964 * np.sqrt(end * (1 - end) / n))
    assert wilson(0, 0) is None


def test_identity_interval_covers_and_is_wider_for_dependent_pairs():
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(60):
        skill = rng.beta(4, 2, size=40)  # of each identity; the mean is 2/3
        identities = np.repeat(np.arange(40), 20)
        hits = rng.random(800) < skill[identities]
        low, high = fraction_over_identities(hits, identities, n_bootstrap=300, seed=seed)
        covered += low <= 2 / 3 <= high
        narrow = wilson(int(hits.sum()), 800)
        assert high - low > 1.2 * (narrow[1] - narrow[0])
    assert covered >= 50
    assert fraction_over_identities(np.ones(3), np.zeros(3)) is None


def test_identity_interval_of_tar_matches_the_spread_over_samples():
    """The interval of one sample of identities is about as wide as the spread over many samples."""

    def draw(rng):
        centers = rng.normal(size=(24, 6))
        identities = np.repeat(np.arange(24), 5)
        x = centers[identities] + 0.9 * rng.normal(size=(120, 6))
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        a, b = np.triu_indices(120, 1)
        return (
            (x @ x.T)[a, b],
            identities[a] == identities[b],
            np.stack([identities[a], identities[b]], axis=1),
        )

    rng = np.random.default_rng(1)
    tars = [tar_at_far(s[t], s[~t], [0.1])[0]["tar"] for s, t, _ in (draw(rng) for _ in range(150))]
    s, t, identities = draw(rng)
    found = verification_metrics(s, t, identities=identities, fars=[0.1], n_bootstrap=300)
    row = found["tar_at_far"][0]
    spread = np.subtract(*np.quantile(tars, [0.975, 0.025]))
    width = np.subtract(*row["identity_interval"][::-1])
    assert 0.5 < width / spread < 2
    assert width > 1.5 * np.subtract(*row["interval"][::-1])


def naive_threshold(similarity, same):
    values = sorted(set(similarity))
    cuts = [values[0] - 1, *((a + b) / 2 for a, b in pairwise(values))]
    cuts.append(values[-1] + 1)
    right = [sum((v > c) == bool(t) for v, t in zip(similarity, same, strict=True)) for c in cuts]
    best = [c for c, r in zip(cuts, right, strict=True) if r == max(right)]
    return best[(len(best) - 1) // 2]


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=1, max_size=40))
def test_best_threshold_is_the_middle_one_of_the_most_accurate(pairs):
    similarity = np.array([v / 4 for v, _ in pairs])
    same = np.array([t for _, t in pairs])
    assert best_threshold(similarity, same) == naive_threshold(similarity.tolist(), same.tolist())


def test_each_fold_uses_the_threshold_of_the_other_folds():
    rng = np.random.default_rng(0)
    same = np.tile([True, False], 300)
    fold = np.repeat(np.arange(10), 60)
    similarity = rng.normal(size=600) + 2 * same + 0.3 * (fold % 3)
    got = fold_accuracy(similarity, same, fold)
    each = []
    for f in range(10):
        cut = naive_threshold(similarity[fold != f].tolist(), same[fold != f].tolist())
        each.append(((similarity[fold == f] > cut) == same[fold == f]).mean())
    assert [row["accuracy"] for row in got["folds"]] == each
    assert got["accuracy"] == pytest.approx(np.mean(each))
    assert got["standard_error"] == pytest.approx(np.std(each, ddof=1) / np.sqrt(10))
    # Independent of the order of the pairs.
    order = rng.permutation(600)
    assert fold_accuracy(similarity[order], same[order], fold[order]) == got


def test_features_of_images_and_mirror_images_are_concatenated():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, size=(7, 4, 6, 3)).astype(np.uint8)

    def extract(batch):
        return np.asarray(batch, dtype=np.float64)[:, :, 0, :].reshape(len(batch), -1) + 1

    got = pair_features(images, extract, batch_size=3)
    want = np.concatenate([extract(images), extract(images[:, :, ::-1])], axis=1)
    np.testing.assert_allclose(got, want / np.linalg.norm(want, axis=1, keepdims=True), rtol=1e-6)
    ready = pair_features(extract(images), mirrored=extract(images[:, :, ::-1]))
    np.testing.assert_allclose(got, ready)
    cosine = pair_similarity(want, [0, 1], [2, 3])
    np.testing.assert_allclose(cosine, np.einsum("nd,nd->n", got[[0, 1]], got[[2, 3]]), rtol=1e-6)


def test_a_template_is_the_normalized_mean_of_its_frames():
    x = np.array([[2.0, 0.0], [0.0, 1.0], [0.0, 3.0]])
    pooled, names = pool_templates(x, ["b", "b", "a"])
    assert names.tolist() == ["a", "b"]
    np.testing.assert_allclose(pooled, [[0, 1], [np.sqrt(0.5), np.sqrt(0.5)]])


def test_challenging_pairs_are_nearest_if_correct_and_farthest_if_wrong():
    similarity = np.array([0.9, 0.6, 0.1, 0.4, 0.45, 0.2, 0.8])
    same = np.array([1, 1, 1, 1, 0, 0, 0], dtype=bool)
    got = challenging_pairs(similarity, same, 0.5, each=2)
    assert got["right_same"].tolist() == [1, 0]
    assert got["wrong_same"].tolist() == [2, 3]
    assert got["right_different"].tolist() == [4, 5]
    assert got["wrong_different"].tolist() == [6]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tar_at_far([0.1, np.nan], [0.2]), "genuine.*nan at index 1"),
        (lambda: tar_at_far([0.1], []), "impostor.*at least one"),
        (lambda: tar_at_far([0.1], [0.2], [2]), "FAR is 2"),
        (lambda: tar_at_far([0.1], ["a"]), "must be numbers"),
        (lambda: tar_at_far([0.1], [0.2], genuine_identities=[1, 2]), "genuine_identities"),
        (
            lambda: tar_at_far([0.1], [0.2], genuine_identities=[1], impostor_identities=[1]),
            "two identities",
        ),
        (lambda: fold_accuracy([1, 2], [1], [0, 1]), "same must be"),
        (lambda: fold_accuracy([1, 2], [1, 0], [0, 0]), "a single fold"),
        (lambda: fold_accuracy([1, 2], [1, 0], [0, 1]), "of one kind"),
        (lambda: fold_accuracy([1, 2], [1, 3], [0, 1]), "true or false"),
        (lambda: verification_metrics([1, 2], [1, 1]), "no pair of two identities"),
        (lambda: verification_metrics([1, 2], [0, 0]), "no pair of one identity"),
        (lambda: verification_metrics([1, 2], [1, 0], identities=[[1, 1], [2, 2]]), "disagree"),
        (lambda: verification_metrics([1, 2], [1, 0, 1]), "same must be"),
        (lambda: pair_similarity([[0.0, 0.0], [1, 1]], [0], [1]), "zeros at row 0"),
        (lambda: pair_similarity(np.eye(2), [0], [2]), "rows of the 2"),
        (lambda: pair_features(np.eye(2)), "either extract"),
        (lambda: pair_features(np.eye(2), mirrored=np.eye(3)), "must both be"),
        (lambda: pool_templates([[1.0, 0], [-1, 0]], [0, 0]), "templates are a row of zeros"),
        (lambda: pool_templates(np.eye(2), [0]), "template must name"),
    ],
)
def test_invalid_input_raises_a_one_sentence_error(call, message):
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
