"""What the JSON files of a run hold, as far as it is used; see :mod:`clmle.stored_json`."""

from typing import Any

from clmle.stored_json import COUNT, RATE, Within

MAYBE = (float, None)
MAYBE_RATE = (RATE, None)

CONFIG: dict[str, Any] = {
    "method": str,
    "data": {"dataset": str, "attribute": str},
    "train": {"seed": int, "rounds": int, "feature_dim": int},
}
DATA = {
    "class_names": {str: [str, None]},
    "images": int,
    "value_range?": ([float, 2], [float, 0], None),
}
STATUS = {
    "state": str, "phase?": str, "message?": str, "step?": COUNT, "total?": COUNT,
    "seconds?": Within(0), "seconds_left?": MAYBE, "updated?": float,
}  # fmt: skip
ANNOTATION = {"title": str, "tags": [str, None], "note": str}

# Of a task; "classes" are two for attributes.
METRICS: dict[str, Any] = {
    "balanced_accuracy": MAYBE_RATE, "interval?": ([RATE, 2], None),
    "recall?": ([MAYBE_RATE, "classes"], None), "accuracy?": MAYBE_RATE,
    "average_precision?": MAYBE_RATE, "roc_auc?": MAYBE_RATE, "mcc?": (Within(-1.001, 1.001), None),
    "confusion?": ([[COUNT, "classes"], "classes"], None), "support?": [COUNT, "classes"],
    "n?": COUNT, "shots?": {str: {"classes": COUNT, "accuracy": MAYBE_RATE}},
    "subpopulations?": {str: {"class": str, "train": COUNT, "n": COUNT, "recall": MAYBE_RATE}},
    "impostor_rate?": [MAYBE_RATE, None], "minority_impostor_rate?": MAYBE_RATE,
    "neighbor_purity?": MAYBE, "unseen_retrieval?": MAYBE, "margin?": MAYBE, "train_margin?": MAYBE,
}  # fmt: skip
METRICS["attributes?"] = {str: dict(METRICS)}

RESULT = {
    "test": METRICS | {"interval": METRICS["interval?"], "recall": METRICS["recall?"]},
    "class_names": [str, "classes"],
    "attributes?": [str, "attributes"],
    "class_counts": ([COUNT, "classes"], [[COUNT, "classes"], "attributes"]),
    "validation?": METRICS,
    "chosen": dict,
    "task?": str,
    "seconds?": Within(0),
    "iterations?": COUNT,
    "images_per_second?": Within(0),
    "machine?": {"device?": str, "threads?": int, "torch?": str, "python?": str, "processes?": int},
}
# Stored with the weights of the best round.
WEIGHTS = {
    "class_names?": [str, "classes"],
    "attributes?": [str, None],
    "classifier_kind": str,
    "chosen": dict,
    "round": int,
    "validation?": METRICS,
    "probabilities?": [{"weight": float, "offset": [float, "classes"]}, None],
    "image_shape?": ([int, 1], [int, 3]),
}

# Lines of metrics.jsonl.
LINES: dict[str, dict[str, Any]] = {
    "train": {"step": int, "loss": float},
    "validation": {"step": int, "balanced_accuracy": RATE, "recall": [MAYBE_RATE, None]},
}
