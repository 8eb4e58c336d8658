"""Classifiers as PyTorch modules score as the stored ones; every kind has a module."""

import numpy as np
import pytest
import torch

from clmle.classifiers import (
    ClusterClassifier,
    ClusterVoteClassifier,
    HeadClassifier,
    KNNClassifier,
    LinearClassifier,
    OffsetClassifier,
    PrototypeClassifier,
    StackedClassifier,
)
from clmle.classifiers._base import CLASSIFIERS, Classifier, restore_classifier
from clmle.classifiers.torch_classifier import MODULES, as_module
from clmle.errors import InputError
from clmle.methods._multi_label import MultiLabelClassifier

D, C, K = 6, 4, 30
RNG = np.random.default_rng(0)
CENTROIDS = RNG.normal(size=(K, D)).astype(np.float32)
UNIT = CENTROIDS / np.linalg.norm(CENTROIDS, axis=1, keepdims=True)
CLASSES = np.concatenate([np.zeros(20), np.ones(6), np.full(3, 2), [3]]).astype(np.int64)

KINDS = {
    "head": HeadClassifier(),
    "offset": OffsetClassifier(np.array([0.5, -0.5, 0.25, -0.25])),
    "linear": LinearClassifier(RNG.normal(size=(C, D)), RNG.normal(size=C), False, "linear"),
    "linear, unit": LinearClassifier(RNG.normal(size=(C, D)), RNG.normal(size=C), True, "cosine"),
    **{
        f"clusters, {rule}, {n}": ClusterClassifier(UNIT, CLASSES, n, rule, 4.0, C)
        for rule in ("printed", "mean", "per-class")
        for n in (1, 4, 50)
    },
    "clusters, a class without": ClusterClassifier(UNIT, CLASSES, 3, "per-class", 1.0, C + 1),
    **{
        f"votes, {vote}": ClusterVoteClassifier(CENTROIDS, CLASSES, 5, vote, 0.1, C)
        for vote in ("gaussian", "gap")
    },
    "prototypes": PrototypeClassifier(UNIT, CLASSES),
    "neighbors": KNNClassifier(UNIT, CLASSES, 7, C),
    "joint": StackedClassifier(
        ClusterClassifier(UNIT, CLASSES, 2, "mean", 4.0, C), 0.7, 0.3, RNG.normal(size=C)
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_module_scores_as_the_classifier(name):
    classifier = KINDS[name]
    features = RNG.normal(size=(200, D)).astype(np.float32)
    logits = RNG.normal(size=(200, C)).astype(np.float32)
    wanted = classifier.scores(features, logits)
    found = as_module(classifier)(torch.from_numpy(features), torch.from_numpy(logits)).numpy()
    assert found.shape == wanted.shape
    np.testing.assert_array_equal(np.isinf(found), np.isinf(wanted))
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


def test_the_classifiers_of_several_attributes():
    parts = [HeadClassifier(), OffsetClassifier(np.array([-1.0, 1.0]))]
    features = RNG.normal(size=(9, 2, D)).astype(np.float32)
    logits = RNG.normal(size=(9, 2, 2)).astype(np.float32)
    both = MultiLabelClassifier(parts)
    found = as_module(both)(torch.from_numpy(features), torch.from_numpy(logits)).numpy()
    np.testing.assert_allclose(found, both.scores(features, logits), atol=1e-5)


def test_every_kind_of_stored_classifier_has_a_module():
    restore_classifier("head", {}, {})  # registers all
    assert set(MODULES) == set(CLASSIFIERS)


def test_an_unknown_classifier_is_refused():
    class Own(Classifier):
        kind, rule = "own", "my rule"

        def scores(self, features, logits):
            return logits

    with pytest.raises(InputError, match="my rule"):
        as_module(Own())
