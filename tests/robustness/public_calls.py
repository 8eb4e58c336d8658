"""Valid calls of the public functions, and the outcomes that other arguments may have."""
# ruff: noqa: C408  (dict(...) reads like a call)

import numpy as np
import torch
from hypothesis import HealthCheck, settings

import clmle
from clmle import InputError, losses, metrics
from clmle.classifiers.sklearn import NearestClusterClassifier

FUZZ = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
RNG = np.random.default_rng(0)
N, D = 12, 4


def unit(n=N, d=D):
    x = RNG.normal(size=(n, d)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def tensors(**given):
    return {k: torch.from_numpy(v) if isinstance(v, np.ndarray) else v for k, v in given.items()}


LABELS = np.arange(N) % 3
BINARY = np.arange(N) % 2
SCORES = RNG.normal(size=(N, 2))
SLOTS = dict(
    features=unit(),
    clusters=np.arange(N) % 4,
    cluster_classes=np.array([0, 0, 1, 2]),
    between_margin=0.3,
    within_margin=0.1,
)


def classify(features, labels, cluster_size, n_neighbors, rule):
    model = NearestClusterClassifier(cluster_size, n_neighbors, rule, random_state=0)
    return model.fit(features, labels).predict_proba(features)


def module(labels, dim, scale, embeddings, indices):
    loss = clmle.CLMLELoss(labels, dim, cluster_size=2, scale=scale)
    return loss(embeddings, None, indices)


def bounds(class_counts, dim, scale):
    found = clmle.margin_bounds(class_counts, dim)
    return found.between, found.within, found.within_arc, found.feasible_between(3, scale)


# Public functions with valid arguments; the fuzz tests change each argument.
CALLS = {
    "balanced_spherical_kmeans": (
        lambda **a: vars(clmle.balanced_spherical_kmeans(**a)),
        dict(features=unit(), cluster_size=4, n_clusters=3, init=unit(3), max_iter=5, seed=0),
    ),
    "balanced_spherical_kmeans of tensors": (
        lambda **a: vars(clmle.balanced_spherical_kmeans(**a)),
        tensors(features=unit(), n_clusters=3, init=unit(3)),
    ),
    "NearestClusterClassifier": (
        classify,
        dict(features=unit(), labels=LABELS, cluster_size=2, n_neighbors=3, rule="mean"),
    ),
    "nearest_cluster_scores": (
        clmle.nearest_cluster_scores,
        dict(
            queries=unit(), centroids=unit(6), centroid_classes=np.arange(6) % 3, n_neighbors=6,
            rule="mean", scale=2.0, n_classes=3,
        ),
    ),
    "nearest_cluster_terms": (
        clmle.nearest_cluster_terms,
        dict(
            query=unit()[0], centroids=unit(6), centroid_classes=np.arange(6) % 3, n_neighbors=6,
            rule="per-class",
        ),
    ),
    "clmle_loss": (
        clmle.clmle_loss,
        tensors(
            **SLOTS, sample_weight=np.ones(N, dtype=np.float32), scale=4.0, denominator="mean",
            centroids=unit(4), reduction="mean", within_weight=0.5,
        ),
    ),
    "clmle_loss with a margin for each class": (
        clmle.clmle_loss,
        tensors(**SLOTS | {"within_margin": np.array([0.1, 0.2, 0.3], dtype=np.float32)}),
    ),
    "CLMLELoss": (
        module,
        dict(labels=LABELS, dim=D, scale=4.0, **tensors(embeddings=unit(), indices=np.arange(N))),
    ),
    "cluster_loss": (
        losses.cluster_loss,
        tensors(features=unit(), clusters=np.arange(N) % 4, n_clusters=4, margin=0.3, scale=4.0),
    ),
    "inverse_frequency_weights": (losses.inverse_frequency_weights, tensors(classes=LABELS)),
    "margin_bounds": (bounds, dict(class_counts=np.array([900, 60, 12]), dim=64, scale=8.0)),
    "margin_grid": (clmle.margin_grid, dict(bound=1.5, n=4)),
    "balanced_accuracy": (
        metrics.balanced_accuracy, dict(labels=LABELS, predicted=BINARY)
    ),
    "worst_group_recall": (
        metrics.worst_group_recall, dict(labels=LABELS, predicted=BINARY, groups=BINARY)
    ),
    "impostor_rate": (metrics.impostor_rate, dict(features=unit(), labels=LABELS, k=3, of=1)),
    "classification_metrics": (
        metrics.classification_metrics,
        dict(labels=LABELS, scores=RNG.normal(size=(N, 3))),
    ),
    "local_imbalance": (
        lambda **a: vars(metrics.local_imbalance(**a)),
        dict(features=unit(), labels=LABELS, k=3),
    ),
    "attribute_metrics": (
        metrics.attribute_metrics,
        dict(
            labels=np.stack([BINARY, BINARY[::-1]], axis=1), scores=RNG.normal(size=(N, 2, 2)),
            names=["a", "b"], n_bootstrap=20,
        ),
    ),
    "accuracy_by_frequency": (
        metrics.accuracy_by_frequency,
        dict(counts=np.array([900, 60, 12]), labels=LABELS, right=BINARY == 1, n_bootstrap=20),
    ),
    "confident_errors": (
        metrics.confident_errors, dict(labels=BINARY, scores=SCORES, count=3)
    ),
    "roc_points": (metrics.roc_points, dict(labels=BINARY, scores=SCORES)),
    "precision_recall_points": (
        metrics.precision_recall_points, dict(labels=BINARY, scores=SCORES)
    ),
    "cmc": (metrics.cmc, dict(ranks=np.array([1, 1, 2, 5]), largest=6)),
    "identify": (
        metrics.identify,
        dict(
            gallery=unit(), gallery_identities=np.arange(N), probes=unit(),
            probe_identities=np.arange(N), fpirs=[0.1], n_bootstrap=20,
        ),
    ),
    "pair_similarity": (
        metrics.pair_similarity,
        dict(features=unit(), left=np.arange(5), right=np.arange(5) + 1),
    ),
    "pair_features": (metrics.pair_features, dict(images=unit(), mirrored=unit())),
    "pool_templates": (metrics.pool_templates, dict(features=unit(), template=LABELS)),
    "tar_at_far": (
        metrics.tar_at_far,
        dict(genuine=SCORES[:, 0], impostor=RNG.normal(size=40), fars=[0.1], n_bootstrap=20),
    ),
    "auc": (metrics.auc, dict(genuine=SCORES[:, 0], impostor=SCORES[:, 1])),
    "fold_accuracy": (
        metrics.fold_accuracy,
        dict(similarity=SCORES[:, 0], same=BINARY == 1, fold=np.arange(N) % 3),
    ),
    "verification_metrics": (
        metrics.verification_metrics,
        dict(similarity=SCORES[:, 0], same=BINARY == 1, n_bootstrap=20),
    ),
}  # fmt: skip


def numbers(result):
    """All numbers in a nested result."""
    if isinstance(result, dict):
        return [x for v in result.values() for x in numbers(v)]
    if isinstance(result, list | tuple):
        return [x for v in result for x in numbers(v)]
    if isinstance(result, torch.Tensor):
        result = result.detach().double().numpy()
    if isinstance(result, np.ndarray | float | np.floating):
        result = np.asarray(result)
        return result.astype(np.float64).reshape(-1) if result.dtype.kind in "fiub" else []
    return []


def is_sentence(error):
    text = str(error)
    return len(text) > 20 and text.rstrip()[-1] in ".)`" and "\n" not in text.strip()


def outcome(function, arguments):
    """The numbers of the result, or the error; other exceptions fail the test."""
    # scikit-learn checks the arguments of its estimators.
    allowed = ValueError if function is classify else InputError
    try:
        return np.array(list(numbers(function(**arguments))), dtype=float), None
    except allowed as error:
        return np.empty(0), error if isinstance(error, InputError) else None
