"""``clmle runs``: list the runs; show, stop, name, tag, note, delete and restore them."""

import json
from collections.abc import Sequence
from typing import Any

from clmle.cli.parser import CommandParser, add_run, opened
from clmle.cli.terminal import duration, metrics_table, table
from clmle.errors import InputError
from clmle.files import runs_dir
from clmle.jobs.trash import empty_trash, restore_runs, trash_runs
from clmle.run_folder import RunFolder, list_runs, old_runs_sentence, run_summary
from clmle.text import counted

MOST_NOTE = 40  # characters of a note in the list
ACTIONS = {
    "list": "all runs, or those in which each of the words occurs",
    "show": "configuration, status, note and test metrics",
    "stop": "save a checkpoint and end after the current step",
    "rename": "show a name in place of target and time; without words remove it",
    "tag": "add tags",
    "untag": "remove tags; without words all",
    "note": "replace the note; without words remove it",
    "delete": "move runs to the trash",
    "undo": "restore the runs that were deleted last",
    "empty-trash": "remove deleted runs for good; older ones than 30 days go by themselves",
}


def main(arguments: list[str]) -> int:
    """Run ``clmle runs``."""
    parser = CommandParser(
        "runs",
        "List the runs; show, stop, name, tag, note, delete and restore them.\n\n"
        + "\n".join(f"  {action:<12} {text}" for action, text in ACTIONS.items()),
        ["runs", "runs list clmle digits", "runs show RUN", "runs rename RUN wide margins",
         "runs tag RUN baseline paper", "runs note RUN 'repeats Table 7'", "runs delete RUN RUN",
         "runs undo"],
        "[ACTION] [RUN] [words] [options]",
    )  # fmt: skip
    parser.add_argument(
        "action", nargs="?", default="list", choices=tuple(ACTIONS), help="(default: list)"
    )
    add_run(parser, nargs="?")
    parser.add_argument("words", nargs="*", help="name, tags, note, or further runs")
    parser.add_argument("--yes", action="store_true", help="empty the trash without a question")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    values = parser.parse(arguments)
    root, named = values.runs_dir or runs_dir(), [values.run] if values.run else []
    if values.action == "list":
        print_list(root, values.json, [*named, *values.words])
    elif values.action == "undo":
        print("\n".join(f"{run.name} is restored." for run in restore_runs(root)))
    elif values.action == "empty-trash":
        if values.yes or input(f"Remove what was deleted from {root}? [y/N] ").strip() in "yY":
            print(f"{counted(empty_trash(root), 'run')} removed for good.")
    elif not named:
        raise InputError(f"Name the run to {values.action}: clmle runs {values.action} RUN.")
    elif values.action in ("stop", "delete"):
        runs = [opened(name, values.runs_dir) for name in (*named, *values.words)]
        _stop(runs) if values.action == "stop" else _delete(runs)
    else:
        run = opened(values.run, values.runs_dir)
        _show(run) if values.action == "show" else _annotate(run, values.action, values.words)
    return 0


def print_list(root: Any, as_json: bool, words: Sequence[str] = ()) -> None:
    """Print one line per run; what is damaged or of version 0.1 is named in sentences."""
    runs = list_runs(root)
    rows = [summary(run) for run in runs]
    rows = [row for row in rows if all(_occurs(word, row) for word in words)]
    notes = [note for note in (*(run.damage() for run in runs), old_runs_sentence(root)) if note]
    if as_json:
        print(json.dumps(rows, indent=2))
    elif rows:
        shown = [{**row, "tags": ", ".join(row["tags"]), "note": _short(row["note"])}
                 for row in rows]  # fmt: skip
        used = [name for name in shown[0] if any(row[name] not in ("", None) for row in shown)]
        print("\n\n".join([table([{n: row[n] for n in used} for row in shown]), *notes]))
    elif words and runs:
        print(f"No run in {root} has the words {' '.join(words)}; clmle runs lists all.")
    else:
        print(*notes or [f"There is no run in {root} yet; start one with: clmle train"])


def summary(run: RunFolder) -> dict[str, Any]:
    """Return the row of a run."""
    found = run_summary(run)
    return {
        "run": found["run"],
        "state": found["state"],
        "name": found["title"],
        "method": found["method"],
        "data": found["data"],
        "target": found["target"],
        "seed": found["seed"],
        "balanced accuracy": found["balanced_accuracy"],
        "time": duration(found["seconds"]),
        "tags": found["tags"],
        "note": found["note"],
    }


def _occurs(word: str, row: dict[str, Any]) -> bool:
    return any(word.casefold() in str(value).casefold() for value in row.values())


def _short(note: str) -> str:
    line = " ".join((note or "").split())
    return line if len(line) <= MOST_NOTE else f"{line[: MOST_NOTE - 3]}..."


def _annotate(run: RunFolder, action: str, words: list[str]) -> None:
    tags = run.annotation().tags
    if action == "rename":
        found = run.annotate(title=" ".join(words))
    elif action == "note":
        found = run.annotate(note=" ".join(words))
    elif action == "tag":
        if not words:
            raise InputError(f"Name the tags: clmle runs tag {run.name} TAG.")
        found = run.annotate(tags=[*tags, *words])
    else:
        found = run.annotate(tags=[tag for tag in tags if words and tag not in words])
    texts = (f"name: {found.title}", f"tags: {', '.join(found.tags)}", f"note: {found.note}")
    print("\n".join([run.name, *(f"  {text}".rstrip() for text in texts)]))


def _show(run: RunFolder) -> None:
    words = run.annotation()
    facts = {"config": run.config(), "status": run.status()}
    if words != type(words)():
        facts["annotation"] = {"name": words.title, "tags": words.tags, "note": words.note}
    print(json.dumps(facts, indent=2))
    result = run.result()
    if result is None:
        return
    left = result.get("no_training", ())
    try:
        shown = metrics_table(result["test"], result["class_names"], left)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{run.path / 'result.json'} is damaged ({error}).") from error
    print("\n" + shown)


def _stop(runs: list[RunFolder]) -> None:
    for run in runs:
        run.request_stop()
        print(f"{run.name} stops after its current step.")


def _delete(runs: list[RunFolder]) -> None:
    names = [name for batch in trash_runs(runs) for name in batch.names]
    print("\n".join(f"{name} is deleted." for name in names))
    print("Undo: clmle runs undo")
