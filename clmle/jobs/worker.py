"""A worker process: ``python -m clmle.jobs.worker MODULE:FUNCTION THREADS``.

It reads one task a line (JSON) from stdin, calls the function with it and writes the answer as one
line to stdout. When stdin closes while it works, it sends itself SIGTERM, which a training run
answers by saving a checkpoint: a worker never outlives the process that started it, however that
process ended.
"""

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from importlib import import_module
from typing import Any


def main(function: str, threads: int) -> None:
    """Answer tasks until stdin closes."""
    # What libraries print to stdout goes to the log; answers have a channel without it.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    import torch

    torch.set_num_threads(threads)
    module, _, name = function.partition(":")
    call = getattr(import_module(module), name)
    busy = threading.Event()
    for task in _tasks(busy):
        answer = call(task)
        busy.clear()  # before the answer, because the next task may follow at once
        try:
            answers.write(json.dumps(answer) + "\n")
            answers.flush()
        except OSError:
            return  # the parent process has ended


def _tasks(busy: threading.Event) -> Iterator[dict[str, Any]]:
    """Tasks as they arrive; ``busy`` is set with each."""
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def listen() -> None:
        for line in sys.stdin:
            busy.set()
            lines.put(line)
        lines.put("")
        if busy.is_set():
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=listen, daemon=True).start()
    while line := lines.get():
        yield json.loads(line)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
