"""The status of a run while it trains, requests to stop, and the machine it runs on."""

import os
import platform
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch

from clmle.run_folder import RunFolder

Report = Callable[[dict[str, Any]], None]


class Stopped(Exception):
    """The run was asked to stop; its checkpoint is written and it can be resumed."""


class Reporter:
    """Measures the time of a run and writes its status.

    ``spent`` are the seconds of earlier processes, ``first_step`` is the step at which this one
    started. The pace is measured from the first step on, without the time to render images.
    """

    def __init__(self, run: RunFolder, total: int, report: Report | None) -> None:
        self.run, self.total, self.report = run, total, report
        self.spent = 0.0
        self.began = time.monotonic()
        self.first_step = 0
        self.pace_since: float | None = None
        self.written = 0.0

    def resume(self, seconds: float, step: int) -> None:
        """Continue from ``step`` after the ``seconds`` of earlier processes."""
        self.spent, self.began, self.first_step = seconds, time.monotonic(), step

    def start_pace(self) -> None:
        """Measure the pace from the first call on."""
        if self.pace_since is None:
            self.pace_since = time.monotonic()

    def seconds(self) -> float:
        """Return the seconds spent, those of earlier processes included."""
        return self.spent + time.monotonic() - self.began

    def seconds_left(self, step: int) -> float | None:
        """Estimate the seconds left from the pace so far; None within the first steps."""
        steps = step - self.first_step
        if steps < 3 or self.pace_since is None:
            return None
        pace = (time.monotonic() - self.pace_since) / steps
        return pace * max(0, self.total - step)

    def images_per_second(self, step: int, batch_size: int) -> float:
        """Return the training images per second of this process."""
        if self.pace_since is None:
            return 0.0
        spent = time.monotonic() - self.pace_since
        return (step - self.first_step) * batch_size / max(spent, 1e-9)

    def write(self, phase: str, step: int, *, state: str = "running", message: str = "") -> None:
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
        self.written = time.monotonic()
        if self.report is not None:
            self.report(status)


@contextmanager
def stop_signals(run: RunFolder) -> Iterator[None]:
    """SIGTERM and SIGINT ask the run to stop instead of ending the process."""
    kept: dict[int, Any] = {}
    with suppress(ValueError):  # not the main thread
        for number in (signal.SIGTERM, signal.SIGINT):
            kept[number] = signal.signal(number, lambda *_: run.request_stop())
    try:
        yield
    finally:
        for caught, handler in kept.items():
            signal.signal(caught, handler)


def processor() -> str:
    """Return the model name of the processor, or its architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration, IndexError):
        return platform.processor() or platform.machine()


def machine(device: torch.device) -> dict[str, Any]:
    """Describe the machine for the result of a run."""
    name = f"{processor()}, {os.cpu_count()} cores"
    if device.type == "cuda":
        name = torch.cuda.get_device_name(device)
    return {
        "device": name,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
