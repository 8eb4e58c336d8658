"""``clmle evaluate`` for a purpose: groups, probabilities, a stated cost, a fixed recall."""

import argparse
from typing import Any

from clmle import data, metrics, training
from clmle.cli.parser import CommandParser
from clmle.cli.terminal import interval, table
from clmle.errors import InputError, some
from clmle.run_folder import RunFolder
from clmle.studies import ImageProbabilities, image_probabilities, score_images

MOST_GROUPS = 20  # rows of the table of groups
MOST_CLASSES = 6  # classes with a column of recalls
OPTIONS = ("by", "bins", "probabilities", "positive", "cost_false_negative",
           "cost_false_positive", "recall", "attribute")  # fmt: skip


def add_options(parser: CommandParser) -> None:
    """Add the options of an evaluation for a purpose."""
    group = parser.add_argument_group("for a purpose, on test images")
    group.add_argument(
        "--by", metavar="COLUMN",
        help="metrics of every group: a target or column of the data set, or FILE,COLUMN of a "
        "table with a column of file names",
    )  # fmt: skip
    group.add_argument(
        "--bins", type=int, metavar="N", help="with --by: divide a column of numbers into N groups"
    )
    group.add_argument(
        "--probabilities", action="store_true",
        help="Brier score, calibration error and reliability of the probabilities",
    )  # fmt: skip
    group.add_argument(
        "--cost-false-negative", type=float, metavar="COST",
        help="cost of a missed image of the positive class: choose the threshold with the lowest "
        "cost on validation images",
    )  # fmt: skip
    group.add_argument(
        "--cost-false-positive", type=float, metavar="COST",
        help="cost of a false alarm (default: 1)",
    )  # fmt: skip
    group.add_argument(
        "--recall", type=float, metavar="FRACTION",
        help="precision where the threshold, chosen on validation images, has this recall",
    )  # fmt: skip
    group.add_argument(
        "--positive", metavar="CLASS", help="class to detect (default: the rarest in training)"
    )
    group.add_argument("--attribute", help="of a multi-label run (default: the first)")


def wanted(values: argparse.Namespace) -> bool:
    """Whether one of the options was given."""
    return any(getattr(values, name) for name in OPTIONS)


def evaluate_purpose(run: RunFolder, values: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """Compute what the options ask for: plain values, and tables for the terminal."""
    costs = [values.cost_false_negative, values.cost_false_positive]
    if not (values.by or values.probabilities or any(costs) or values.recall):
        raise InputError(
            "--positive, --bins and --attribute belong to --by, --probabilities, "
            "--cost-false-negative or --recall; give one of these."
        )
    found = image_probabilities(score_images(run), values.attribute or "")
    names = found.class_names
    rarest = names[int(found.class_counts.argmin())]
    positive = values.positive or rarest
    if positive not in names:
        raise InputError(f"The run has no class {positive!r}; it has: {some(names)}.")
    c = names.index(positive)
    result: dict[str, Any] = {"target": found.target, "class_names": list(names)}
    parts = [f"{found.target}, {len(found.test.labels):,} test images"]
    parts += [f"Note: {sentence}" for sentence in found.warnings]
    if values.by:
        result["by"], text = groups_of(run, found, c, values.by, values.bins)
        parts.append(text)
    if values.probabilities:
        result["probabilities"], text = calibration_of(found, c)
        parts.append(text)
    if any(costs):
        missed, alarm = (1.0 if cost is None else cost for cost in costs)
        result["cost"], text = cost_of_errors(found, c, missed, alarm)
        parts.append(text)
    if values.recall:
        result["precision_at_recall"], text = at_recall(found, c, values.recall)
        parts.append(text)
    return result, "\n\n".join(parts)


def groups_of(
    run: RunFolder, found: ImageProbabilities, c: int, column: str, bins: int | None
) -> tuple[dict[str, Any], str]:
    """Metrics of every group of test images."""
    dataset, _ = training.prepare_run(run)
    groups = data.group_column(dataset, column, bins)[found.test.indices]
    by = metrics.metrics_by_group(found.test.labels, found.test.predicted, groups)
    names = found.class_names if len(found.class_names) <= MOST_CLASSES else ()
    worst_first = sorted(by["groups"], key=lambda row: row["balanced_accuracy"])
    rows = [
        {"group": row["group"], "images": row["n"], "balanced accuracy": row["balanced_accuracy"],
         "95 % interval": interval(row["interval"]), "accuracy": row["accuracy"],
         **{f"recall of {name}": v for name, v in zip(names, row["recall"], strict=False)},
         f"precision of {found.class_names[c]}": dict(enumerate(row["precision"])).get(c)}
        for row in [*worst_first[:MOST_GROUPS], by["overall"]]
    ]  # fmt: skip
    parts = [f"By {column}, worst first:", table(rows)]
    if len(worst_first) > MOST_GROUPS:
        parts.append(f"{len(worst_first) - MOST_GROUPS:,} more groups are in --json and --out.")
    gaps = by["gaps"]
    named = {"balanced accuracy": gaps["balanced_accuracy"], "accuracy": gaps["accuracy"]}
    named |= {f"recall of {name}": g for name, g in zip(names, gaps["recall"], strict=False)}
    sentences = [f"{name}: {_gap(gap)}" for name, gap in named.items() if gap]
    few = [row["group"] for row in worst_first if min(row["support"]) < metrics.MIN_IMAGES]
    if few:
        sentences.append(
            f"Groups with fewer than {metrics.MIN_IMAGES} images of a class are not compared in "
            f"its recall and in balanced accuracy: {some(few, 5)}."
        )
    parts.append("\n".join(sentences))
    return {"column": column, **by}, "\n\n".join(parts)


def _gap(gap: dict[str, Any]) -> str:
    low, high = gap["interval"]
    return (
        f"worst {gap['worst']}, best {gap['best']} of {gap['compared']} groups, gap "
        f"{gap['gap']:.3f} (95 % interval {low:.3f} to {high:.3f}); random groups of these sizes: "
        f"up to {gap['random_gap']:.3f}, p = {gap['p_value']:.3f}"
    )


def calibration_of(found: ImageProbabilities, c: int) -> tuple[dict[str, Any], str]:
    """Calibration of the probabilities of test images."""
    test = found.test
    result = metrics.calibration_metrics(test.labels, test.probabilities)
    bins = metrics.reliability_bins(*test.detection(c))
    each = (result["class_calibration_error"] or {c: 0.0})[c]
    text = (
        f"Brier score {result['brier_score']:.4f}, skill over the class frequencies "
        f"{result['brier_skill'] or 0:.3f}\n"
        f"Expected calibration error of the predicted class {result['calibration_error']:.4f}, of "
        f"{found.class_names[c]} {each:.4f}"
    )
    rows = [
        {"probability": f"{b['low']:.2f} to {b['high']:.2f}", "images": b["n"],
         "mean": b["probability"], f"fraction {found.class_names[c]}": b["frequency"],
         "95 % interval": interval(b["interval"])}
        for b in bins
    ]  # fmt: skip
    return result | {"positive": found.class_names[c], "bins": bins}, f"{text}\n\n{table(rows)}"


def cost_of_errors(
    found: ImageProbabilities, c: int, missed: float, alarm: float
) -> tuple[dict[str, Any], str]:
    """The threshold with the lowest cost on validation images, applied to the test images."""
    prices = {"false_negative": missed, "false_positive": alarm}
    threshold = metrics.threshold_for_cost(*found.validation.detection(c), **prices)
    ways = {
        "chosen for the cost": found.test.counts(c, threshold),
        "classifier of the run": found.test.counts(c),
        "always positive": found.test.counts(c, metrics.ALWAYS),
        "never positive": found.test.counts(c, metrics.NEVER),
    }
    n_images = len(found.test.labels)
    name = found.class_names[c]
    rows = [
        {"predictions": way, "cost": metrics.cost_of(n, missed, alarm),
         "per 1,000 images": 1000 * metrics.cost_of(n, missed, alarm) / n_images,
         "missed": n["false_negatives"], "false alarms": n["false_positives"],
         "recall": n["recall"], "precision": n["precision"]}
        for way, n in ways.items()
    ]  # fmt: skip
    text = (
        f"Cost of a missed {name} {missed:g}, of a false alarm {alarm:g}: {name} is predicted "
        f"where its probability is at least {min(max(threshold, 0.0), 1.0):.4f}, chosen on "
        f"{len(found.validation.labels):,} validation images"
    )
    result = {"positive": name, "costs": prices, "threshold": threshold, "test": ways}
    return result, f"{text}\n\n{table(rows)}"


def at_recall(found: ImageProbabilities, c: int, recall: float) -> tuple[dict[str, Any], str]:
    """Precision at a recall: the threshold from validation images, and its test metrics."""
    chosen = metrics.precision_at_recall(*found.validation.detection(c), recall)
    test = found.test.counts(c, chosen["threshold"])
    name = found.class_names[c]
    text = (
        f"Recall of {name} of at least {recall:g} on validation images; threshold "
        f"{min(max(chosen['threshold'], 0.0), 1.0):.4f}"
    )
    rows = [
        {"images": split, "recall": n["recall"],
         "95 % interval of recall": interval(n["recall_interval"]), "precision": n["precision"],
         "95 % interval of precision": interval(n["precision_interval"])}
        for split, n in (("validation", chosen), ("test", test))
    ]  # fmt: skip
    result = {"positive": name, "recall": recall, "validation": chosen, "test": test}
    return result, f"{text}\n\n{table(rows)}"
