"""A process that trains cells: told one a line on stdin, answers one a line on stdout.

    python -m clmle.jobs.worker THREADS

It belongs to a sweep and ends with it: when stdin closes while it trains, however the sweep died,
it saves a checkpoint and goes. It imports nothing of the program that started the sweep, so that
sweeps work from scripts, notebooks, the app and ``python -`` alike.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any


def attempt(task: dict[str, Any]) -> dict[str, Any]:
    """Train one cell: {"variant", "config", "folder"} -> {"summary" or None, "error"}.

    Whatever goes wrong is a sentence in "error".
    """
    from clmle.errors import InputError
    from clmle.studies.trials import Trial, run_trial
    from clmle.training import Stopped, config_from_dict

    try:
        trial = Trial(task["variant"], config_from_dict(task["config"]))
        return {"summary": run_trial(trial, task["folder"]), "error": ""}
    except InputError as error:
        return {"summary": None, "error": str(error)}
    except Stopped:
        return {"summary": None, "error": "it was stopped; its checkpoint is saved"}
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        return {"summary": None, "error": text}


def main(threads: int) -> None:
    """Answer until stdin closes."""
    # The answers get a channel of their own: what libraries print goes to the log.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    import torch

    torch.set_num_threads(threads)
    busy = threading.Event()
    for task in _tasks(busy):
        answer = attempt(task)
        busy.clear()  # before the answer: the next task may follow at once
        try:
            answers.write(json.dumps(answer) + "\n")
            answers.flush()
        except OSError:
            return  # the sweep has gone; the run folder holds all there is


def _tasks(busy: threading.Event) -> Iterator[dict[str, Any]]:
    """Tasks as they come; ``busy`` is set with each."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def listen() -> None:
        for line in sys.stdin:
            busy.set()
            lines.put(line)
        lines.put("")
        if busy.is_set():
            # Training takes this as a wish to save and stop; outside of it, it ends the process.
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=listen, daemon=True).start()
    while line := lines.get():
        yield json.loads(line)


if __name__ == "__main__":
    main(int(sys.argv[1]))
