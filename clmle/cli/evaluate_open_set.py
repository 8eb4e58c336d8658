"""``clmle evaluate_open_set``: verification and identification of unseen people by a trained run.

Without --on these are the illustrated people that belong to the run's own data; else a .bin
file, or a folder laid out as LFW (folders and pairs.txt) or as YouTube Faces.
"""

from __future__ import annotations

import argparse
from typing import Any

from clmle.cli.terminal import Progress, table


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="clmle evaluate_open_set",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("run", help="name of a run on identities")
    parser.add_argument("--on", default="", metavar="TEST", help="a test set of your own")
    parser.add_argument("--out", help="write all figures to this JSON file")
    parser.add_argument("--json", action="store_true", help="print JSON in place of tables")
    parser.add_argument("--runs-dir", help="folder of run folders (default: ./runs)")
    values = parser.parse_args(arguments)

    import json

    from clmle.files import runs_dir, write_json
    from clmle.run_folder import open_run
    from clmle.studies.open_set import evaluate_open_set

    run = open_run(values.runs_dir or runs_dir(), values.run)
    metrics = evaluate_open_set(run, values.on, Progress("images")).metrics
    if values.out:
        write_json(values.out, metrics)
    print(json.dumps(metrics, indent=2) if values.json else shown(metrics))
    return 0


def shown(metrics: dict[str, Any]) -> str:
    """The figures as tables."""
    from clmle.cli.evaluate_features import ends, tar_table

    v = metrics["verification"]
    parts = [f"{metrics['test']}: {metrics['images']:,} images of people never seen in training"]
    if "accuracy" in v:
        parts.append(
            f"Pairs: accuracy {v['accuracy']:.4f} (standard error {v['standard_error']:.4f}, "
            f"{len(v['folds'])} folds, each by the threshold of all others)"
        )
    parts += [
        f"{v['n_genuine']:,} pairs of one person, {v['n_impostor']:,} of two: AUC {v['auc']:.4f}, "
        f"equal error rate {v['eer']:.4f}",
        tar_table(v["tar_at_far"]),
    ]
    found = metrics["open_set"]
    if found:
        parts += [
            f"Against {found['n_distractors']:,} distractors",
            tar_table(found["tar_at_far"]),
            table([{"distractors": f"{row['distractors']:,}", "mate first": row["share"],
                    "95 % interval over people": ends(row["people_interval"])}
                   for row in found["rank_one"]]),
        ]  # fmt: skip
    if metrics["by_frequency"]:
        parts += [
            "Known people, held-out images, by training images of each",
            table([{"part": row["name"], "images": f"{row['low']} to {row['high']}",
                    "people": row["identities"], "accuracy": row["share"],
                    "95 % interval": ends(row["interval"])}
                   for row in metrics["by_frequency"]]),
        ]  # fmt: skip
    return "\n\n".join(parts)
