"""Kill -9 at random moments, go on, and compare with what was never disturbed, bit for bit.

    python -m tests.robustness.faults [--only KIND ...] [--share 0.1] [--seed 0]

A child process does its work and is killed: anywhere, or within what a kind of kill aims at
(the refresh of clusters, the writing of a checkpoint, ...), or a process that it has started is
killed in its place. Another child goes on, until one comes to its end. Then all that was written is
compared, times and machine apart.
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

from bench.comparison import Comparison, Tables
from bench.report import print_rows
from clmle.errors import InputError
from clmle.jobs.process import birth
from clmle.training import trainer
from tests.robustness import faults_work as work

TITLE = "Killed, gone on, compared"
PATIENCE = 120.0  # seconds until what was disturbed, and should take a few, counts as hung
Aim = tuple[Any, str]  # owner and name of a function


@dataclass(frozen=True)
class Kind:
    """A kind of kill: what is done, what it leaves, and whom or where a kill meets."""

    do: Callable[[Path], None]
    left: Callable[[Path], dict[str, Any]]
    kills: int
    within: Aim | None = None  # a random moment of a random call of it
    victim: str = "driver"  # or a "worker" below it, or "all" as of a machine that goes down
    before: Callable[[Path], Callable[[Path], None]] | None = None


KINDS = {
    "training, anywhere": Kind(work.train_digits, work.of_run, 40),
    "training, within a refresh": Kind(
        work.train_digits, work.of_run, 30, (trainer.Session, "begin_round")
    ),
    "training, within a checkpoint": Kind(
        work.train_digits, work.of_run, 40, (trainer.Session, "save")
    ),
    "sweep, its driver": Kind(work.sweep_digits, work.of_sweep, 15),
    "sweep, a worker": Kind(work.sweep_digits, work.of_sweep, 15, victim="worker"),
    "rendering, its driver": Kind(work.render_faces, work.of_faces, 10),
    "rendering, a worker": Kind(work.render_faces, work.of_faces, 10, victim="worker"),
    "rendering, all at once": Kind(work.render_faces, work.of_faces, 10, victim="all"),
    "export, anywhere": Kind(work.export, work.of_export, 30, before=work.trained),
    "results, anywhere": Kind(work.write_page, work.of_page, 20, before=work.studies),
    "results, its browser": Kind(
        work.write_page, work.of_page, 10, victim="worker", before=work.studies
    ),
}


class Child:
    """A process of its own group that does the work; it needs no start-up of its own."""

    def __init__(self, kind: Kind, folder: Path, log: Path) -> None:
        self.seen: dict[int, str] = {}  # what it had started when it was killed, and when
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
                self._tell_of(kind.within, write)
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
    def _tell_of(aim: Aim, write: int) -> None:
        """Every entry and exit of the function is told, with its time."""
        owner, name = aim
        true = getattr(owner, name)

        def reported(*args: Any, **kwargs: Any) -> Any:
            os.write(write, struct.pack("d", time.monotonic()))
            try:
                return true(*args, **kwargs)
            finally:
                os.write(write, struct.pack("d", time.monotonic()))

        setattr(owner, name, reported)

    def ended(self, within: float | None) -> int | None:
        """The exit code, or None when it goes on after ``within`` seconds."""
        stop = None if within is None else time.monotonic() + within
        while stop is None or time.monotonic() < stop:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                os.close(self.entries)
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.001)
        return None

    def entered(self, call: int) -> bool:
        """Waits for call number ``call`` (from 0) of what is aimed at; False if it never comes."""
        for _ in range(2 * call + 1):
            select.select([self.entries], [], [])
            if len(os.read(self.entries, 8)) < 8:  # the child has gone
                return False
        return True

    def spans(self) -> list[float]:
        """Seconds of every call, once the child has ended."""
        reported = b""
        while part := os.read(self.entries, 1 << 16):
            reported += part
        times = [t for (t,) in struct.iter_unpack("d", reported)]
        return [b - a for a, b in zip(times[::2], times[1::2], strict=True)]

    def kill(self, victim: str, draw: random.Random) -> bool:
        """kill -9; whether there was such a process."""
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
        except ProcessLookupError:  # not yet a group of its own
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.entries)
        return True


def trial(name: str, kind: Kind, kills: int, seed: int = 0) -> dict[str, Any]:
    """As many kills as asked for, every disturbed work brought to its end and compared."""
    draw = random.Random(f"{name} {seed}")
    # A kill is one wherever the files lie, and no disk is waited for.
    memory = Path("/dev/shm")
    home = Path(tempfile.mkdtemp(prefix="faults-", dir=memory if memory.is_dir() else None))
    count = {"kills": 0, "sentences": 0, "hung": 0, "ends": 0}
    odd: list[str] = []
    started: dict[int, str] = {}
    strays = 0
    log = home / "log"
    try:
        prepare = kind.before(home) if kind.before is not None else lambda _: None
        (home / "calm").mkdir()
        prepare(home / "calm")
        start = time.monotonic()
        calm = Child(kind, home / "calm", log)
        spans = calm.spans()
        if calm.ended(None) != 0:
            raise SystemExit(f"{name}: undisturbed, it failed: {log.read_text()}")
        usual = time.monotonic() - start
        wanted = left(kind, home / "calm")
        while count["kills"] < kills:
            folder = home / f"disturbed-{count['ends']}"
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
                    continue  # the child is no more
                if code is None:
                    code = child.ended(PATIENCE)
                if code is None:  # it waits for ever for the worker that was killed
                    count["hung"] += 1
                    child.kill("all", draw)
                    continue
                if code == 0:
                    break
                if code != 2 or not met:
                    odd.append((log.read_text().strip().splitlines() or [f"code {code}"])[-1][:200])
                    break
                count["sentences"] += 1  # a worker was missed
            count["ends"] += 1
            odd += differences(left(kind, folder), wanted)
            strays += sum(1 for _ in folder.rglob("*.part"))
            shutil.rmtree(folder)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    return {
        "killed": name,
        "undisturbed, s": f"{usual:.1f}",
        **count,
        "things compared each": len(wanted),
        "differences": len(odd),
        "which": "; ".join(dict.fromkeys(odd)) or "none",
        "half-written files left": strays,
        "processes left": remaining(started),
    }


def disturb(
    child: Child, kind: Kind, usual: float, spans: list[float], draw: random.Random
) -> tuple[int | None, bool]:
    """Kills at a random moment: the exit code if it had ended before, and whether it was met."""
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
    """All processes that ``pid`` has started, and those that they have."""
    found: list[int] = []
    for reported in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # it has gone meanwhile
            found += map(int, reported.read_text().split())
    return [p for child in found for p in (child, *descendants(child))]


def remaining(started: Mapping[int, str], patience: float = 15.0) -> int:
    """How many of these processes do not end by themselves."""
    stop = time.monotonic() + patience
    while True:
        alive = sum(bool(born) and birth(pid) == born for pid, born in started.items())
        if not alive or time.monotonic() > stop:
            return alive
        time.sleep(0.1)


def left(kind: Kind, folder: Path) -> dict[str, str]:
    """Digests of all that was written, by name."""
    return work.apart(lambda: {k: work.digest(v) for k, v in kind.left(folder).items()})


def differences(found: dict[str, str], wanted: dict[str, str]) -> list[str]:
    """Names of what is missing, too much, or not the same to the bit."""
    return sorted(k for k in found.keys() | wanted.keys() if found.get(k) != wanted.get(k))


def run(quick: bool = False) -> list[dict[str, Any]]:
    """All kinds of kills."""
    return trials(list(KINDS), 0.05 if quick else 1.0, 0)


def trials(chosen: list[str], share: float, seed: int) -> list[dict[str, Any]]:
    """Rows of the chosen kinds, each printed as it is there."""
    import torch

    torch.set_num_threads(1)  # no thread is there when a child is forked
    work.warm(
        faces=any("rendering" in name for name in chosen),
        pages=any("results" in name for name in chosen),
    )
    rows = []
    for name, kind in KINDS.items():
        if name in chosen:
            rows.append(trial(name, kind, max(1, round(kind.kills * share)), seed))
            print(*rows[-1].values(), sep=" | ", flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", choices=list(KINDS), help="kinds of kills")
    parser.add_argument("--share", type=float, default=1.0, help="of the kills")
    parser.add_argument("--seed", type=int, default=0)
    values = parser.parse_args()
    print_rows(TITLE, trials(values.only or list(KINDS), values.share, values.seed))


def says(tables: Tables, limits: Mapping[str, float]) -> str:
    rows = tables[""]
    kills, ends, odd, hung = (
        sum(row[key] for row in rows) for key in ("kills", "ends", "differences", "hung")
    )
    return (
        f"{kills} kills, {ends} ends compared, {odd} differences, {hung} hung. *Sentences*: a "
        "killed worker or browser is told in one, and the same command again goes on. What an "
        "export or a page had "
        "begun to write (`.features.npz.….part`) stays beside it and can be removed."
    )


COMPARISON = Comparison(
    "faults",
    "Faults: killed, gone on, compared",
    run,
    "kill -9 at random moments; another process goes on, and what it leaves is compared bit for "
    "bit with what an undisturbed one left (weights, momentum, cached losses, clusters, "
    "embeddings, metrics, results, images, tables), times apart. Runs of a second or two on digits "
    "and 60 faces, files in memory; a checkpoint after every step. Processes are forked from one "
    "that has loaded the libraries; the program itself starts new ones.",
    says,
)

if __name__ == "__main__":
    main()
