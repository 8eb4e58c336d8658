"""Training methods, found by name; one registered method per file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

if TYPE_CHECKING:
    from clmle.classifiers.base import Classifier
    from clmle.methods.base import Batch, Loss, Method, Outputs, register
    from clmle.methods.registry import get_method, method_names
    from clmle.methods.softmax import Softmax

__all__ = [
    "Batch",
    "Classifier",
    "Loss",
    "Method",
    "Outputs",
    "Softmax",
    "get_method",
    "method_names",
    "register",
]

load_lazily(__name__)
