"""``clmle evaluate``: metrics of a trained run, computed from its weights."""

import json
from typing import Any

from clmle import training
from clmle.cli import purpose
from clmle.cli.parser import CommandParser, add_run, opened
from clmle.cli.terminal import Progress, distractor_table, interval, metrics_table, table, tar_table
from clmle.files import write_json
from clmle.studies.open_set import evaluate_open_set


def main(arguments: list[str]) -> int:
    """Run ``clmle evaluate``."""
    parser = CommandParser(
        "evaluate",
        "Compute the metrics of a trained run from its weights: classification metrics of the\n"
        "images of a split, or with --open-set verification and identification metrics of\n"
        "identities that are not in the training data. For a purpose: metrics of groups,\n"
        "reliability of probabilities, and thresholds chosen on validation images for a stated\n"
        "cost or recall.",
        [
            "evaluate RUN",
            "evaluate RUN --split validation --json",
            "evaluate RUN --by style",
            "evaluate RUN --by patients.csv,hospital --probabilities",
            "evaluate RUN --positive ring --cost-false-negative 20 --recall 0.9",
            "evaluate RUN --open-set",
            "evaluate RUN --open-set --on lfw/",
        ],
    )
    add_run(parser)
    parser.add_argument(
        "--split", choices=("train", "validation", "test"), help="images (default: test)"
    )
    parser.add_argument(
        "--open-set", action="store_true", help="verification and identification, unseen identities"
    )
    parser.add_argument(
        "--on", default="", metavar="PATH",
        help="test set for --open-set: a .bin file, or a folder laid out as LFW (folders and "
        "pairs.txt) or as YouTube Faces (default: the unseen identities of the run's data set)",
    )  # fmt: skip
    purpose.add_options(parser)
    parser.add_argument("--out", metavar="FILE", help="write all metrics to this JSON file")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    values = parser.parse(arguments)
    if values.on and not values.open_set:
        parser.error("--on needs --open-set")
    if values.split and values.open_set:
        parser.error("--split cannot be used with --open-set")

    for_purpose = purpose.wanted(values)
    if for_purpose and (values.split or values.open_set):
        parser.error("--split and --open-set cannot be used with the options for a purpose")

    run = opened(values.run, values.runs_dir)
    if for_purpose:
        metrics, text = purpose.evaluate_purpose(run, values)
    elif values.open_set:
        metrics = evaluate_open_set(run, values.on, Progress("images")).metrics
        text = open_set_tables(metrics)
    else:
        split = values.split or "test"
        metrics = training.evaluate(run, split)
        _, task = training.prepare(training.config_from_dict(run.config()))
        shown = metrics_table(metrics, list(task.class_names), getattr(task, "left_out", ()))
        text = f"{task.name}, {split} images:\n\n{shown}"
    if values.out:
        write_json(values.out, metrics)
    print(json.dumps(metrics, indent=2) if values.json else text)
    return 0


def open_set_tables(metrics: dict[str, Any]) -> str:
    """Format the metrics of unseen identities as tables."""
    v = metrics["verification"]
    parts = [f"{metrics['test']}: {metrics['images']:,} images of identities not in training"]
    if "accuracy" in v:
        parts.append(
            f"Pairs: accuracy {v['accuracy']:.4f} (standard error {v['standard_error']:.4f}, "
            f"{len(v['folds'])} folds, the threshold of each from all others)"
        )
    parts += [
        f"{v['n_genuine']:,} genuine and {v['n_impostor']:,} impostor pairs: AUC {v['auc']:.4f}, "
        f"equal error rate {v['eer']:.4f}",
        tar_table(v["tar_at_far"]),
    ]
    found = metrics["open_set"]
    if found:
        parts += [
            f"Against {found['n_distractors']:,} distractors",
            tar_table(found["tar_at_far"]),
            distractor_table(found["rank_one"]),
        ]
    if metrics["by_frequency"]:
        parts += [
            "Held-out images of training identities, by training images per identity",
            table([{"part": row["name"], "images": f"{row['low']} to {row['high']}",
                    "identities": row["identities"], "accuracy": row["accuracy"],
                    "95 % interval": interval(row["interval"])}
                   for row in metrics["by_frequency"]]),
        ]  # fmt: skip
    return "\n\n".join(parts)
