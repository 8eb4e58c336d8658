"""Figures by which methods are judged."""

from clmle.metrics.classification import balanced_accuracy, classification_metrics
from clmle.metrics.local_imbalance import LocalImbalance, local_imbalance

__all__ = [
    "LocalImbalance",
    "balanced_accuracy",
    "classification_metrics",
    "local_imbalance",
]
