"""docs/benchmarks.md, generated from the stored measurements.

``docs/benchmarks/NAME.json`` holds a comparison measured on a CPU, ``NAME.cuda.json`` the same on
a GPU. ``faults.json`` is written by ``python -m tests.robustness.faults``,
``injections.json`` by ``python -m tests.robustness --write``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.comparison import FOLDER, TEXTS, Comparison, Tables, load, mean_limits
from bench.contents import BY_NAME, SECTIONS
from bench.machine import LOW_PRODUCT, MEMORY, PRODUCT
from clmle.files import write_text

TEXT = TEXTS["page"]


def page(folder: Path = FOLDER) -> str:
    """The page of the results in ``folder``."""
    records = {name: load(folder / f"{name}.json") for name in BY_NAME}
    on_gpu = {name: load(folder / f"{name}.cuda.json") for name in BY_NAME}
    parts = [TEXT["introduction"], *missing(on_gpu)]
    for section, comparisons in SECTIONS.items():
        parts.append(f"## {section}\n")
        for one in comparisons:
            parts += of_comparison(one, records[one.name], on_gpu[one.name])
    faults = load(folder / "faults.json")
    if faults is not None:
        parts += [
            "## Robustness\n",
            TEXT["faults"],
            conditions(faults),
            *of_tables(faults["tables"]),
        ]
    injections = load(folder / "injections.json")
    if injections is not None:
        parts += [
            "### All injected faults\n",
            TEXT["injections"],
            conditions(injections),
            *of_tables(injections["tables"]),
        ]
    return "\n".join(parts).rstrip("\n") + "\n"


def write_page(folder: Path = FOLDER) -> Path:
    """Writes the page next to ``folder``, atomically."""
    out = folder.parent / "benchmarks.md"
    write_text(out, page(folder))
    return out


def missing(on_gpu: Mapping[str, dict[str, Any] | None]) -> list[str]:
    """The comparisons without a measurement on a GPU; the others are reported where they stand."""
    wanted = [
        f"- `python -m bench {name}`: {one.text('gpu')}"
        for name, one in BY_NAME.items()
        if one.text("gpu") and on_gpu[name] is None
    ]
    return ["## Missing measurements\n", TEXT["missing"], *wanted, ""] if wanted else []


def of_comparison(
    one: Comparison, record: dict[str, Any] | None, gpu: dict[str, Any] | None = None
) -> list[str]:
    """Heading, description, and for each machine conditions, tables and interpretation."""
    parts = [f"### {one.text('title')}\n", one.text("about") + "\n"]
    if record is None and gpu is None:
        parts.append(f"Not measured yet: `python -m bench {one.name}`.\n")
    for found in (record, gpu):
        if found is not None:
            parts += [conditions(found), *of_tables(found["tables"])]
            values = one.values(found["tables"], mean_limits(found))
            parts.append(one.text("result", values) + "\n")
    return parts


def conditions(record: Mapping[str, Any]) -> str:
    """Command, duration, machine, load and limits, in one paragraph."""

    def spread(name: str) -> str:
        return " to ".join(f"{value:g}" for value in sorted(set(record["limits"][name])))

    run = f"`{record['command']}` on {record['machine']}; {record['versions']}"
    if not record["limits"]:
        return f"{run}; duration, load and limits were not recorded.\n"
    before, after = record["load"]
    return (
        f"{run}; {record['seconds']} s, load {before} before, {after} after. Limits: product "
        f"{spread(PRODUCT)} GFLOP/s (bfloat16 {spread(LOW_PRODUCT)}), memory {spread(MEMORY)} "
        "GB/s.\n"
    )


def of_tables(tables: Tables) -> list[str]:
    parts = []
    for heading, rows in tables.items():
        if heading:
            parts.append(f"{heading}:\n")
        parts.append(table(rows) + "\n")
    return parts


def table(rows: list[dict[str, Any]]) -> str:
    """A Markdown table of rows that share their keys."""
    keys = list(rows[0])
    lines = ["| " + " | ".join(keys) + " |", "|" + "---|" * len(keys)]
    lines += ["| " + " | ".join(str(row[key]) for key in keys) + " |" for row in rows]
    return "\n".join(lines)
