"""One comparison: how it is measured, stored as JSON and described on the page.

Every file of ``docs/benchmarks`` holds one comparison with the conditions of its measurement, so
that each can be measured again alone and an interrupted run keeps what is complete.
"""

import multiprocessing
import os
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.machine import hardware, limits, pick, timed, versions
from clmle.errors import InputError
from clmle.files import read_json, write_json

Rows = list[dict[str, Any]]
Tables = dict[str, Rows]  # heading -> rows; "" for the first, which has none

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
FIELDS = ("command", "machine", "versions", "load", "seconds", "limits", "tables")


TEXTS: dict[str, dict[str, str]] = tomllib.loads(
    Path(__file__).with_name("texts.toml").read_text(encoding="utf-8")
)


@dataclass(frozen=True)
class Comparison:
    """A comparison of the page.

    ``name`` is that of its file and of its command, ``python -m bench NAME``. ``run`` takes
    whether to measure small cases only and returns rows or tables. ``values`` takes the tables and
    the limits of the machine, and returns what the text ``result`` of ``texts.toml`` names.
    ``constants`` are named by all texts of ``of``, which is ``name`` unless several share them.
    """

    name: str
    run: Callable[[bool], Rows | Tables]
    values: Callable[[Tables, Mapping[str, float]], Mapping[str, Any]] = lambda tables, limits: {}
    of: str = ""
    constants: Mapping[str, str] = field(default_factory=dict)

    def text(self, kind: str, values: Mapping[str, Any] | None = None) -> str:
        """A text of ``texts.toml``, "" where there is none."""
        module = vars(sys.modules[self.values.__module__])
        text = TEXTS[self.of or self.name].get(kind, "")
        return text.format_map({**module, **self.constants, **(values or {})})


def conditions(
    command: str, run: Callable[[], Rows | Tables], quick: bool = False
) -> dict[str, Any]:
    """The record of what ``run`` returns: command, machine, load, duration, limits, tables."""
    # A fresh process: a comparison may fork others, which must not inherit threads.
    load, rates = [os.getloadavg()[0]], [fresh_process(limits, quick)]
    found, seconds = timed(run)
    load.append(os.getloadavg()[0])
    rates.append(fresh_process(limits, quick))
    return {
        "command": command, "machine": hardware(), "versions": versions(),
        "load": [round(value, 1) for value in load], "seconds": round(seconds),
        "limits": {name: [one[name] for one in rates] for name in rates[0]},
        "tables": found if isinstance(found, dict) else {"": found},
    }  # fmt: skip


def fresh_process(work: Callable[..., Any], *given: Any) -> Any:
    """``work(*given)`` in a new process, whose peak of memory is its own."""
    # Not multiprocessing's own pool: its workers may not start processes.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *given).result()


def save(name: str, record: Mapping[str, Any], folder: Path = FOLDER) -> Path:
    """Writes the record of a comparison; measurements on a GPU have a separate file."""
    path = folder / (f"{name}.cuda.json" if pick().type == "cuda" else f"{name}.json")
    write_json(path, record)
    return path


def load(path: Path) -> dict[str, Any] | None:
    """A record, or None where there is no file."""
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
    """The number in a table's cell, which may have thousands separators."""
    return float(str(value).replace(",", ""))


def exponent(sizes: Iterable[float], seconds: Sequence[float]) -> float:
    """b of seconds = a size^b, fitted by least squares on logarithms."""
    return float(np.polyfit(np.log(list(sizes)), np.log(seconds), 1)[0])
