"""Figures by which methods are judged."""

from clmle.evaluation.classification import balanced_accuracy, classification_figures
from clmle.evaluation.neighbourhood import Neighbourhoods, neighbourhoods

__all__ = [
    "Neighbourhoods",
    "balanced_accuracy",
    "classification_figures",
    "neighbourhoods",
]
