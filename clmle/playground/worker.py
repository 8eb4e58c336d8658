"""Trains trajectories in a separate process, so that the page that shows them stays responsive.

``python -m clmle.playground.worker`` reads one request per line (JSON) and answers with pickled
pairs (kind, value): "frame", "done" or "error". A new line cancels the current training; the end
of the input ends the process. Both ends of the pipe belong to the same program.
"""

import dataclasses
import json
import pickle
import queue
import sys
import threading
from collections.abc import Generator
from typing import IO, Any

from clmle.errors import InputError
from clmle.jobs.process import start_module
from clmle.playground.problem import PlaygroundProblem
from clmle.playground.trajectory import EVERY, Frame, PlaygroundRun, Trajectory


class PlaygroundWorker:
    """A worker process; :meth:`frames` trains one trajectory in it."""

    def __init__(self) -> None:
        self.process = start_module("clmle.playground.worker", pipes=True)

    def frames(
        self,
        problem: PlaygroundProblem,
        method: str,
        clusters: int,
        classifier: str = "own",
        every: int = EVERY,
    ) -> Generator[Frame | Trajectory, None, None]:
        """Yield every frame as it is reached, then the trajectory; closing it stops training."""
        self._send({"problem": dataclasses.asdict(problem), "method": method, "clusters": clusters,
                    "classifier": classifier, "every": every})  # fmt: skip
        kind = "frame"
        try:
            while kind == "frame":
                kind, value = self._receive()
                if kind == "error":
                    raise InputError(value)
                yield value
        finally:
            if kind == "frame":
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
            raise InputError("The training process has ended; reload the page.") from error

    def _receive(self) -> tuple[str, Any]:
        assert self.process.stdout is not None
        try:
            answer: tuple[str, Any] = pickle.load(self.process.stdout)
        except (EOFError, pickle.UnpicklingError) as error:
            raise InputError("The training process has ended; reload the page.") from error
        return answer


def main(requests: IO[str], answers: IO[bytes]) -> None:
    """Answer requests until the input ends."""
    import torch

    from clmle.methods import method_names

    torch.set_num_threads(1)  # more threads slow down batches this small
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in requests:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    method_names()  # imports what training needs before the first request
    while (line := lines.get()) is not None:
        if request := json.loads(line):
            _train(request, lines, answers)


def _train(request: dict[str, Any], lines: queue.Queue[str | None], answers: IO[bytes]) -> None:
    try:
        problem = PlaygroundProblem(**request["problem"])
        run = PlaygroundRun(problem, request["method"], request["clusters"], request["classifier"])
        frames = []
        for frame in run.frames(request["every"]):
            frames.append(frame)
            _answer(answers, "frame", frame)
            if not lines.empty():
                return _answer(answers, "error", "stopped")
        _answer(answers, "done", run.trajectory(frames))
    except InputError as error:
        _answer(answers, "error", str(error))
    except Exception as error:  # the process stays available for the next request
        _answer(answers, "error", f"Training failed ({type(error).__name__}: {error}).")


def _answer(answers: IO[bytes], kind: str, value: Any) -> None:
    pickle.dump((kind, value), answers)
    answers.flush()


if __name__ == "__main__":
    main(sys.stdin, sys.stdout.buffer)
