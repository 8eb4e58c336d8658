"""scikit-learn: the nearest-cluster classifier in a pipeline and a grid search."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from clmle import NearestClusterClassifier
from clmle.metrics import balanced_accuracy, shot_accuracy

# A long tail: 116 training images of the 0, each next digit about a third fewer, 4 of the 9.
X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X, y, stratify=y, test_size=0.35, random_state=0
)
sizes = np.geomspace(116, 4, 10).astype(int)
keep = np.concatenate([np.flatnonzero(y_train == c)[: sizes[c]] for c in range(10)])
X_train, y_train = X_train[keep], y_train[keep]

clusters = GridSearchCV(
    make_pipeline(StandardScaler(), NearestClusterClassifier(rule="mean", random_state=0)),
    {
        "nearestclusterclassifier__cluster_size": [5, 20],
        "nearestclusterclassifier__n_neighbors": [1, 3],
    },
    scoring="balanced_accuracy",
    cv=3,
)
models = {
    "logistic regression": make_pipeline(StandardScaler(), LogisticRegression()),
    "nearest clusters": clusters,
}
for name, model in models.items():
    predicted = model.fit(X_train, y_train).predict(X_test)
    recall = [np.mean(predicted[y_test == c] == c) for c in range(10)]
    shots = shot_accuracy(np.bincount(y_train), recall)
    print(f"{name}: balanced accuracy {balanced_accuracy(y_test, predicted):.3f}, "
          f"classes with fewer than 20 images {shots['few']['accuracy']:.3f}")  # fmt: skip
