"""One comparison: what is measured, kept as JSON, and said about it on the page.

Every file of ``docs/benchmarks`` holds one comparison with the condition under which it was
measured, so that one can be measured again alone and a bench that is stopped keeps what it has.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.limits import limits, pick
from bench.report import hardware, versions
from clmle.errors import InputError
from clmle.files import read_json, write_json

Rows = list[dict[str, Any]]
Tables = dict[str, Rows]  # heading -> rows; "" for the first, which needs none

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
FIELDS = ("command", "machine", "versions", "load", "seconds", "limits", "tables")


@dataclass(frozen=True)
class Comparison:
    """``name`` is that of its file and its command, ``python -m bench NAME``.

    ``run`` takes whether it must be quick, and gives rows or tables of them. ``about`` says what
    is measured; ``says`` makes sentences on what bounds it from the tables and the limits.
    ``gpu`` says what a GPU would add; "" where a GPU changes nothing.
    """

    name: str
    title: str
    run: Callable[[bool], Rows | Tables]
    about: str
    says: Callable[[Tables, Mapping[str, float]], str] = lambda tables, limits: ""
    gpu: str = ""


def measure(comparison: Comparison, quick: bool = False) -> dict[str, Any]:
    """Runs it; its tables and the condition under which they were measured."""
    load, rates = [os.getloadavg()[0]], [limits_apart()]
    start = time.perf_counter()
    found = comparison.run(quick)
    seconds = time.perf_counter() - start
    load.append(os.getloadavg()[0])
    rates.append(limits_apart())
    return {
        "command": f"python -m bench {comparison.name}" + (" --quick" if quick else ""),
        "machine": hardware(),
        "versions": versions(),
        "load": [round(value, 1) for value in load],
        "seconds": round(seconds),
        "limits": {name: [one[name] for one in rates] for name in rates[0]},
        "tables": found if isinstance(found, dict) else {"": found},
    }


def limits_apart() -> dict[str, float]:
    """In a process of its own: a comparison may start others as copies of a single thread."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(limits)


def file_of(name: str, folder: Path) -> Path:
    """Its file; figures of a GPU have one of their own."""
    return folder / (f"{name}.cuda.json" if pick().type == "cuda" else f"{name}.json")


def save(name: str, record: Mapping[str, Any], folder: Path = FOLDER) -> Path:
    """Writes the record; the file is whole or as it was."""
    path = file_of(name, folder)
    write_json(path, record)
    return path


def load(path: Path) -> dict[str, Any] | None:
    """A record, or None where the comparison never ran.

    Raises
    ------
    InputError
        The file is damaged or lacks something.
    """
    if not path.exists():
        return None
    record = read_json(path)
    missing = [name for name in FIELDS if not isinstance(record, dict) or name not in record]
    if missing:
        raise InputError(f"{path} lacks {missing[0]!r}; measure it again: python -m bench.")
    if not record["tables"] or not all(record["tables"].values()):
        raise InputError(f"{path} has a table without rows; measure it again: python -m bench.")
    return record


def mean_limits(record: Mapping[str, Any]) -> dict[str, float]:
    """The limits of a record, means of before and after."""
    return {name: sum(values) / len(values) for name, values in record["limits"].items()}


def number(value: Any) -> float:
    """Of a cell, which may be written with thousands' commas."""
    return float(str(value).replace(",", ""))


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """b of seconds = a size^b, fitted by least squares on logarithms."""
    import numpy as np

    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])
