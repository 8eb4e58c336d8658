"""``clmle evaluate``: figures of a trained run, computed anew from its weights."""

from __future__ import annotations

import argparse
import json

from clmle.cli.terminal import metrics_table


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="clmle evaluate", description=__doc__)
    parser.add_argument("run", help="name of a run")
    parser.add_argument(
        "--split", default="test", choices=("train", "validation", "test"), help="which images"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--runs-dir", help="folder of run folders (default: ./runs)")
    values = parser.parse_args(arguments)

    from clmle.files import runs_dir
    from clmle.run_folder import open_run
    from clmle.training import config_from_dict, evaluate, prepare

    run = open_run(values.runs_dir or runs_dir(), values.run)
    metrics = evaluate(run, values.split)
    if values.json:
        print(json.dumps(metrics, indent=2))
        return 0
    _, task = prepare(config_from_dict(run.config()))
    print(f"{task.name}, {values.split} images:\n")
    print(metrics_table(metrics, list(task.class_names), getattr(task, "left_out", ())))
    return 0
