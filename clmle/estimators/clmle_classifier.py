"""CLMLE as a scikit-learn classifier of feature vectors and tables."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from scipy.special import expit, softmax
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from clmle.checks import number, whole
from clmle.classifiers._base import Classifier, unit_rows
from clmle.config import Config, TrainConfig, check_bounds
from clmle.errors import InputError, some
from clmle.estimators.holdout import multi_label_task, single_label_task
from clmle.estimators.new_classes import with_new_classes
from clmle.estimators.training import Embedding, train_embedding
from clmle.methods import get_method
from clmle.threads import fitting_threads

FLOATS = [np.float64, np.float32]


# scikit-learn has no types.
class CLMLEClassifier(
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]
    TransformerMixin,  # type: ignore[misc]
    ClassifierMixin,  # type: ignore[misc]
    BaseEstimator,  # type: ignore[misc]
):
    """Embedding with margins between balanced clusters (Eq. 9), classified by nearest clusters.

    A linear or fully connected network maps standardized features to unit vectors. It is trained
    with the cross-entropy of a linear head and Eq. 9 between clusters, on class-balanced batches
    in which hard clusters are drawn more often. The head and the nearest clusters (Eq. 10) are
    combined and calibrated on rows that are held out.

    ``predict`` takes the class with the largest ``decision_function``, which has equal class
    priors: that maximizes balanced accuracy. ``predict_proba`` are probabilities at the class
    frequencies of the training data. Where classes are imbalanced, the most probable class may
    therefore not be the predicted one.

    Parameters
    ----------
    hidden : sequence of int, default=()
        Units of the hidden layers; without any the embedding is linear. With several labels there
        is one more layer, which they share.
    embedding_dim : int, default=64
        d, the dimension of the embedding; of each label's embedding if there are several.
    max_iter : int, default=300
        Training steps.
    batch_size : int, default=240
        Rows of a step.
    learning_rate : float, default=0.05
        Initial learning rate of SGD, which falls to 0 by a cosine.
    weight_decay : float, default=5e-4
    feature_noise : float, default=0.0
        Standard deviation of the noise added to standardized features in training.
    margin_weight : float, default=0.05
        Weight of Eq. 9 in the loss.
    between_margin_fraction : float, default=0.125
        a1, as a fraction of its upper bound for this number of classes and dimension.
    scale : float, default=8.0
        s in exp(s f.mu) of Eqs. 9 and 10.
    cluster_size : int, default=200
        l, samples per cluster.
    min_clusters : int, default=4
        Smallest number of clusters of a class, where it has as many samples.
    n_neighbors : int, default=3
        N, clusters of each class that Eq. 10 retrieves.
    hardness_power : float, default=2.0
        Clusters are drawn in proportion to their mean loss to this power.
    n_rounds : int, default=4
        Rounds of training, after each of which clusters are made again and validation rows are
        predicted. The best round is kept.
    validation_fraction : float, default=0.2
        Fraction of every class that is held out, above 0 and below 1. A class of one or two
        samples is not held out, and its probabilities are not calibrated.
    device : str, default="cpu"
        Where to train: "cpu", "cuda" or "auto". The fitted estimator is always on the CPU.
    random_state : int, RandomState instance or None, default=None
        Seed of the held-out rows, the network and the batches.

    Attributes
    ----------
    classes_ : (C,) array
        Classes in ascending order; indices of the labels for an indicator matrix.
    class_counts_ : (C,) array
        Samples of each class; of each label, positive ones.
    validation_score_ : float
        Balanced accuracy on the held-out rows; for several labels the mean.
    n_iter_ : int
    n_features_in_ : int

    See Also
    --------
    clmle.NearestClusterClassifier : nearest clusters of features as they are.

    Notes
    -----
    There is no ``sample_weight``: clusters and batches count samples. To weight classes, resample
    them (``imblearn``) or move the threshold of ``decision_function``.

    References
    ----------
    C. Huang, Y. Li, C. C. Loy, X. Tang, "Deep Imbalanced Learning for Face Recognition and
    Attribute Prediction", Eqs. 9 and 10. Platt, "Probabilistic Outputs for Support Vector
    Machines", 1999, for the calibration.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> X, y = make_classification(1000, weights=[0.95], class_sep=2.0, random_state=0)
    >>> model = CLMLEClassifier(max_iter=60, random_state=0).fit(X[:700], y[:700])
    >>> float(np.mean(model.predict(X[700:])[y[700:] == 1])) > 0.8  # recall of the minority
    True
    >>> model.transform(X).shape, model.predict_proba(X).shape
    ((1000, 64), (1000, 2))
    """

    def __init__(
        self,
        hidden: Sequence[int] = (),
        *,
        embedding_dim: int = 64,
        max_iter: int = 300,
        batch_size: int = 240,
        learning_rate: float = 0.05,
        weight_decay: float = 5e-4,
        feature_noise: float = 0.0,
        margin_weight: float = 0.05,
        between_margin_fraction: float = 0.125,
        scale: float = 8.0,
        cluster_size: int = 200,
        min_clusters: int = 4,
        n_neighbors: int = 3,
        hardness_power: float = 2.0,
        n_rounds: int = 4,
        validation_fraction: float = 0.2,
        device: str = "cpu",
        random_state: Any = None,
    ) -> None:
        self.hidden = hidden
        self.embedding_dim = embedding_dim
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.feature_noise = feature_noise
        self.margin_weight = margin_weight
        self.between_margin_fraction = between_margin_fraction
        self.scale = scale
        self.cluster_size = cluster_size
        self.min_clusters = min_clusters
        self.n_neighbors = n_neighbors
        self.hardness_power = hardness_power
        self.n_rounds = n_rounds
        self.validation_fraction = validation_fraction
        self.device = device
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def fit(self, X: Any, y: Any) -> CLMLEClassifier:
        """Train on ``X`` (n, d) and classes ``y`` (n,), or an indicator matrix ``y`` (n, A)."""
        X, y = validate_data(self, X, y, dtype=FLOATS, multi_output=True)
        check_classification_targets(y)
        fraction = number(self.validation_fraction, "validation_fraction", above=0)
        if fraction >= 1:
            raise InputError(f"validation_fraction is {fraction:g}, but must be below 1.")
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        several = type_of_target(y) == "multilabel-indicator"
        config, hidden = self._config(seed, several)
        self._scaler = StandardScaler().fit(X)
        rows = self._scaler.transform(X).astype(np.float32)
        self._several, self._label_type = several, y.dtype
        self._embedding: Embedding | None = None
        if several:
            self.classes_ = np.arange(y.shape[1])
            labels = (y != 0).astype(np.int64)
            self._negative_and_positive = np.stack([(labels == 0).sum(0), labels.sum(0)])
            self.class_counts_ = self._negative_and_positive[1]
            self._varies = (self._negative_and_positive > 0).all(axis=0)
            if self._varies.any():
                task = multi_label_task(rows, labels[:, self._varies], fraction, seed)
                self._embedding = train_embedding(task, config, hidden)
        else:
            y = column_or_1d(y, warn=True)
            self.classes_, labels = np.unique(y, return_inverse=True)
            self.class_counts_ = np.bincount(labels)
            if len(self.classes_) < 2:
                raise InputError("y has 1 class; two or more are needed to train.")
            one = single_label_task(rows, labels.astype(np.int64), fraction, seed)
            self._embedding = train_embedding(one, config, hidden)
            self._classifier: Classifier = self._embedding.classifier
            self._trained_classes = self.classes_
            self._new = np.empty((0, config.train.feature_dim), dtype=np.float32), y[:0]
        self.n_iter_ = int(self.max_iter)
        self.validation_score_ = self._embedding.accuracy if self._embedding else 1.0
        if self._embedding is not None and not self._embedding.is_calibrated:
            warnings.warn(
                "Probabilities are not calibrated: the held-out rows are too few or too hard; "
                "train on more samples, or raise max_iter or validation_fraction.",
                stacklevel=2,
            )
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the predicted classes (n,), or an indicator matrix (n, A)."""
        scores = self.decision_function(X)
        if self._several:
            return (scores > 0).astype(self._label_type)
        best = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        return np.asarray(self.classes_[best])

    def decision_function(self, X: Any) -> np.ndarray:
        """Return log-probabilities up to a constant, at equal class priors.

        They are (n, C); for two classes the log-odds (n,) of the second, and for several labels
        the log-odds (n, A) of each.
        """
        return self._decide(self._outputs(X))

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return calibrated probabilities at the class frequencies of the training data.

        They are (n, C), or (n, A) of each of several labels.
        """
        outputs = self._outputs(X)
        decision = self._decide(outputs)
        if self._several:
            with np.errstate(divide="ignore"):
                negative, positive = np.log(self._negative_and_positive)
            return np.asarray(expit(decision + positive - negative))
        if decision.ndim == 1:
            decision = np.stack([np.zeros(len(decision)), decision], axis=1)
        return np.asarray(softmax(decision + np.log(self.class_counts_), axis=1))

    def transform(self, X: Any) -> np.ndarray:
        """Return the embedding (n, d), of unit length; for several labels (n, A d), by label."""
        z = self._outputs(X)[0]
        return np.asarray(unit_rows(z.reshape(-1, z.shape[-1]), z.dtype)).reshape(len(z), -1)

    def add_classes(self, X: Any, y: Any) -> CLMLEClassifier:
        """Add new classes by the clusters of their samples, without training (section 4).

        From then on the nearest clusters alone decide, since the head does not know the new
        classes. Class offsets are fitted again; each half of the new samples is scored by clusters
        of the other half for that.

        Parameters
        ----------
        X : (n, d) array
        y : (n,) array
            Classes that are not among ``classes_``.

        Returns
        -------
        CLMLEClassifier
            The estimator itself.
        """
        check_is_fitted(self)
        if self._several:
            raise InputError("add_classes needs one class per sample, not an indicator matrix.")
        X, y = validate_data(self, X, y, reset=False, dtype=FLOATS)
        check_classification_targets(y)
        new, labels = np.unique(y, return_inverse=True)
        known = np.intersect1d(new, self.classes_)
        if len(known):
            raise InputError(
                f"add_classes takes new classes, but already knows: {some(known, 5)}; leave their "
                "samples out, or fit again."
            )
        if new.dtype.kind != self.classes_.dtype.kind:
            raise InputError(
                f"y holds classes of type {new.dtype}, but those of fit are {self.classes_.dtype}."
            )
        self._new = (
            np.concatenate([self._new[0], self.transform(X).astype(np.float32)]),
            np.concatenate([self._new[1], y]),
        )
        order = np.argsort(np.concatenate([self.classes_, new]))
        self.class_counts_ = np.concatenate([self.class_counts_, np.bincount(labels)])[order]
        self.classes_ = np.concatenate([self.classes_, new])[order]
        assert self._embedding is not None
        self._classifier = with_new_classes(
            self._embedding, self._trained_classes, self.classes_, *self._new, self.cluster_size
        )
        return self

    # --- steps ----------------------------------------------------------------------------------

    def _config(self, seed: int, several: bool) -> tuple[Config, tuple[int, ...]]:
        """The configuration of the training with the preset of the kind of task, and the layers."""
        hidden = np.atleast_1d(np.asarray(self.hidden)).tolist()
        units = tuple(whole(n, "hidden", 1) for n in hidden)
        whole_numbers = {
            name: whole(getattr(self, name), name, 1)
            for name in (
                "embedding_dim", "max_iter", "batch_size", "cluster_size", "min_clusters",
                "n_neighbors", "n_rounds",
            )
        }  # fmt: skip
        numbers = {
            name: number(getattr(self, name), name)
            for name in (
                "learning_rate", "weight_decay", "feature_noise", "margin_weight",
                "between_margin_fraction", "scale", "hardness_power",
            )
        }  # fmt: skip
        steps = whole_numbers["max_iter"]
        train = TrainConfig(
            backbone="linear", schedule="cosine", grad_clip_norm=10.0, seed=seed,
            pretrain_iterations=steps // 4, iterations=steps, rounds=whole_numbers["n_rounds"],
            feature_dim=whole_numbers["embedding_dim"], batch_size=whole_numbers["batch_size"],
            learning_rate=numbers["learning_rate"], weight_decay=numbers["weight_decay"],
            feature_noise=numbers["feature_noise"], device=self.device,
        )  # fmt: skip
        method = get_method("clmle")
        config = method.preset(
            Config("clmle", method.Options(), train=train),
            "multi-label" if several else "single-label",
        )
        own = (
            "cluster_size", "min_clusters", "n_neighbors", "hardness_power", "margin_weight",
            "between_margin_fraction", "scale",
        )  # fmt: skip
        given: dict[str, Any] = whole_numbers | numbers
        options = replace(config.options, **{name: given[name] for name in own})
        check_bounds(options)
        check_bounds(config.train)
        return replace(config, options=options), units

    def _outputs(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return z and logits of the rows of ``X``, in float64."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=FLOATS)
        if self._embedding is None:  # all labels are constant
            return np.zeros((len(X), 1, 1)), np.zeros((len(X), 0, 2))
        rows = torch.from_numpy(self._scaler.transform(X.astype(np.float64)))
        small = fitting_threads(len(rows) * rows.shape[1] * self.embedding_dim)
        with torch.inference_mode(), small:
            parts = [self._embedding.network(part[:, :, None, None]) for part in rows.split(4096)]
        z, logits = (torch.cat(one).numpy() for one in zip(*parts, strict=True))
        return z, logits

    def _decide(self, outputs: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """What :meth:`decision_function` returns, from z and logits."""
        z, logits = outputs
        if self._several:
            found = np.where(self.class_counts_ > 0, np.inf, -np.inf)
            scores = np.broadcast_to(found, (len(z), len(found))).copy()
            if self._embedding is not None:
                both = self._embedding.classifier.scores(z, logits)
                scores[:, self._varies] = both[..., 1] - both[..., 0]
            return scores
        if len(self._new[1]):  # no logits for the new classes
            logits = np.zeros((len(z), len(self.classes_)))
        scores = self._classifier.scores(z, logits)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    @property
    def _n_features_out(self) -> int:
        if self._embedding is None:
            return 1
        return int(np.prod(self._embedding.validation[0].shape[1:]))
