"""How every comparison prints: machine, versions, one table."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version

PACKAGES = ("torch", "numpy", "faiss-cpu")


def hardware() -> str:
    """Processor, cores and GPU, in one line."""
    import torch

    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            name = next(line.split(":")[1].strip() for line in file if "model name" in line)
    except (OSError, StopIteration):
        pass
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{name}, {os.cpu_count()} cores, {gpu}"


def versions() -> str:
    """Python and the packages that matter, in one line."""
    packages = ", ".join(f"{p} {version(p)}" for p in PACKAGES)
    return f"Python {platform.python_version()}, {packages}"


def machine() -> str:
    """Processor, cores and the versions that matter, in one line."""
    return f"{hardware()}; {versions()}"


def table(rows: list[dict]) -> str:
    """A Markdown table of rows that share their keys."""
    keys = list(rows[0])
    lines = ["| " + " | ".join(keys) + " |", "|" + "---|" * len(keys)]
    lines += ["| " + " | ".join(str(row[key]) for key in keys) + " |" for row in rows]
    return "\n".join(lines)


def print_rows(title: str, rows: list[dict]) -> None:
    print(f"## {title}\n\n{machine()}\n\n{table(rows)}\n")
