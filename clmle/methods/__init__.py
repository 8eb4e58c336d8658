"""Methods by name; adding a method is adding a file that registers its class."""

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

if TYPE_CHECKING:
    from clmle.classifiers._base import Classifier
    from clmle.methods._base import Batch, Loss, Method, Outputs, register
    from clmle.methods._registry import (
        TUNED,
        get_method,
        method_groups,
        method_names,
        method_options,
        method_variant,
        variant_title,
    )
    from clmle.methods.softmax import SamplingOptions, Softmax

load_lazily(__name__)
