"""Run the missing cells of a grid on several processes, or on a Ray cluster.

The parent alone writes results, a line as each cell is done. A worker that dies costs its cell:
another takes its place, and the cell waits for the next sweep. Nothing that has a result is
ever run again.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from clmle.errors import InputError
from clmle.experiments.cells import Cell, append_result, read_results, run_cell, waiting

Tell = Callable[[int, int, str], None]
Outcome = tuple[Cell, dict[str, Any] | None, str]


def sweep(
    cells: Sequence[Cell],
    results: str | os.PathLike[str],
    *,
    jobs: int = 0,
    launcher: str = "local",
    folder: str | os.PathLike[str] | None = None,
    tell: Tell | None = None,
) -> list[str]:
    """Run every cell that ``results`` lacks; returns a sentence for each that failed.

    Parameters
    ----------
    cells : sequence of Cell
    results : path
        JSON lines, appended to as cells end.
    jobs : int
        Cells at a time; one a core by default. Each uses one thread where there are several.
    launcher : {"local", "ray"}
        Processes of this machine, or tasks of a Ray cluster (``pip install clmle[ray]``).
    folder : path, optional
        Where unfinished runs lie; ``results`` with the ending .cells by default.
    tell : callable(done, total, text), optional
    """
    todo = waiting(cells, read_results(results))
    total = len({c.key + c.variant for c in cells})
    where = Path(folder) if folder is not None else Path(results).with_suffix(".cells")
    jobs = jobs or os.cpu_count() or 1
    if launcher == "local":
        outcomes = _local(todo, where, min(jobs, max(1, len(todo))))
    elif launcher == "ray":
        outcomes = _ray(todo, where)
    else:
        raise InputError(f"launcher is {launcher!r}; choose local or ray.")
    done, failures = total - len(todo), []
    if tell is not None:
        tell(done, total, "")
    for cell, summary, error in outcomes:
        name = f"{cell.variant}, {cell.settings.data.attribute}, seed {cell.settings.train.seed}"
        if summary is None:
            failures.append(f"{name}: {error}")
        else:
            append_result(results, summary)
            done += 1
        if tell is not None:
            tell(done, total, error and f"{name}: {error}")
    if where.is_dir() and not any(where.iterdir()):
        where.rmdir()
    return failures


def _local(todo: list[Cell], where: Path, jobs: int) -> Iterator[Outcome]:
    """Outcomes as they come from ``jobs`` worker processes, each replaced when it dies."""
    queue = list(reversed(todo))
    workers: dict[Any, tuple[Any, Cell]] = {}  # connection -> process, the cell it works on
    try:
        while queue or workers:
            while queue and len(workers) < jobs:
                workers |= _start(queue.pop(), where, jobs)
            for connection in wait(list(workers)):
                process, cell = workers.pop(connection)
                try:
                    summary, error = connection.recv()  # type: ignore[union-attr]
                except EOFError:
                    process.join()
                    yield cell, None, f"its process ended with code {process.exitcode}"
                    continue
                following = queue.pop() if queue else None
                connection.send(following and (following, str(where)))  # type: ignore[union-attr]
                if following is None:
                    process.join()
                else:
                    workers[connection] = (process, following)
                yield cell, summary, error
    finally:
        for process, _ in workers.values():
            process.terminate()


def _start(cell: Cell, where: Path, jobs: int) -> dict[Any, tuple[Any, Cell]]:
    """A fresh worker with its first cell."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(there, jobs), daemon=True)
    process.start()
    there.close()
    here.send((cell, str(where)))
    return {here: (process, cell)}


def _work(connection: Connection, jobs: int) -> None:
    """Cells from the parent, one after another; in a process of its own."""
    import torch

    torch.set_num_threads(max(1, (os.cpu_count() or 1) // jobs))
    while True:
        try:
            task = connection.recv()
        except (EOFError, KeyboardInterrupt):
            return
        if task is None:
            return
        connection.send(_attempt(*task))


def _attempt(cell: Cell, where: str) -> tuple[dict[str, Any] | None, str]:
    """Summary, or the sentence that says why there is none."""
    began = time.monotonic()
    try:
        return run_cell(cell, where) | {"wall": round(time.monotonic() - began, 1)}, ""
    except InputError as error:
        return None, str(error)
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"


def _ray(todo: list[Cell], where: Path) -> Iterator[Outcome]:
    """Outcomes from a Ray cluster: the one RAY_ADDRESS names, else one on this machine."""
    try:
        import ray
    except ImportError as error:
        raise InputError("launcher ray needs Ray: pip install 'ray[default]'.") from error
    if not ray.is_initialized():
        ray.init(include_dashboard=False, log_to_driver=False)
    remote = ray.remote(num_cpus=1, max_retries=0)(_attempt)
    running = {remote.remote(cell, str(where.resolve())): cell for cell in todo}
    while running:
        ready, _ = ray.wait(list(running), num_returns=1)
        cell = running.pop(ready[0])
        try:
            outcome = ray.get(ready[0])
        except ray.exceptions.RayError as failure:
            outcome = None, f"its worker was lost ({type(failure).__name__})"
        yield cell, *outcome
