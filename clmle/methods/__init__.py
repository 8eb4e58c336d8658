"""Methods, found by name. Adding one is adding a file here that registers its class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

if TYPE_CHECKING:
    from clmle.classifiers._base import Classifier
    from clmle.methods._variants import TUNED, method_variant, variant_title
    from clmle.methods.base import Batch, Loss, Method, Outputs, register
    from clmle.methods.registry import get_method, method_names
    from clmle.methods.softmax import Softmax

__all__ = [
    "TUNED",
    "Batch",
    "Classifier",
    "Loss",
    "Method",
    "Outputs",
    "Softmax",
    "get_method",
    "method_names",
    "method_variant",
    "register",
    "variant_title",
]

load_lazily(__name__)
