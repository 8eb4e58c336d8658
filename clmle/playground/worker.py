"""Courses trained in a process of their own, so that a page that shows them stays quick.

``python -m clmle.playground.worker`` reads one request a line (JSON) and answers with messages: a
line of JSON that ends with how many bytes follow, then these bytes, arrays as .npz. A new line
ends what is being trained; the end of the input ends the process.
"""

from __future__ import annotations

import dataclasses
import io
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Generator
from pathlib import Path
from typing import IO, Any

import numpy as np

from clmle.errors import InputError
from clmle.playground.problem import PlaygroundProblem
from clmle.playground.trajectory import Course, Frame

ROOT = Path(__file__).resolve().parents[2]


class Trainer:
    """A worker process; :meth:`frames` trains one course in it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "clmle.playground.worker"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def frames(
        self, problem: PlaygroundProblem, method: str, clusters: int
    ) -> Generator[Frame | Course, None, None]:
        """Every frame as it is reached; the whole course at last. Closing it stops the training.

        Raises
        ------
        InputError
            The request cannot be used, or the process ended.
        """
        request = {"problem": dataclasses.asdict(problem), "method": method, "clusters": clusters}
        self._send(request)
        frames: list[Frame] = []
        ended = False
        try:
            while True:
                kind, message, arrays = self._receive()
                ended = kind != "frame"
                if kind == "error":
                    raise InputError(message)
                if kind == "frame":
                    frames.append(unpack_frame(arrays))
                    yield frames[-1]
                else:
                    margin = float(arrays["margin"]) if "margin" in arrays else None
                    classes = arrays.get("centroid_classes")
                    labels = arrays["labels"]
                    yield Course(problem, method, labels, frames, classes, margin)
                    return
        finally:
            if not ended:
                self._send({})
                while self._receive()[0] == "frame":
                    pass

    def close(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.communicate()

    def _send(self, request: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(request).encode() + b"\n")
            self.process.stdin.flush()
        except OSError as error:
            raise InputError("The process that trains has ended; reload the page.") from error

    def _receive(self) -> tuple[str, str, dict[str, np.ndarray]]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise InputError("The process that trains has ended; reload the page.")
        head = json.loads(line)
        arrays = {}
        if head["bytes"]:
            with np.load(io.BytesIO(self.process.stdout.read(head["bytes"]))) as stored:
                arrays = dict(stored)
        return head["kind"], head["message"], arrays


def unpack_frame(arrays: dict[str, np.ndarray]) -> Frame:
    """The frame that :func:`pack_frame` packed."""
    names = [f.name for f in dataclasses.fields(Frame)]
    values = {name: arrays.get(name) for name in names} | {"step": int(arrays["step"])}
    return Frame(**values)  # type: ignore[arg-type]


def pack_frame(frame: Frame) -> dict[str, Any]:
    """What there is of a frame, as arrays by name."""
    values = {f.name: getattr(frame, f.name) for f in dataclasses.fields(frame)}
    return {name: value for name, value in values.items() if value is not None}


def main(requests: IO[str], answers: IO[bytes]) -> None:
    """Answer requests until there are no more."""
    import torch

    from clmle.methods import method_names

    torch.set_num_threads(1)  # batches this small only lose time where threads share them
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in requests:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    method_names()  # loads what training needs while nobody waits for it
    while (line := lines.get()) is not None:
        request = json.loads(line)
        if request:
            _train(request, lines, answers)


def _train(request: dict[str, Any], lines: queue.Queue[str | None], answers: IO[bytes]) -> None:
    from clmle.playground.trajectory import PlaygroundRun

    try:
        problem = PlaygroundProblem(**request["problem"])
        run = PlaygroundRun(problem, request["method"], request["clusters"])
        for frame in run.frames():
            _answer(answers, "frame", arrays=pack_frame(frame))
            if not lines.empty():
                _answer(answers, "error", "stopped")
                return
        course = run.course([])
        facts: dict[str, Any] = {"labels": course.labels}
        if course.centroid_classes is not None:
            facts["centroid_classes"] = course.centroid_classes
        if course.between_margin is not None:
            facts["margin"] = course.between_margin
        _answer(answers, "done", arrays=facts)
    except InputError as error:
        _answer(answers, "error", str(error))
    except Exception as error:  # the process lives on for the next request
        _answer(answers, "error", f"Training failed ({type(error).__name__}: {error}).")


def _answer(
    answers: IO[bytes], kind: str, message: str = "", arrays: dict[str, Any] | None = None
) -> None:
    body = io.BytesIO()
    if arrays:
        np.savez(body, **arrays)
    head = {"kind": kind, "message": message, "bytes": len(body.getvalue())}
    answers.write(json.dumps(head).encode() + b"\n" + body.getvalue())
    answers.flush()


if __name__ == "__main__":
    main(sys.stdin, sys.stdout.buffer)
