"""Kill processes at random moments, resume, and compare with an undisturbed run bit for bit.

    python -m tests.robustness.faults [--only KIND ...] [--fraction 0.1] [--seed 0] [--write]

A child process does some work and is killed with ``kill -9``: at any moment, within a function (the
refresh of clusters, the writing of a checkpoint, ...), or one of its children is killed.
Another child resumes until one completes. Then all files are compared, except durations and the
description of the machine. --write stores the table in docs/benchmarks/faults.json.
"""

from __future__ import annotations

import argparse
import os
import random
import select
import shutil
import signal
import struct
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.comparison import FOLDER, conditions
from bench.page import table
from clmle.errors import InputError
from clmle.files import write_json
from clmle.jobs.process import birth
from clmle.training import trainer
from tests.robustness import faults_work as work

TIMEOUT = 120.0  # seconds after which a disturbed process, which takes a few, counts as hung
Target = tuple[Any, str]  # owner and name of a function


@dataclass(frozen=True)
class Kind:
    """The work, its output, and the process or function in which it is killed."""

    do: Callable[[Path], None]
    output: Callable[[Path], dict[str, Any]]
    kills: int
    within: Target | None = None  # a random moment of a random call of this function
    victim: str = "driver"  # or a "worker" that it started, or "all", as when a machine fails
    before: Callable[[Path], Callable[[Path], None]] | None = None


KINDS = {
    "training, anywhere": Kind(work.train_digits, work.of_run, 40),
    "training, within a refresh": Kind(
        work.train_digits, work.of_run, 30, (trainer.Trainer, "refresh")
    ),
    "training, within a checkpoint": Kind(
        work.train_digits, work.of_run, 40, (trainer.Trainer, "save")
    ),
    "sweep, its driver": Kind(work.sweep_digits, work.of_sweep, 15),
    "sweep, a worker": Kind(work.sweep_digits, work.of_sweep, 15, victim="worker"),
    "rendering, its driver": Kind(work.render_faces, work.of_faces, 10),
    "rendering, a worker": Kind(work.render_faces, work.of_faces, 10, victim="worker"),
    "rendering, all at once": Kind(work.render_faces, work.of_faces, 10, victim="all"),
    "export, anywhere": Kind(work.export, work.of_export, 30, before=work.trained),
    "report, anywhere": Kind(work.write_report, work.of_report, 20, before=work.studies),
    "report, its browser": Kind(
        work.write_report, work.of_report, 10, victim="worker", before=work.studies
    ),
}


class Child:
    """A forked process, in its own process group, that does the work."""

    def __init__(self, kind: Kind, folder: Path, log: Path) -> None:
        self.seen: dict[int, str] = {}  # its descendants when it was killed: pid -> start time
        self.entries, write = os.pipe()
        self.pid = os.fork()
        if self.pid:
            os.close(write)
            return
        code = 1
        try:
            os.setsid()
            out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(out, 1)
            os.dup2(out, 2)
            if kind.within is not None:
                self._trace(kind.within, write)
            kind.do(folder)
            code = 0
        except (InputError, SystemExit) as error:
            os.write(2, f"{error}\n".encode())
            code = 2
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            os._exit(code)

    @staticmethod
    def _trace(target: Target, write: int) -> None:
        """Writes the time of every entry and exit of the function to a pipe."""
        owner, name = target
        true = getattr(owner, name)

        def traced(*args: Any, **kwargs: Any) -> Any:
            os.write(write, struct.pack("d", time.monotonic()))
            try:
                return true(*args, **kwargs)
            finally:
                os.write(write, struct.pack("d", time.monotonic()))

        setattr(owner, name, traced)

    def ended(self, within: float | None) -> int | None:
        """The exit code, or None if it still runs after ``within`` seconds."""
        stop = None if within is None else time.monotonic() + within
        while stop is None or time.monotonic() < stop:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                os.close(self.entries)
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.001)
        return None

    def entered(self, call: int) -> bool:
        """Waits for call number ``call`` (from 0) of the function; False if the child ends."""
        for _ in range(2 * call + 1):
            select.select([self.entries], [], [])
            if len(os.read(self.entries, 8)) < 8:  # the child has ended
                return False
        return True

    def spans(self) -> list[float]:
        """Seconds of every call, after the child has ended."""
        received = b""
        while part := os.read(self.entries, 1 << 16):
            received += part
        times = [t for (t,) in struct.iter_unpack("d", received)]
        return [b - a for a, b in zip(times[::2], times[1::2], strict=True)]

    def kill(self, victim: str, draw: random.Random) -> bool:
        """Kills with ``kill -9``; False if there is no such process."""
        below = descendants(self.pid)
        self.seen = {pid: birth(pid) for pid in below}
        if victim == "worker":
            if not below:
                return False
            with suppress(ProcessLookupError):
                os.kill(draw.choice(below), signal.SIGKILL)
            return True
        try:
            (os.killpg if victim == "all" else os.kill)(self.pid, signal.SIGKILL)
        except ProcessLookupError:  # its process group does not exist yet
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.entries)
        return True


def trial(name: str, kind: Kind, kills: int, seed: int = 0) -> dict[str, Any]:
    """A row: ``kills`` kills; every disturbed work is resumed until it completes, and compared."""
    draw = random.Random(f"{name} {seed}")
    # In memory: the file system does not matter for a kill, and no disk is waited for.
    memory = Path("/dev/shm")
    home = Path(tempfile.mkdtemp(prefix="faults-", dir=memory if memory.is_dir() else None))
    count = {"kills": 0, "errors": 0, "hung": 0, "completed": 0}
    odd: list[str] = []
    started: dict[int, str] = {}
    strays = 0
    log = home / "log"
    try:
        prepare = kind.before(home) if kind.before is not None else lambda _: None
        (home / "undisturbed").mkdir()
        prepare(home / "undisturbed")
        start = time.monotonic()
        undisturbed = Child(kind, home / "undisturbed", log)
        spans = undisturbed.spans()
        if undisturbed.ended(None) != 0:
            raise SystemExit(f"{name} failed without a kill: {log.read_text()}")
        usual = time.monotonic() - start
        wanted = output(kind, home / "undisturbed")
        while count["kills"] < kills:
            folder = home / f"disturbed-{count['completed']}"
            folder.mkdir()
            prepare(folder)
            enough = min(kills, count["kills"] + draw.randint(2, 5))
            while True:
                child, met = Child(kind, folder, log), False
                code: int | None = None
                if count["kills"] < enough:
                    code, met = disturb(child, kind, usual, spans, draw)
                    count["kills"] += met
                    started |= child.seen
                if met and kind.victim != "worker":
                    continue  # the child was killed
                if code is None:
                    code = child.ended(TIMEOUT)
                if code is None:  # it waits for the killed worker
                    count["hung"] += 1
                    child.kill("all", draw)
                    continue
                if code == 0:
                    break
                if code != 2 or not met:
                    odd.append((log.read_text().strip().splitlines() or [f"code {code}"])[-1][:200])
                    break
                count["errors"] += 1  # the error about the killed worker
            count["completed"] += 1
            odd += differences(output(kind, folder), wanted)
            strays += sum(1 for _ in folder.rglob("*.part"))
            shutil.rmtree(folder)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return {
        "work and killed process": name,
        "undisturbed, s": f"{usual:.1f}",
        **count,
        "values compared": len(wanted),
        "differences": len(odd),
        "differing values": "; ".join(dict.fromkeys(odd)) or "none",
        "temporary files left": strays,
        "processes left": remaining(started),
    }


def disturb(
    child: Child, kind: Kind, usual: float, spans: list[float], draw: random.Random
) -> tuple[int | None, bool]:
    """Kills at a random moment: (exit code if it ended before, whether a process was killed)."""
    if kind.within is None:
        code = child.ended(draw.uniform(0, 0.9 * usual))
    else:
        call = draw.randrange(min(len(spans), 4))
        code = None
        if child.entered(call):
            code = child.ended(draw.uniform(0, float(np.median(spans))))
    if code is not None:
        return code, False
    return None, child.kill(kind.victim, draw)


def descendants(pid: int) -> list[int]:
    """All descendants of the process ``pid``."""
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # it has ended meanwhile
            found += map(int, children.read_text().split())
    return [p for child in found for p in (child, *descendants(child))]


def remaining(started: Mapping[int, str], patience: float = 15.0) -> int:
    """The number of these processes that do not end by themselves."""
    stop = time.monotonic() + patience
    while True:
        alive = sum(bool(born) and birth(pid) == born for pid, born in started.items())
        if not alive or time.monotonic() > stop:
            return alive
        time.sleep(0.1)


def output(kind: Kind, folder: Path) -> dict[str, str]:
    """Digests of all written values, by name."""
    return work.apart(lambda: {k: work.digest(v) for k, v in kind.output(folder).items()})


def differences(found: dict[str, str], wanted: dict[str, str]) -> list[str]:
    """Names of missing, additional and differing values."""
    return sorted(k for k in found.keys() | wanted.keys() if found.get(k) != wanted.get(k))


def trials(chosen: list[str], fraction: float, seed: int) -> list[dict[str, Any]]:
    """Rows of the chosen kinds, printed one by one."""
    import torch

    torch.set_num_threads(1)  # a child must not be forked from a process with threads
    work.warm(
        faces=any("rendering" in name for name in chosen),
        pages=any("report" in name for name in chosen),
    )
    rows = []
    for name, kind in KINDS.items():
        if name in chosen:
            rows.append(trial(name, kind, max(1, round(kind.kills * fraction)), seed))
            print(*rows[-1].values(), sep=" | ", flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", choices=list(KINDS), help="kinds of kills")
    parser.add_argument("--fraction", type=float, default=1.0, help="of the kills of each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="store docs/benchmarks/faults.json")
    given = parser.parse_args()

    def run() -> list[dict[str, Any]]:
        return trials(given.only or list(KINDS), given.fraction, given.seed)

    if given.write:
        write_json(FOLDER / "faults.json", conditions("python -m tests.robustness.faults", run))
    else:
        print(table(run()))


if __name__ == "__main__":
    main()
