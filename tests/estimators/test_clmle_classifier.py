"""The classifier follows scikit-learn's conventions, is calibrated and takes new classes."""

import pickle

import numpy as np
import pytest
import torch
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline as imbalanced_pipeline
from imblearn.utils.estimator_checks import check_classifiers_with_encoded_labels
from sklearn.base import clone
from sklearn.datasets import load_digits, make_classification, make_multilabel_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, balanced_accuracy_score, brier_score_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from clmle import CLMLEClassifier
from clmle.errors import InputError
from clmle.estimators.holdout import multi_label_task, single_label_task

SHORT = {"max_iter": 8, "n_rounds": 1, "random_state": 0}


@parametrize_with_checks([CLMLEClassifier(max_iter=8, n_rounds=1)])
@pytest.mark.filterwarnings("ignore:Probabilities are not calibrated")
def test_estimator_passes_scikit_learns_checks(estimator, check):
    check(estimator)


def test_imbalanced_learns_check_of_string_labels_passes():
    check_classifiers_with_encoded_labels("CLMLEClassifier", CLMLEClassifier(max_iter=60))


def imbalanced(seed=0, n=3000):
    X, y = make_classification(
        n, 20, n_informative=8, n_clusters_per_class=3, weights=[0.93], class_sep=1.5,
        random_state=seed,
    )  # fmt: skip
    half = n // 2
    return X[:half], y[:half], X[half:], y[half:]


@pytest.fixture(scope="module")
def fitted():
    X, y, X_test, y_test = imbalanced()
    model = CLMLEClassifier((64,), max_iter=150, random_state=0).fit(X, y)
    return model, X_test, y_test


def test_decisions_have_equal_priors_and_probabilities_those_of_the_data(fitted):
    model, X, y = fitted
    log_prior = np.log(model.class_counts_)
    probability = model.predict_proba(X)
    want = model.decision_function(X) + log_prior[1] - log_prior[0]
    np.testing.assert_allclose(probability[:, 1], 1 / (1 + np.exp(-want)), atol=1e-12)
    assert model.predict(X).tolist() == (model.decision_function(X) > 0).astype(int).tolist()
    # Calibrated: right on average, and better than the frequency of the class.
    assert abs(probability[:, 1].mean() - y.mean()) < 0.02
    assert brier_score_loss(y, probability[:, 1]) < 0.8 * y.mean() * (1 - y.mean())


def test_a_hidden_layer_beats_balanced_logistic_regression_on_classes_of_several_modes(fitted):
    model, X_test, y_test = fitted
    X, y, _, _ = imbalanced()
    linear = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced")).fit(X, y)
    for score, method in (
        (balanced_accuracy_score, "predict"),
        (average_precision_score, "decision_function"),
    ):
        ours, theirs = (score(y_test, getattr(m, method)(X_test)) for m in (model, linear))
        assert ours > theirs + 0.02, score.__name__


def test_embedding_has_unit_length_and_named_columns(fitted):
    model, X, _ = fitted
    z = model.transform(X)
    assert z.shape == (len(X), 64)
    np.testing.assert_allclose(np.linalg.norm(z, axis=1), 1)
    assert model.get_feature_names_out()[0] == "clmleclassifier0"


def test_equal_seeds_give_equal_models_and_the_global_generator_is_left_alone():
    X, y, X_test, _ = imbalanced(n=400)
    torch.manual_seed(3)
    want = torch.get_rng_state()
    models = [CLMLEClassifier(**SHORT).fit(X, y) for _ in range(2)]
    assert torch.equal(torch.get_rng_state(), want)
    a, b = (model.decision_function(X_test) for model in models)
    np.testing.assert_array_equal(a, b)
    copy = pickle.loads(pickle.dumps(models[0]))
    np.testing.assert_array_equal(copy.decision_function(X_test), a)


def test_units_of_features_do_not_matter():
    X, y, X_test, _ = imbalanced(n=400)
    offset, unit = np.linspace(0, 1e9, 20), np.logspace(-6, 6, 20)
    a = CLMLEClassifier(**SHORT).fit(X, y).decision_function(X_test)
    b = CLMLEClassifier(**SHORT).fit(offset + unit * X, y).decision_function(offset + unit * X_test)
    assert np.mean((a > 0) == (b > 0)) > 0.95


def test_it_works_in_pipelines_and_searches_of_both_packages():
    X, y, X_test, _ = imbalanced(n=400)
    model = imbalanced_pipeline(StandardScaler(), SMOTE(random_state=0), CLMLEClassifier(**SHORT))
    grid = {"clmleclassifier__hidden": [(), (8,)], "clmleclassifier__margin_weight": [0.0, 0.5]}
    search = GridSearchCV(model, grid, scoring="balanced_accuracy", cv=2).fit(X, y)
    assert clone(search.best_estimator_).fit(X, y).predict(X_test).shape == (200,)
    on_embedding = make_pipeline(CLMLEClassifier(**SHORT), LogisticRegression()).fit(X, y)
    assert on_embedding.score(X_test, y[:200]) > 0.5


def digits(left_out):
    X, y = load_digits(return_X_y=True)
    names = np.array([f"digit {c}" for c in y])
    old = ~np.isin(y, left_out)
    return X, names, old, np.arange(len(y)) % 2 == 0


def test_new_classes_are_recognized_without_training():
    X, y, old, train = digits([3, 7])
    model = CLMLEClassifier(max_iter=100, random_state=0).fit(X[train & old], y[train & old])
    before = model.decision_function(X[:1])
    new = train & ~old
    assert model.add_classes(X[new], y[new]) is model
    assert model.classes_.tolist() == sorted(set(y))
    assert before.shape == (1, 8)
    assert model.predict_proba(X).shape == (len(X), 10)
    np.testing.assert_allclose(model.predict_proba(X[:5]).sum(axis=1), 1)
    predicted = model.predict(X[~train])
    right = predicted == y[~train]
    assert right[old[~train]].mean() > 0.8
    assert right[~old[~train]].mean() > 0.7


def test_one_new_class_after_another_is_the_same_as_both_at_once():
    X, y, old, train = digits([3, 7])
    model = CLMLEClassifier(**SHORT).fit(X[train & old], y[train & old])
    once, twice = pickle.loads(pickle.dumps(model)), model
    new = train & ~old
    once.add_classes(X[new], y[new])
    for name in ("digit 7", "digit 3"):
        twice.add_classes(X[new & (y == name)], y[new & (y == name)])
    np.testing.assert_allclose(twice.decision_function(X), once.decision_function(X), atol=1e-4)


def test_several_labels_are_learned_together():
    X, Y = make_multilabel_classification(900, 20, n_classes=4, n_labels=2, random_state=0)
    Y = np.column_stack([Y, np.zeros(900, dtype=int)])  # a label that never occurs
    model = CLMLEClassifier(max_iter=120, random_state=0).fit(X[:600], Y[:600])
    predicted, probability = model.predict(X[600:]), model.predict_proba(X[600:])
    assert predicted.shape == probability.shape == (300, 5)
    assert not predicted[:, 4].any()
    assert not probability[:, 4].any()
    for a in range(4):
        assert balanced_accuracy_score(Y[600:, a], predicted[:, a]) > 0.72, a
        assert abs(probability[:, a].mean() - Y[600:, a].mean()) < 0.1, a
    z = model.transform(X).reshape(900, 4, 64)
    np.testing.assert_allclose(np.linalg.norm(z, axis=2), 1)
    with pytest.raises(InputError, match="one class per sample"):
        model.add_classes(X, Y[:, 0])


def test_constant_labels_need_no_training():
    X, Y = np.random.default_rng(0).normal(size=(10, 3)), np.tile([0, 1], (10, 1))
    model = CLMLEClassifier(**SHORT).fit(X, Y)
    assert model.predict(X).tolist() == Y.tolist()
    assert model.predict_proba(X).tolist() == Y.tolist()


def test_every_class_stays_in_training_and_is_held_out_if_it_can_be():
    y = np.repeat([0, 1, 2, 3], [50, 10, 3, 1])
    task = single_label_task(np.zeros((64, 2)), y, 0.2, 0)
    assert np.bincount(y[task.train]).tolist() == [40, 8, 2, 1]
    assert np.bincount(y[task.validation], minlength=4).tolist() == [10, 2, 1, 0]
    Y = (np.random.default_rng(0).random((200, 3)) < [0.5, 0.1, 0.02]).astype(np.int64)
    several = multi_label_task(np.zeros((200, 2)), Y, 0.2, 0)
    assert len(several.validation) == 40
    assert (several.class_counts() >= np.ceil(0.6 * several.class_counts("train"))).all()
    assert (several.class_counts().min(axis=1) >= 2).all()
    assert len(np.intersect1d(several.train, several.validation)) == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hidden": (0,)}, "hidden is 0"),
        ({"max_iter": 0}, "max_iter is 0"),
        ({"scale": 0.0}, "scale"),
        ({"learning_rate": 1e9}, "learning_rate"),
        ({"validation_fraction": 1.0}, "validation_fraction is 1"),
    ],
)
def test_errors_name_what_is_wrong(options, words):
    X, y, _, _ = imbalanced(n=200)
    with pytest.raises(InputError, match=words):
        CLMLEClassifier(**options).fit(X, y)


def test_known_classes_and_other_types_cannot_be_added():
    X, y, _, _ = imbalanced(n=200)
    model = CLMLEClassifier(**SHORT).fit(X, y)
    with pytest.raises(InputError, match="already knows: 1"):
        model.add_classes(X, y + 1)
    with pytest.raises(InputError, match="type"):
        model.add_classes(X[:2], ["a", "b"])
