"""``clmle runs``: list the runs, or show, stop or delete one."""

from __future__ import annotations

import argparse
import json
import shutil
from typing import Any

from clmle.cli.terminal import duration, metrics_table, table


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="clmle runs", description=__doc__)
    parser.add_argument(
        "action", nargs="?", default="list", choices=("list", "show", "stop", "delete")
    )
    parser.add_argument("run", nargs="?", help="name of a run")
    parser.add_argument("--yes", action="store_true", help="delete without asking")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--runs-dir", help="folder of run folders (default: ./runs)")
    values = parser.parse_args(arguments)

    from clmle.errors import InputError
    from clmle.files import runs_dir
    from clmle.run_folder import ACTIVE, list_runs, open_run

    root = values.runs_dir or runs_dir()
    if values.action == "list":
        rows = [summary(run) for run in list_runs(root)]
        if values.json:
            print(json.dumps(rows, indent=2))
        else:
            print(table(rows) or f"There is no run in {root} yet; start one with: clmle train")
        return 0
    if not values.run:
        raise InputError(f"Say which run to {values.action}: clmle runs {values.action} NAME.")
    run = open_run(root, values.run)
    if values.action == "show":
        print(json.dumps({"config": run.config(), "status": run.status()}, indent=2))
        result = run.result()
        if result is not None:
            left = result.get("no_training", ())
            try:
                shown = metrics_table(result["test"], result["class_names"], left)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                raise InputError(f"{run.path / 'result.json'} is damaged ({error}).") from error
            print("\n" + shown)
    elif values.action == "stop":
        run.request_stop()
        print(f"{run.name} will stop after its current step.")
    else:
        if run.status()["state"] in ACTIVE:
            raise InputError(f"Run {run.name} is still running; stop it first.")
        if not values.yes and input(f"Delete {run.path}? [y/N] ").strip().lower() != "y":
            return 0
        shutil.rmtree(run.path)
        print(f"{run.name} is deleted.")
    return 0


def summary(run: Any) -> dict[str, Any]:
    """One line of the list."""
    config, status, result = run.config(), run.status(), run.result()
    data, test = config.get("data", {}), result["test"] if result else {}
    return {
        "run": run.name,
        "state": status["state"],
        "method": config.get("method"),
        "data": data.get("dataset"),
        "target": data.get("attribute"),
        "balanced accuracy": test.get("balanced_accuracy"),
        "time": duration(status.get("seconds")),
    }
