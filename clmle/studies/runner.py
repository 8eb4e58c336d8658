"""Run the missing cells of a grid on several processes, or on a Ray cluster.

This process alone writes results, a line as each cell is done. A worker that dies costs its cell:
another takes its place, and the cell waits for the next sweep, which goes on from its checkpoint.
Nothing that has a result is ever run again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from clmle.errors import InputError
from clmle.files import as_sentence
from clmle.jobs.worker import attempt
from clmle.jobs.worker_pool import WorkerPool
from clmle.studies.trials import Trial, append_result, read_results, waiting

Tell = Callable[[int, int, str], None]
Outcome = tuple[Trial, dict[str, Any] | None, str]
LAUNCHERS = ("local", "ray")
LOG = "workers.log"


def sweep(
    trials: Sequence[Trial],
    results: str | os.PathLike[str],
    *,
    jobs: int = 0,
    launcher: str = "local",
    folder: str | os.PathLike[str] | None = None,
    known: Sequence[Mapping[str, Any]] = (),
    tell: Tell | None = None,
) -> list[str]:
    """Run every cell that ``results`` lacks; returns a sentence for each that failed.

    Cells of the same settings under several names are trained once. Ctrl-C stops the workers,
    which save their checkpoints.

    Parameters
    ----------
    cells : sequence of Cell
    results : path
        JSON lines, appended to as cells end.
    jobs : int
        Cells at a time; one a core by default, on Ray as many as the cluster has CPUs. Each
        uses its share of the cores as threads.
    launcher : {"local", "ray"}
        Processes of this machine, or tasks of a Ray cluster (``pip install clmle[ray]``): the
        one that RAY_ADDRESS names or that runs here, else one started for this sweep. Other
        machines need clmle installed and ``folder`` on a disk that all of them share.
    folder : path, optional
        Where unfinished runs lie; ``results`` with the ending .cells by default.
    known : sequence of summaries
        Cells finished elsewhere, such as those of other studies; they are copied, not run.
    tell : callable(done, total, text), optional
        ``text`` is empty, or says which cell failed and why.

    Raises
    ------
    InputError
        Another sweep is writing ``results``, a file cannot be used, or an unknown launcher.
    """
    if launcher not in LAUNCHERS:
        raise InputError(f"launcher is {launcher!r}; choose one of: {', '.join(LAUNCHERS)}.")
    if jobs < 0:
        raise InputError(f"jobs is {jobs}, but must be 0 or more.")
    where = Path(folder) if folder is not None else Path(results).with_suffix(".cells")
    with _alone(Path(results)):
        finished = read_results(results)
        groups: dict[str, list[Trial]] = {}
        for trial in waiting(trials, finished):
            groups.setdefault(trial.key, []).append(trial)
        total = len({(c.key, c.variant) for c in trials})
        for summary in (*finished, *known):
            for trial in groups.pop(summary["key"], []):
                append_result(results, {**summary, "variant": trial.variant})
        done = total - sum(map(len, groups.values()))
        failures: list[str] = []
        if tell is not None:
            tell(done, total, "")
        todo = [group[0] for group in groups.values()]
        run = _local if launcher == "local" else _ray
        with closing(run(todo, where, jobs)) as outcomes:
            for trial, outcome, error in outcomes:
                text = ""
                if outcome is None:
                    text = f"{describe(trial)}: {error}"
                    failures.append(text)
                else:
                    for same in groups[trial.key]:
                        line = {**outcome, "key": same.key, "variant": same.variant}
                        append_result(results, line)
                        done += 1
                    shutil.rmtree(where / trial.key, ignore_errors=True)
                if tell is not None:
                    tell(done, total, text)
        if not failures:
            _tidy(where)
    return failures


def run_study(
    study: str,
    *,
    dataset: str = "",
    attributes: Sequence[str] = (),
    seeds: Sequence[int] = (),
    methods: Sequence[str] = (),
    preset: str = "reference",
    results: str | os.PathLike[str] | None = None,
    jobs: int = 0,
) -> list[dict[str, Any]]:
    """Run the trials of a named study that have no result yet and return all results.

    Parameters
    ----------
    study : str
        Name of a study in :data:`clmle.studies.STUDIES`.
    dataset : str, optional
        Data set, or path of a folder of images; the study's own by default.
    attributes, seeds, methods : sequence, optional
        Restrict the study to these; empty keeps the study's own.
    preset : str, default "reference"
        Budget of every trial.
    results : path, optional
        JSON-lines file of results, ``runs/studies/STUDY.jsonl`` by default. Trials that it holds
        are not run again.
    jobs : int, default 0
        Trials at a time; 0 takes one per CPU core.

    Returns
    -------
    list of dict
        Results of all trials that are done, one dict per trial: ``variant``, ``task``, ``seed``,
        ``validation`` and ``test`` metrics, ``seconds``.

    Raises
    ------
    InputError
        Unknown study, method or data set; another process writes the same file; a trial failed.

    Examples
    --------
    >>> from clmle import run_study
    >>> run_study("no-such-study")
    Traceback (most recent call last):
    ...
    clmle.errors.InputError: There is no study 'no-such-study'; choose one of: ...
    """
    from clmle.files import runs_dir
    from clmle.studies.request import Request

    request = Request(
        study, dataset, tuple(attributes), tuple(seeds), tuple(methods), preset=preset
    )
    trials = request.trials()
    path = Path(results) if results is not None else runs_dir() / "studies" / f"{study}.jsonl"
    failures = sweep(trials, path, jobs=jobs)
    if failures:
        raise InputError(f"{len(failures)} trials failed; the first: {failures[0]}")
    wanted = {(trial.key, trial.variant) for trial in trials}
    return [r for r in read_results(path) if (r["key"], r["variant"]) in wanted]


def describe(trial: Trial) -> str:
    """A cell in a few words, for messages."""
    data, train = trial.config.data, trial.config.train
    ratio = f"ratio {data.ratio:g}" if data.imbalance != "none" else ""
    return ", ".join(filter(None, [trial.variant, data.attribute, ratio, f"seed {train.seed}"]))


def cores() -> int:
    """CPU cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


@contextmanager
def _alone(results: Path) -> Iterator[None]:
    """Nobody else writes ``results`` meanwhile; the lock dies with its process."""
    from filelock import FileLock, Timeout

    try:
        results.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(results.with_name(f".{results.name}.lock"))
        lock.acquire(timeout=0)
    except Timeout as error:
        raise InputError(
            f"Another sweep is writing {results}; wait until it ends, or name another file."
        ) from error
    except OSError as error:
        raise as_sentence(error, results) from error
    try:
        yield
    finally:
        lock.release()


def _local(todo: list[Trial], where: Path, jobs: int) -> Generator[Outcome, None, None]:
    """Outcomes as they come from worker processes of this machine."""
    if not todo:
        return
    jobs = jobs or cores()
    where.mkdir(parents=True, exist_ok=True)
    # By the jobs asked for, not by the cells left: the same sweep gives the same figures.
    pool = WorkerPool(max(1, cores() // jobs), where / LOG)
    executor = ThreadPoolExecutor(min(jobs, len(todo)))
    try:
        futures: dict[Future[dict[str, Any]], Trial] = {
            executor.submit(pool.train, _task(trial, where)): trial for trial in todo
        }
        for future in as_completed(futures):
            answer = future.result()
            yield futures[future], answer["summary"], answer["error"]
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        pool.dismiss()
        executor.shutdown()


def _ray(todo: list[Trial], where: Path, jobs: int) -> Generator[Outcome, None, None]:
    """Outcomes from a Ray cluster, ``jobs`` cells at a time."""
    try:
        import ray
    except ImportError as error:
        raise InputError("launcher ray needs Ray: pip install ray.") from error
    if not todo:
        return
    where.mkdir(parents=True, exist_ok=True)
    own = not ray.is_initialized()
    if own:
        _join_or_start(ray, jobs)
    remote = ray.remote(num_cpus=1, max_retries=0)(attempt)
    queue = list(reversed(todo))
    running: dict[Any, Trial] = {}
    try:
        while queue or running:
            while queue and len(running) < (jobs or len(todo)):
                trial = queue.pop()
                running[remote.remote(_task(trial, where.resolve()))] = trial
            ready, _ = ray.wait(list(running), num_returns=1)
            trial = running.pop(ready[0])
            try:
                answer = ray.get(ready[0])
            except ray.exceptions.RayError as failure:
                text = f"its worker was lost ({type(failure).__name__}); run the sweep again"
                answer = {"summary": None, "error": text}
            yield trial, answer["summary"], answer["error"]
    finally:
        for reference in running:  # training takes this as a wish to save and stop
            ray.cancel(reference)
        if running:
            ray.wait(list(running), num_returns=len(running), timeout=30)
        if own:
            ray.shutdown()


def _join_or_start(ray: Any, jobs: int) -> None:
    """The cluster that is there, else one on this machine."""
    try:
        ray.init(address="auto", log_to_driver=False, logging_level="error")
    except ConnectionError as error:
        if os.environ.get("RAY_ADDRESS"):
            address = os.environ["RAY_ADDRESS"]
            raise InputError(
                f"No Ray cluster answers at RAY_ADDRESS={address} ({error}); start it or unset it."
            ) from error
        _start_ray(ray, jobs or cores())


def _start_ray(ray: Any, cpus: int) -> None:
    """A cluster of this machine alone."""
    try:
        ray.init(num_cpus=cpus, include_dashboard=False, log_to_driver=False, logging_level="error")
    except Exception as error:  # Ray's own, of no class in particular, when it starts too slowly
        ray.shutdown()  # leaves no half-started cluster behind
        reason = str(error).partition(".")[0]
        raise InputError(
            f"Ray could not be started here ({reason}); try again when the machine has less to do."
        ) from error


def _task(trial: Trial, where: Path) -> dict[str, Any]:
    """What a worker is told of a cell."""
    return {
        "variant": trial.variant,
        "config": trial.config.to_dict(),
        "folder": str(where / trial.key),
    }


def _tidy(where: Path) -> None:
    """Remove the folder of unfinished runs once there is none."""
    (where / LOG).unlink(missing_ok=True)
    if where.is_dir() and not any(where.iterdir()):
        where.rmdir()
