"""Results files: one trial a line (JSON), appended as trials end."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clmle.errors import InputError
from clmle.files import as_sentence, from_json
from clmle.renamed import STORED


def _rename(config: Any) -> None:
    """Write the present value of an option in place of an earlier one."""
    train = config.get("train") if isinstance(config, dict) else None
    if isinstance(train, dict) and isinstance(value := train.get("calibration"), str):
        train["calibration"] = STORED.get(("calibration", value), value)


def read_results(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """Read a results file."""
    file = Path(path)
    try:
        lines = file.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise as_sentence(error, file) from error
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for number, line in enumerate(lines, start=1):
        try:
            summary = from_json(line)
            found[summary["key"], summary["variant"]] = summary
            _rename(summary.get("config"))
        except (ValueError, KeyError, TypeError) as error:
            if number < len(lines):
                raise InputError(
                    f"{file}, line {number} is not a result ({error}); remove that line."
                ) from error
    if any("settings" in summary and "config" not in summary for summary in found.values()):
        raise InputError(
            f"{file} is a results file of version 0.1; convert it with "
            f"python -m tools.migrate_results {file}."
        )
    return list(found.values())


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
