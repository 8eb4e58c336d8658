"""Names of variants: a method together with the settings that make it another baseline."""

from __future__ import annotations

from typing import Any

TUNED = " + threshold tuning"


def method_variant(name: str) -> dict[str, Any]:
    """Settings of the variant ``name``: a method, "method (weights)", or either with ``TUNED``.

    >>> method_variant("moon + threshold tuning")
    {'method': 'moon', 'train': {'calibration': 'offsets'}}
    >>> method_variant("class-weighting (median)")
    {'method': 'class-weighting', 'options': {'weights': 'median'}}
    """
    base, tuned, _ = name.partition(TUNED)
    method, _, weights = base.rstrip(")").partition(" (")
    variant: dict[str, Any] = {"method": method}
    if weights:
        variant["options"] = {"weights": weights}
    if tuned:
        variant["train"] = {"calibration": "offsets"}
    return variant


def variant_title(name: str) -> str:
    """Title of the variant ``name`` for lists and captions."""
    from clmle.methods import get_method

    base, tuned, _ = name.partition(TUNED)
    return get_method(method_variant(base)["method"]).title + tuned
