"""docs/benchmarks.md from what was measured: no figure of it is written by hand.

``docs/benchmarks/NAME.json`` is a comparison as it is measured now, ``NAME.cuda.json`` the same on
a GPU. ``docs/benchmarks/earlier/*.json`` keep what was measured before comparisons were kept so;
one that names a comparison in ``until`` is shown only until that one was measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.comparison import FOLDER, Comparison, Tables, load, mean_limits
from bench.contents import BY_NAME, SECTIONS
from bench.report import table
from clmle.errors import InputError
from clmle.files import read_json, write_text

INTRODUCTION = """# Benchmarks

Made by `make bench`; every table and every figure in a sentence is what its command printed,
kept in `docs/benchmarks`. `python -m bench NAME` measures one comparison again,
`python -m bench --page` makes this page anew without measuring, `--list` names all comparisons.
Contenders run in the same process or in turn in the same run; figures are medians
where nothing else is said.

Beside every table stand the limits of its machine, measured before and after in the same run: the
rate of a large matrix product, in float32 and in bfloat16, and the bandwidth of a copy in memory.
*Load*: processes that wanted a core on average over a minute, before and after; beyond the one that
measures they are other work, and seconds are then too long. How far index, batches and search
scale stands in [SCALING](scaling.md), made by `python -m bench.scaling`, what came of the training
in [RESULTS](RESULTS.md).
"""


def page(folder: Path = FOLDER) -> str:
    """The page of the results in ``folder``; the same results give the same page."""
    records = {name: load(folder / f"{name}.json") for name in BY_NAME}
    on_gpu = {name: load(folder / f"{name}.cuda.json") for name in BY_NAME}
    earlier = read_earlier(folder / "earlier")
    shown = [
        note for note in earlier if not note.get("until") or records.get(note["until"]) is None
    ]
    parts = [INTRODUCTION, *missing(records, on_gpu)]
    for section, comparisons in SECTIONS.items():
        parts.append(f"## {section}\n")
        for one in comparisons:
            parts += of_comparison(one, records[one.name], on_gpu[one.name])
        for note in shown:
            if note["section"] == section:
                parts += of_earlier(note)
    rest = [note for note in shown if note["section"] not in SECTIONS]
    for section in dict.fromkeys(note["section"] for note in rest):
        parts.append(f"## {section}\n")
        for note in rest:
            if note["section"] == section:
                parts += of_earlier(note)
    return "\n".join(parts).rstrip("\n") + "\n"


def write_page(folder: Path = FOLDER) -> Path:
    """Writes the page beside ``folder``; it is whole or as it was."""
    out = folder.parent / "benchmarks.md"
    write_text(out, page(folder))
    return out


def missing(
    records: Mapping[str, dict[str, Any] | None], on_gpu: Mapping[str, dict[str, Any] | None]
) -> list[str]:
    """What is not there: of a GPU, and of all."""
    parts = ["## What is missing\n"]
    absent = [name for name, record in records.items() if record is None]
    if absent:
        names = ", ".join(f"`{name}`" for name in absent)
        parts.append(f"Not measured yet on a CPU with this version: {names}.\n")
    wanted = {name: one.gpu for name, one in BY_NAME.items() if one.gpu and on_gpu[name] is None}
    if wanted:
        parts.append(
            "**Figures of a GPU are missing: none was at hand.** The same commands measure there "
            "and keep what they find beside the CPU's. The code paths for one (images kept on it, "
            "bfloat16, clustering on the device) have not been run on one. Missing:\n"
        )
        parts += [f"- `python -m bench {name}`: {what}" for name, what in wanted.items()]
        parts.append("")
    if not absent and not wanted:
        parts.append("Nothing.\n")
    return parts


def of_comparison(
    one: Comparison, record: dict[str, Any] | None, gpu: dict[str, Any] | None
) -> list[str]:
    """Its heading, what is measured, and for each machine the tables and what bounds them."""
    parts = [f"### {one.title}\n", one.about + "\n"]
    if record is None and gpu is None:
        parts.append(f"Not measured yet: `python -m bench {one.name}`.\n")
    for found in (record, gpu):
        if found is not None:
            parts.append(condition(found))
            parts += of_tables(found["tables"])
            said = one.says(found["tables"], mean_limits(found))
            if said:
                parts.append(said + "\n")
    return parts


def condition(record: Mapping[str, Any]) -> str:
    """Command, machine, load, limits."""
    rates = record["limits"]

    def spread(name: str) -> str:
        least, most = min(rates[name]), max(rates[name])
        return f"{least:g}" if least == most else f"{least:g} to {most:g}"

    before, after = record["load"]
    return (
        f"`{record['command']}`, {record['seconds']} s on {record['machine']}; "
        f"{record['versions']}; load {before} before, {after} after. Limits: product "
        f"{spread('product, GFLOP/s')} GFLOP/s (bfloat16 {spread('bfloat16 product, GFLOP/s')}), "
        f"memory {spread('memory, GB/s')} GB/s.\n"
    )


def of_tables(tables: Tables) -> list[str]:
    parts = []
    for heading, rows in tables.items():
        if heading:
            parts.append(f"{heading}:\n")
        parts.append(table(rows) + "\n")
    return parts


def read_earlier(folder: Path) -> list[dict[str, Any]]:
    """Notes of earlier versions, in order of their files' names."""
    notes = [read_json(path) for path in sorted(folder.glob("*.json"))]
    for note, path in zip(notes, sorted(folder.glob("*.json")), strict=True):
        if not isinstance(note, dict) or not {"section", "title", "condition"} <= note.keys():
            raise InputError(f"{path} lacks its section, title or condition; restore it.")
    return notes


def of_earlier(note: Mapping[str, Any]) -> list[str]:
    """What an earlier version measured, with its condition."""
    parts = [f"### {note['title']}\n", f"*{note['condition']}*\n"]
    for block in note.get("blocks", []):
        parts.append((table(block) if isinstance(block, list) else block) + "\n")
    return parts


def print_record(one: Comparison, record: dict[str, Any]) -> None:
    """As the page has it."""
    print("\n".join(of_comparison(one, record, None)), flush=True)
