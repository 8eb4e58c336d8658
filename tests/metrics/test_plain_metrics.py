"""Metrics of labels and predictions, against scikit-learn and loops."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, recall_score
from sklearn.neighbors import NearestNeighbors

from clmle import InputError
from clmle.metrics import balanced_accuracy, impostor_rate, shot_accuracy, worst_group_recall

RNG = np.random.default_rng(0)
LABELS = RNG.choice(4, 200, p=[0.6, 0.25, 0.1, 0.05])
PREDICTED = np.where(RNG.random(200) < 0.7, LABELS, RNG.choice(5, 200))
WORDS = np.array(["cat", "dog", "owl", "fox", "elk"])


@pytest.mark.parametrize("names", [np.arange(5), WORDS, np.array([7, -1, 3, 0, 100])])
def test_balanced_accuracy_and_the_worst_class_are_those_of_scikit_learn(names):
    y, predicted = names[LABELS], names[PREDICTED]
    seen = np.isin(predicted, y)  # scikit-learn warns about classes that do not occur
    wanted = balanced_accuracy_score(y[seen], predicted[seen])
    assert balanced_accuracy(y[seen], predicted[seen]) == pytest.approx(wanted)
    recall = recall_score(LABELS, PREDICTED, average=None, labels=np.arange(4))
    assert worst_group_recall(y, predicted, y) == pytest.approx(recall.min())


def test_the_worst_group_is_the_class_and_group_with_the_lowest_recall():
    groups = np.array(["north", "south"])[RNG.integers(0, 2, 200)]
    each = [
        np.mean(PREDICTED[inside] == c)
        for c in range(4)
        for g in ("north", "south")
        if (inside := (c == LABELS) & (groups == g)).any()
    ]
    assert worst_group_recall(LABELS, PREDICTED, groups) == pytest.approx(min(each))


@pytest.mark.parametrize("of", [None, 3])
def test_impostor_rate_is_that_of_the_neighbors_of_scikit_learn(of):
    x = RNG.normal(size=(200, 3)).astype(np.float32)
    near = NearestNeighbors(n_neighbors=6).fit(x).kneighbors(return_distance=False)
    impostors = (LABELS[near] != LABELS[:, None]).mean(axis=1)
    wanted = impostors.mean() if of is None else impostors[of == LABELS].mean()
    assert impostor_rate(x, LABELS, 6, of=of) == pytest.approx(wanted)


def test_many_medium_and_few_are_means_of_recalls():
    recall = recall_score(LABELS, PREDICTED, average=None, labels=np.arange(4))
    found = shot_accuracy([300, 101, 20, 19], recall)
    assert found["many"]["accuracy"] == pytest.approx(recall[:2].mean())
    assert found["medium"]["accuracy"] == pytest.approx(recall[2])
    assert found["few"]["accuracy"] == pytest.approx(recall[3])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: balanced_accuracy([0, 1], [0]), "labels and predicted must be"),
        (lambda: balanced_accuracy([], []), "labels and predicted must be"),
        (lambda: balanced_accuracy([[1, 0]], [[1, 0]]), "labels and predicted must be"),
        (lambda: balanced_accuracy(["0", "1"], [0, 1]), "labels are <U1 and predicted are int64"),
        (lambda: balanced_accuracy([0.0, np.nan], [0.0, 1.0]), "labels contain NaN"),
        (lambda: worst_group_recall([0, 1], [0, 1], [0]), "groups must name one"),
        (lambda: impostor_rate(np.eye(3), np.zeros(3), of=4), "No sample has the class 4"),
    ],
)
def test_errors_name_the_bad_argument(call, message):
    with pytest.raises(InputError, match=f"^{message}"):
        call()
