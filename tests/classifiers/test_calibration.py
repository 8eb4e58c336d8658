"""Weights and offsets from validation data."""

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from clmle.classifiers._base import (
    accuracy_of_scores,
    best_classifier,
    log_softmax,
    restore_classifier,
)
from clmle.classifiers.calibration import (
    FITS,
    balanced_calibration,
    calibrate,
    fit_calibration,
    threshold_calibration,
)
from clmle.classifiers.cluster_vote import ClusterVoteClassifier
from clmle.classifiers.knn import KNNClassifier, PrototypeClassifier
from clmle.classifiers.linear import HeadClassifier, LinearClassifier, OffsetClassifier
from clmle.classifiers.nearest_cluster import ClusterClassifier
from clmle.classifiers.stacked import StackedClassifier
from clmle.errors import InputError
from clmle.methods._multi_label import MultiLabelClassifier
from clmle.presets import preset_config
from clmle.run_folder import create_run
from clmle.training import train

FIT = "balanced-logistic"
LINEAR = np.eye(2), np.zeros(2), False, "identity"


def binary(n=500, rate=0.1, seed=0):
    rng = np.random.default_rng(seed)
    y = (rng.random(n) < rate).astype(int)
    return np.stack([np.zeros(n), 3 * y + 2 * rng.normal(size=n) - 4], axis=1), y


def test_one_score_and_two_classes_is_balanced_logistic_regression():
    scores, y = binary()
    (weight,), offset = balanced_calibration([scores], y)
    d = scores[:, 1] - scores[:, 0]
    peer = LogisticRegression(class_weight="balanced", tol=1e-10).fit(
        ((d - d.mean()) / d.std())[:, None], y
    )
    slope = peer.coef_[0, 0] / d.std()
    assert weight == pytest.approx(slope, rel=1e-3)
    assert offset[1] - offset[0] == pytest.approx(peer.intercept_[0] - slope * d.mean(), rel=1e-3)


def test_weights_of_two_scores_equal_those_of_logistic_regression():
    first, y = binary()
    second = np.stack([np.zeros(len(y)), y + np.random.default_rng(9).normal(size=len(y))], axis=1)
    weights, _ = balanced_calibration([first, second], y)
    x = np.stack([s[:, 1] - s[:, 0] for s in (first, second)], axis=1)
    peer = LogisticRegression(class_weight="balanced", tol=1e-10).fit(
        (x - x.mean(axis=0)) / x.std(axis=0), y
    )
    np.testing.assert_allclose(weights, peer.coef_[0] / x.std(axis=0), rtol=2e-3)


def test_a_score_without_information_has_almost_no_weight():
    rng = np.random.default_rng(1)
    y = rng.integers(0, 5, 2000)
    useful = rng.normal(size=(2000, 5))
    useful[np.arange(2000), y] += 3
    weights, _ = balanced_calibration([useful, rng.normal(size=(2000, 5))], y)
    assert weights[0] > 1
    assert weights[1] < 0.05 * weights[0]


def test_offsets_undo_a_shift_of_many_classes():
    rng = np.random.default_rng(2)
    y = rng.integers(0, 6, 6000)
    scores = rng.normal(size=(6000, 6))
    scores[np.arange(6000), y] += 2
    shift = np.array([3.0, -3, 0, 1, -1, 2])
    before = accuracy_of_scores(y, scores)
    (weight,), offset = balanced_calibration([scores + shift], y)
    after = accuracy_of_scores(y, weight * (scores + shift) + offset)
    assert accuracy_of_scores(y, scores + shift) < before - 0.1
    assert after == pytest.approx(before, abs=0.01)


def test_separable_scores_and_an_absent_class_stay_finite():
    scores = np.array([[5.0, -5, 0], [4, -4, 0], [-5, 5, 0], [-4, 4, 0]])
    weights, offset = balanced_calibration([scores], np.array([0, 0, 1, 1]))
    assert np.isfinite(weights).all()
    assert np.isfinite(offset).all()
    assert ((weights[0] * scores + offset).argmax(axis=1) == [0, 0, 1, 1]).all()


def test_a_restored_stacked_classifier_gives_the_same_scores():
    rng = np.random.default_rng(3)
    centroids = rng.normal(size=(6, 4)).astype(np.float32)
    centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
    clusters = ClusterClassifier(centroids, np.array([0, 0, 0, 1, 1, 1]), 2, "per-class", 8.0, 2)
    features = rng.normal(size=(80, 4))
    logits, labels = rng.normal(size=(80, 2)), rng.integers(0, 2, 80)
    logits[np.arange(80), labels] += 1
    validation = features, logits, labels
    rule = StackedClassifier.fitted(clusters, validation).calibrated(validation, FIT)
    again = restore_classifier(rule.kind, rule.arrays(), rule.chosen())
    np.testing.assert_array_equal(again.scores(features, logits), rule.scores(features, logits))
    alone = StackedClassifier(clusters, 2.0, 0.0, np.array([0.0, 0.5]))
    assert alone.head_weight == 0
    np.testing.assert_array_equal(
        alone.scores(features, logits), alone.scores(features, log_softmax(logits) * 7)
    )


def test_best_classifier_returns_the_first_of_equally_accurate_ones():
    labels = np.array([0, 0, 0, 1])
    logits = np.array([[1.0, 0], [1, 0], [0, 1], [0.4, 0.5]])
    bad, good, alike = (OffsetClassifier(np.array([0.0, b])) for b in (5.0, 0.0, 0.01))
    validation = (np.empty((4, 0)), logits, labels)
    assert best_classifier([bad, good, alike], validation) is good


@pytest.mark.parametrize("how", FITS)
def test_offsets_raise_the_balanced_accuracy_of_the_head(how):
    rng = np.random.default_rng(4)
    labels = (rng.random(400) < 0.1).astype(int)
    logits = np.stack([np.zeros(400), 2 * labels + rng.normal(size=400) - 3], axis=1)
    validation = (np.empty((400, 0)), logits, labels)
    tuned = calibrate(HeadClassifier(), validation, how)
    assert isinstance(tuned, OffsetClassifier)
    before, after = (
        accuracy_of_scores(labels, c.scores(*validation[:2])) for c in (HeadClassifier(), tuned)
    )
    assert after > before + 0.1


@pytest.mark.parametrize("how", FITS)
def test_other_classifiers_are_calibrated_without_the_head_and_once(how):
    rng = np.random.default_rng(5)
    features, labels = rng.normal(size=(60, 3)), rng.integers(0, 2, 60)
    validation = (features, rng.normal(size=(60, 2)), labels)
    knn = KNNClassifier(features, labels, 5, 2)
    assert calibrate(knn, validation, "none") is knn
    tuned = calibrate(knn, validation, how)
    assert isinstance(tuned, StackedClassifier)
    assert tuned.head_weight == 0
    assert calibrate(tuned, validation, how) is tuned


def test_a_threshold_is_the_best_of_all_and_does_not_depend_on_a_shift():
    scores, y = binary(200)
    gap = np.sort(scores[:, 1] - scores[:, 0])
    every = [accuracy_of_scores(y, scores - [0, t]) for t in (gap[1:] + gap[:-1]) / 2]
    for shift in ([0, 0], [0, 7], [3, 0]):
        (weight,), offset = threshold_calibration([scores + shift], y)
        assert weight == 1
        assert accuracy_of_scores(y, scores + shift + offset) == pytest.approx(max(every))


def test_thresholds_of_many_classes_undo_a_shift_and_keep_an_absent_class():
    rng = np.random.default_rng(2)
    y = rng.integers(0, 5, 3000)
    scores = rng.normal(size=(3000, 6))
    scores[np.arange(3000), y] += 2
    shift = np.array([3.0, -3, 0, 1, -1, 0])
    before = accuracy_of_scores(y, scores)
    _, offset = threshold_calibration([scores + shift], y)
    assert accuracy_of_scores(y, scores + shift + offset) >= before - 0.01
    assert np.isfinite(offset).all()


def contradicted(n_classes=2):
    """Features and logits of 40 images whose few minority images look like the majority."""
    rng = np.random.default_rng(7)
    labels = np.array([0] * 37 + [1] * 3)
    logits = np.zeros((40, n_classes))
    logits[:, 1] = np.where(labels == 1, -3.0, -2.0) + 0.1 * rng.normal(size=40)
    logits[0, 1] = 1.0  # the classifier itself does not always predict the majority
    return logits.copy(), logits, labels


@pytest.mark.parametrize("classifier", [HeadClassifier(), LinearClassifier(*LINEAR), "stacked"])
def test_a_fit_that_would_always_predict_one_class_is_left_out_with_a_warning(classifier):
    validation = contradicted()
    weights, _ = balanced_calibration([validation[1]], validation[2])
    assert weights[0] == 0  # the fit that must not be used
    if classifier == "stacked":
        classifier = StackedClassifier.fitted(LinearClassifier(*LINEAR), validation)
        assert min(classifier.cluster_weight, classifier.head_weight) > 0
    found, (_, left_out) = fit_calibration(classifier, validation, FIT)
    assert "it would always predict the same class" in left_out
    assert found is classifier
    assert len(np.unique(found.scores(*validation[:2]).argmax(axis=1))) == 2


def test_one_attribute_of_several_keeps_its_classifier_where_the_fit_is_of_no_use():
    bad = contradicted()
    good = bad[0], -bad[1], bad[2]  # the minority has the higher scores
    validation = tuple(np.stack(pair, axis=1) for pair in zip(good, bad, strict=True))
    heads = MultiLabelClassifier([HeadClassifier(), HeadClassifier()])
    found, sentences = fit_calibration(heads, validation, FIT, ("Bald", "Hat"))
    assert [c.kind for c in found.classifiers] == ["offset", "head"]
    few, left_out = sentences
    assert "Bald has 3, Hat has 3" in few
    assert "always predict the same class" in left_out


@pytest.mark.parametrize("how", FITS)
def test_few_validation_images_of_a_class_are_named(how):
    scores, labels = binary(200, rate=0.03)
    minority = int(labels.sum())
    assert minority < 10
    validation = (np.empty((200, 0)), scores, labels)
    _, sentences = fit_calibration(HeadClassifier(), validation, how, ("circle", "ring"))
    assert sentences == [
        "Calibration is uncertain for classes with fewer than 10 validation images: "
        f"ring has {minority}."
    ]
    assert fit_calibration(HeadClassifier(), validation, "none")[1] == []


def test_a_stack_without_calibration_has_no_offsets():
    scores, labels = binary()
    validation = scores, scores, labels
    stack = StackedClassifier.fitted(LinearClassifier(*LINEAR), validation)
    assert not stack.offset.any()
    for how in FITS:
        tuned = calibrate(stack, validation, how)
        before, after = (
            accuracy_of_scores(labels, c.scores(*validation[:2])) for c in (stack, tuned)
        )
        assert after > before + 0.1


def test_an_unknown_kind_of_calibration_is_refused():
    with pytest.raises(InputError, match="choose one of: none, threshold, balanced-logistic"):
        calibrate(HeadClassifier(), contradicted(), "platt")


def test_a_run_whose_calibration_contradicts_training_is_no_constant_classifier(tmp_path):
    """The only validation image of the minority is unlike its training images."""
    rng = np.random.default_rng(0)

    def images(brightness):
        squares = rng.normal(90, 25, (len(brightness), 8, 8))
        squares[:, 2:6, 2:6] += 110 * np.array(brightness)[:, None, None]
        return squares.clip(0, 255).astype(np.uint8)

    splits = {"train": [0] * 60 + [1] * 12, "val": [0] * 20 + [1], "test": [0] * 20 + [1] * 20}
    arrays = {f"{name}_labels": np.array(labels) for name, labels in splits.items()}
    seen = splits | {"val": [0] * 20 + [-0.7]}
    arrays |= {f"{name}_images": images(labels) for name, labels in seen.items()}
    np.savez(tmp_path / "squares.npz", **arrays)
    config = preset_config("quick", "clmle", str(tmp_path / "squares.npz"))
    short = dataclasses.replace(
        config.train, backbone="tiny", feature_dim=8, iterations=30, pretrain_iterations=10,
        rounds=1, batch_size=48, threads=1,
    )  # fmt: skip
    data = dataclasses.replace(config.data, image_size=8)
    run = create_run(tmp_path, dataclasses.replace(config, train=short, data=data).to_dict())
    assert train(run)["test"]["balanced_accuracy"] > 0.9
    few, left_out = run.warnings()
    assert "fewer than 10 validation images: 1 has 1" in few
    assert "Calibration is left out" in left_out


@pytest.mark.parametrize(
    "classifier",
    [
        HeadClassifier(),
        OffsetClassifier(np.array([1.0, -1.0])),
        LinearClassifier(np.eye(3)[:2], np.array([0.0, 0.5]), True, "linear"),
        PrototypeClassifier(np.eye(3), np.array([0, 1, 1])),
        KNNClassifier(np.eye(3), np.array([0, 1, 1]), 2, 2),
        ClusterVoteClassifier(np.eye(3), np.array([0, 1, 1]), 2, "gap", 0.1, 2),
        ClusterClassifier(np.eye(3), np.array([0, 1, 1]), 2, "mean", 8.0, 2, {"between_margin": 1}),
    ],
    ids=lambda classifier: classifier.kind,
)
def test_a_restored_classifier_has_the_same_scores_and_values(classifier):
    again = restore_classifier(classifier.kind, classifier.arrays(), classifier.chosen())
    rng = np.random.default_rng(6)
    features, logits = rng.normal(size=(20, 3)), rng.normal(size=(20, 2))
    np.testing.assert_array_equal(
        again.scores(features, logits), classifier.scores(features, logits)
    )
    assert again.chosen() == classifier.chosen()
    assert all(np.ndim(value) == 0 or name == "offset" for name, value in again.chosen().items())
