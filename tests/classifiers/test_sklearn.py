"""The estimator follows scikit-learn's conventions and predicts by Eq. 10."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from clmle import NearestClusterClassifier, nearest_cluster_scores


@parametrize_with_checks([NearestClusterClassifier()])
def test_estimator_passes_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("rule", ["printed", "mean", "per-class"])
@pytest.mark.parametrize("normalize", [True, False])
def test_predict_agrees_with_nearest_cluster_scores(rule, normalize):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(600, 8)), rng.integers(5, size=600)
    model = NearestClusterClassifier(30, 7, rule, normalize, random_state=1).fit(X, y)
    queries = rng.normal(size=(100, 8)).astype(np.float32)
    unit = queries / np.linalg.norm(queries, axis=1, keepdims=True) if normalize else queries
    scores = nearest_cluster_scores(unit, model.centroids_, model.centroid_classes_, 7, rule)
    assert (model.predict(queries) == scores.argmax(axis=1)).mean() >= 0.99


def test_clone_pickle_pipeline_and_grid_search_work():
    X, y = load_digits(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), NearestClusterClassifier(random_state=0))
    search = GridSearchCV(
        pipeline, {"nearestclusterclassifier__cluster_size": [20, 200]}, cv=2
    ).fit(X, y)
    copy = pickle.loads(pickle.dumps(clone(search.best_estimator_).fit(X, y)))
    assert copy.score(X, y) > 0.85


def test_classes_may_be_strings():
    X = np.eye(4).repeat(5, axis=0)
    y = np.array(["a", "b", "c", "d"]).repeat(5)
    assert (NearestClusterClassifier().fit(X, y).predict(X) == y).all()


@pytest.mark.parametrize("options", [{"rule": "best"}, {"n_neighbors": 0}, {"cluster_size": 0}])
def test_error_names_the_bad_parameter(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        NearestClusterClassifier(**options).fit(np.eye(2), [0, 1])
