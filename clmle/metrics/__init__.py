"""Metrics of classification, attributes, verification and identification.

All functions take NumPy arrays and return plain numbers, lists and arrays. Intervals are 95 %
intervals. NaN, and arrays whose shapes or values contradict the documentation, raise an
:class:`clmle.InputError`.
"""

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

if TYPE_CHECKING:
    from clmle.metrics.attributes import attribute_metrics
    from clmle.metrics.by_frequency import accuracy_by_frequency, shot_accuracy
    from clmle.metrics.classification import balanced_accuracy, classification_metrics, finite
    from clmle.metrics.confident_errors import KINDS as CONFIDENT_KINDS
    from clmle.metrics.confident_errors import confident_errors
    from clmle.metrics.cost_curve import (
        cost_curve,
        error_rates,
        probability_cost,
        validated_cost_curve,
    )
    from clmle.metrics.curves import log_odds, precision_recall_points, roc_points
    from clmle.metrics.groups import MIN_IMAGES, metrics_by_group
    from clmle.metrics.identification import cmc, identify
    from clmle.metrics.intervals import wilson
    from clmle.metrics.local_imbalance import LocalImbalance, impostor_rate, local_imbalance
    from clmle.metrics.local_margin import local_margin
    from clmle.metrics.operating_points import (
        ALWAYS,
        NEVER,
        OperatingPoints,
        cost_of,
        counts_at,
        errors_at,
        operating_points,
        precision_at_recall,
        threshold_for_cost,
    )
    from clmle.metrics.pair_features import pair_features, pair_similarity, pool_templates
    from clmle.metrics.purity import cluster_purity, neighbor_purity
    from clmle.metrics.reliability import (
        calibration_metrics,
        expected_calibration_error,
        reliability_bins,
    )
    from clmle.metrics.roc import auc, eer, roc_curve, tar_at_far
    from clmle.metrics.streaming import OpenSetMetrics, open_set
    from clmle.metrics.verification import challenging_pairs, fold_accuracy, verification_metrics
    from clmle.metrics.worst_group import worst_group_recall

load_lazily(__name__)
