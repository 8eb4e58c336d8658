"""Endpoints of the studies of Eq. 9: what the paper expects of it, for every trial."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from clmle.studies.statistics import each_task, trials_frame

ENDPOINTS = {
    "balanced_accuracy": "balanced accuracy",
    "worst_recall": "recall of the worst sub-population",
    "average_precision": "average precision",
    "minority_impostor_rate": "impostor rate of the minority",
    "neighbor_purity": "purity of the neighbors",
    "unseen_retrieval": "retrieval of classes left out",
}


def endpoint_frame(summaries: Sequence[Mapping[str, Any]]) -> Any:
    """The frame of :func:`trials_frame` with the endpoints and the activity of Eq. 9.

    ``worst_recall`` is the lowest test recall among the sub-populations of the smallest class;
    ``active_first`` and ``active_last`` are the fractions of samples with a hinge above zero in
    the first and the last quarter of the steps with Eq. 9 (NaN without it). ``train_margin`` and
    ``margin`` are mean local margins (:func:`clmle.metrics.local_margin`) of training and test
    images of the minority.
    """
    rows = [_endpoints(one) for summary in summaries for one in each_task(summary)]
    frame = trials_frame(summaries)
    for name in rows[0] if rows else ():
        frame[name] = np.array([row[name] for row in rows], dtype=float)
    return frame


def _endpoints(summary: Mapping[str, Any]) -> dict[str, float | None]:
    test = summary["test"]
    counts: dict[str, int] = {}
    for group in test.get("subpopulations", {}).values():
        counts[group["class"]] = counts.get(group["class"], 0) + group["train"]
    smallest = min(counts, key=lambda c: counts[c], default="")
    recalls = [
        group["recall"]
        for group in test.get("subpopulations", {}).values()
        if group["class"] == smallest and group["recall"] is not None
    ]
    activity = summary.get("activity", {})
    return {
        "worst_recall": min(recalls, default=None),
        "minority_impostor_rate": test.get("minority_impostor_rate"),
        "neighbor_purity": test.get("neighbor_purity"),
        "unseen_retrieval": test.get("unseen_retrieval"),
        "train_margin": test.get("train_margin"),
        "margin": test.get("margin"),
        "active_first": activity.get("first_quarter"),
        "active_last": activity.get("last_quarter"),
        "gradient_fraction": activity.get("gradient_fraction"),
    }
