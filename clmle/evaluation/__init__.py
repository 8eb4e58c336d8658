"""Figures by which methods are judged."""

from clmle.evaluation.classification import balanced_accuracy, classification_figures

__all__ = ["balanced_accuracy", "classification_figures"]
