"""Results files: one trial a line (JSON), appended as trials end."""

import json
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clmle.errors import InputError, quoted
from clmle.files import as_sentence, from_json
from clmle.renamed import STORED
from clmle.run_folder.kinds import METRICS
from clmle.stored_json import fits

REQUIRED: Mapping[str, tuple[Any, str]] = {
    **dict.fromkeys(("key", "variant", "method", "task"), (str, "a text")),
    "seed": (int, "a whole number"),
    "class_counts": (list, "a list"),
    **dict.fromkeys(("test", "config", "config.data", "machine"), (dict, "a table")),
    "seconds": ((int, float), "a number"),
}


def _rename(config: Any) -> None:
    """Write the present value of an option in place of an earlier one."""
    train = config.get("train") if isinstance(config, dict) else None
    if isinstance(train, dict) and isinstance(value := train.get("calibration"), str):
        train["calibration"] = STORED.get(("calibration", value), value)


def read_results(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Read a results file; a warning names damaged lines, whose trials have no result."""
    found, damaged = intact_results(path)
    for sentence in damaged:
        warnings.warn(sentence, stacklevel=2)
    return found


def intact_results(path: str | os.PathLike[str]) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """The results of a file, and a sentence for each damaged line.

    A last line that was not written to its end is no damage: its process was interrupted.
    """
    file = Path(path)
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return [], ()
    except OSError as error:
        raise as_sentence(error, file) from error
    found: dict[tuple[str, str], dict[str, Any]] = {}
    damaged, old = [], False
    lines = content.split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            summary = from_json(line)
            old = old or ("settings" in summary and "config" not in summary)
            wrong = _wrong({"machine": {}} | summary)
        except (ValueError, TypeError) as error:
            wrong = f"is not a result ({error})"
        if not wrong:
            found[summary["key"], summary["variant"]] = summary
            _rename(summary["config"])
        elif number < len(lines):
            damaged.append(
                f"Line {number} of {file} {wrong} and is left out; run the study again for its "
                "trial, and remove the line."
            )
    if old:
        raise InputError(
            f"{file} is a results file of version 0.1; convert it with "
            f"python -m tools.migrate_results {file}."
        )
    return list(found.values()), tuple(damaged)


def _wrong(summary: Mapping[str, Any]) -> str:
    """What is wrong with a result, if anything is."""
    for where, (kind, words) in REQUIRED.items():
        part, _, key = where.rpartition(".")
        tree = summary[part] if part else summary
        if key not in tree:
            return f"lacks {key!r}"
        if not isinstance(tree[key], kind):
            return f"has {quoted(tree[key])} as its {key!r}, which must be {words}"
    if not fits(summary["test"], METRICS):
        return "has test metrics that are no numbers"
    return ""


def append_result(path: str | os.PathLike[str], summary: Mapping[str, Any]) -> None:
    """Append the result of a trial to a file; a damaged last line is removed first."""
    file = Path(path)
    line = json.dumps(summary, separators=(",", ":")).encode() + b"\n"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with open(file, "ab+") as out:
            out.seek(0)
            out.truncate(_intact_length(out.read()))
            out.write(line)
            out.flush()
            os.fsync(out.fileno())
    except OSError as error:
        raise as_sentence(error, file) from error


def _intact_length(content: bytes) -> int:
    """Length of ``content`` without a last line that is half-written or no JSON."""
    end = content.rfind(b"\n") + 1
    start = content.rfind(b"\n", 0, max(0, end - 1)) + 1
    try:
        from_json(content[start:end] or b"0")
    except ValueError:
        return start
    return end
