"""What a run says of itself while it goes: status, metrics, time left."""

from __future__ import annotations

import os
import platform
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from clmle.run_folder import RunFolder

Report = Callable[[dict[str, Any]], None]


class Stopped(Exception):
    """The run was asked to stop; its checkpoint is saved."""


class Reporter:
    """Keeps the clock of a run and writes its status.

    ``spent`` are the seconds of earlier processes, ``first_step`` the step at which this one
    began; the pace counts from the first step on, not from the rendering of images before it.
    """

    def __init__(self, run: RunFolder, total: int, report: Report | None) -> None:
        self.run, self.total, self.report = run, total, report
        self.spent = 0.0
        self.began = time.monotonic()
        self.first_step = 0
        self.stepping_since: float | None = None
        self.quoted = 0.0

    def resume(self, seconds: float, step: int) -> None:
        """Earlier processes took ``seconds`` and came to ``step``."""
        self.spent, self.began, self.first_step = seconds, time.monotonic(), step

    def stepping(self) -> None:
        """A step begins."""
        if self.stepping_since is None:
            self.stepping_since = time.monotonic()

    def seconds(self) -> float:
        return self.spent + time.monotonic() - self.began

    def seconds_left(self, step: int) -> float | None:
        """By the pace since the first step, whatever the time went into; None until known."""
        steps = step - self.first_step
        if steps < 3 or self.stepping_since is None:
            return None
        pace = (time.monotonic() - self.stepping_since) / steps
        return pace * max(0, self.total - step)

    def images_per_second(self, step: int, batch_size: int) -> float:
        if self.stepping_since is None:
            return 0.0
        spent = time.monotonic() - self.stepping_since
        return (step - self.first_step) * batch_size / max(spent, 1e-9)

    def tell(self, phase: str, step: int, *, state: str = "running", message: str = "") -> None:
        """Write the status file and call ``report``."""
        status = {
            "state": state,
            "phase": phase,
            "step": step,
            "total": self.total,
            "seconds": self.seconds(),
            "seconds_left": self.seconds_left(step) if state == "running" else 0.0,
            "message": message,
        }
        self.run.write_status(**status)
        self.quoted = time.monotonic()
        if self.report is not None:
            self.report(status)


class StopSignals:
    """While inside, SIGTERM and SIGINT ask the run to stop instead of killing it."""

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self.kept: dict[int, Any] = {}

    def __enter__(self) -> None:
        try:
            for number in (signal.SIGTERM, signal.SIGINT):
                self.kept[number] = signal.signal(number, lambda *_: self.run.request_stop())
        except ValueError:  # not the main thread
            self.kept = {}

    def __exit__(self, *_: object) -> None:
        for number, handler in self.kept.items():
            signal.signal(number, handler)


def processor() -> str:
    """The processor's name as its maker gives it, else its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration, IndexError):
        return platform.processor() or platform.machine()


def machine(device: torch.device) -> dict[str, Any]:
    """What the run ran on, for its result."""
    name = f"{processor()}, {os.cpu_count()} cores"
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    return {
        "device": name,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
