"""A small training next to processes that occupy the cores, by how long its threads spin."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from statistics import median
from typing import Any

from bench.comparison import Comparison, Rows, Tables
from bench.machine import timed
from clmle._spin import SHORT_SPIN

COMMAND = ("train", "digits", "--method", "clmle", "--backbone", "tiny")
CONTENDERS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "clmle, two threads": (SHORT_SPIN, ("--threads", "2")),
    "OpenMP's default wait, two threads": ({"GOMP_SPINCOUNT": "300000"}, ("--threads", "2")),
    "one thread": (SHORT_SPIN, ("--threads", "1")),
}
BUSY = (0, 2)  # other processes


def run(quick: bool = False) -> Rows:
    """Medians of three runs of the command; the contenders take turns."""
    found: dict[tuple[str, int], list[float]] = {}
    for _ in range(1 if quick else 3):
        for n in BUSY:
            with busy(n):
                for name in CONTENDERS:
                    found.setdefault((name, n), []).append(timed(partial(train, name, quick))[1])
    return [
        {"training": name}
        | {f"s, {n} busy processes": round(median(found[name, n]), 1) for n in BUSY}
        for name in CONTENDERS
    ]


def train(name: str, quick: bool) -> None:
    environment, options = CONTENDERS[name]
    steps = ("--iterations", "20", "--pretrain-iterations", "5") if quick else ()
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "-m", "clmle", *COMMAND, *options, *steps],
            env=os.environ | environment | {"CLMLE_RUNS": folder},
            check=True,
            capture_output=True,
        )


@contextmanager
def busy(n: int) -> Iterator[None]:
    """``n`` processes that compute without end."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(n)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def values(tables: Tables, limits: Mapping[str, float]) -> dict[str, Any]:
    ours, usual, one = tables[""]
    idle, full = (f"s, {n} busy processes" for n in BUSY)
    return {
        "idle": f"{ours[idle] / usual[idle]:.2f}",
        "slower": f"{usual[full] / ours[full]:.1f}",
        "single": f"{one[full] / ours[full]:.1f}",
    }


COMPARISON = Comparison("busy", run, values)
