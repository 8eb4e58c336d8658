"""``clmle runs``: list the runs, or show, stop or delete one."""

import json
from typing import Any

from clmle.cli.parser import CommandParser, add_run, opened
from clmle.cli.terminal import duration, metrics_table, table
from clmle.errors import InputError
from clmle.files import runs_dir
from clmle.jobs.lock import delete_run
from clmle.run_folder import list_runs, old_runs_sentence


def main(arguments: list[str]) -> int:
    """Run ``clmle runs``."""
    parser = CommandParser(
        "runs",
        "List the runs, or show, stop or delete one.",
        ["runs", "runs show RUN", "runs delete RUN --yes"],
        "[list | show RUN | stop RUN | delete RUN] [options]",
    )
    parser.add_argument(
        "action", nargs="?", default="list", choices=("list", "show", "stop", "delete"),
        help="(default: list)",
    )  # fmt: skip
    parser.add_argument("--yes", action="store_true", help="delete without a question")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    add_run(parser, nargs="?")
    values = parser.parse(arguments)
    if values.action == "list":
        print_list(values.runs_dir or runs_dir(), values.json)
        return 0
    if not values.run:
        raise InputError(f"Name the run to {values.action}: clmle runs {values.action} RUN.")
    run = opened(values.run, values.runs_dir)
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
        print(f"{run.name} stops after its current step.")
    else:
        if not values.yes and input(f"Delete {run.path}? [y/N] ").strip().lower() != "y":
            return 0
        delete_run(run)
        print(f"{run.name} is deleted.")
    return 0


def print_list(root: Any, as_json: bool) -> None:
    """Print one line per run; what is damaged or of version 0.1 is named in sentences."""
    runs = list_runs(root)
    rows = [summary(run) for run in runs]
    notes = [note for note in (*(run.damage() for run in runs), old_runs_sentence(root)) if note]
    if as_json:
        print(json.dumps(rows, indent=2))
    elif rows:
        print("\n\n".join([table(rows), *notes]))
    else:
        print(*notes or [f"There is no run in {root} yet; start one with: clmle train"])


def summary(run: Any) -> dict[str, Any]:
    """Return the row of a run."""
    if run.damage():
        names = ("method", "data", "target", "balanced accuracy", "time")
        return {"run": run.name, "state": "damaged", **dict.fromkeys(names)}
    config, status, result = run.config(), run.status(), run.result()
    return {
        "run": run.name,
        "state": status["state"],
        "method": config["method"],
        "data": config["data"]["dataset"],
        "target": config["data"]["attribute"],
        "balanced accuracy": result["test"]["balanced_accuracy"] if result else None,
        "time": duration(status.get("seconds")),
    }
