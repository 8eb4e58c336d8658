"""Run the trials of a study that have no result yet, on several processes or a Ray cluster.

Only this process writes results, one line as each trial ends. A worker that dies loses its trial
only: another worker takes its place, and the next call continues the trial from its checkpoint.
"""

import os
import shutil
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from clmle.errors import InputError
from clmle.files import runs_dir
from clmle.jobs.lock import file_lock
from clmle.jobs.worker_pool import WorkerPool
from clmle.studies.execution import attempt
from clmle.studies.request import StudyRequest, restrict
from clmle.studies.results import append_result, read_results
from clmle.studies.spec import Study
from clmle.studies.trials import Trial, pending, study_trials

Progress = Callable[[int, int, str], None]
Outcome = tuple[Trial, dict[str, Any]]
LAUNCHERS = ("local", "ray")
LOG = "workers.log"
ATTEMPT = f"{attempt.__module__}:{attempt.__name__}"
RAY_BUSY = "try again when the machine is less busy."  # it gives its processes 30 seconds
FOLDER = ".trials"  # ending of the folder of unfinished runs


def run_study(
    study: str | Study,
    *,
    dataset: str = "",
    attributes: Sequence[str] = (),
    seeds: Sequence[int] = (),
    methods: Sequence[str] = (),
    preset: str = "reference",
    results: str | os.PathLike[str] | None = None,
    jobs: int = 0,
) -> list[dict[str, Any]]:
    """Run the trials of a study that have no result yet, and return all results.

    Parameters
    ----------
    study : str or Study
        A study, or its name in :data:`clmle.studies.STUDIES`.
    dataset : str, optional
        Data set, or path of a folder of images; the study's own by default.
    attributes, seeds, methods : sequence, optional
        Restrict the study to these; empty keeps the study's own.
    preset : str, default "reference"
        Budget of every trial.
    results : path, optional
        JSON-lines file, ``runs/studies/STUDY.jsonl`` by default; its trials are not run again.
    jobs : int, default 0
        Trials at a time; 0 takes one per CPU core.

    Returns
    -------
    list of dict
        One for each trial: ``variant``, ``task``, ``seed``, ``validation``, ``test``, ``seconds``.

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
    chosen = (dataset, tuple(attributes), tuple(seeds), tuple(methods))
    if isinstance(study, str):
        trials = StudyRequest(study, *chosen, preset=preset).trials()
    else:
        trials = study_trials(
            restrict(study, methods), dataset=dataset, attributes=attributes, seeds=seeds,
            preset=preset,
        )  # fmt: skip
    name = study if isinstance(study, str) else study.name
    path = Path(results) if results is not None else runs_dir() / "studies" / f"{name}.jsonl"
    failures = run_trials(trials, path, jobs=jobs)
    if failures:
        raise InputError(f"{len(failures)} trials failed; the first: {failures[0]}")
    wanted = {(trial.key, trial.variant) for trial in trials}
    return [r for r in read_results(path) if (r["key"], r["variant"]) in wanted]


def run_trials(
    trials: Sequence[Trial],
    results: str | os.PathLike[str],
    *,
    jobs: int = 0,
    launcher: str = "local",
    known: Sequence[Mapping[str, Any]] = (),
    progress: Progress | None = None,
) -> list[str]:
    """Run every trial that ``results`` lacks.

    Trials with the same configuration under several names are trained once. Ctrl-C stops the
    workers, which save their checkpoints; the same call continues from there.
    """
    if launcher not in LAUNCHERS:
        raise InputError(f"launcher is {launcher!r}; choose one of: {', '.join(LAUNCHERS)}.")
    if jobs < 0:
        raise InputError(f"jobs is {jobs}, but must be 0 or more.")
    where = Path(results).with_suffix(FOLDER)
    failures: list[str] = []
    with file_lock(
        Path(results).with_name(f".{Path(results).name}.lock"),
        f"Another study is writing {results}; wait until it ends, or name another file.",
    ):
        finished = read_results(results)
        groups: dict[str, list[Trial]] = {}
        for trial in pending(trials, finished):
            groups.setdefault(trial.key, []).append(trial)
        total = len(pending(trials))
        for summary in (*finished, *known):
            for trial in groups.pop(summary["key"], []):
                append_result(results, {**summary, "variant": trial.variant})
        done = total - sum(map(len, groups.values()))
        report = progress or (lambda done, total, text: None)
        report(done, total, "")
        run = _local if launcher == "local" else _ray
        with closing(run([group[0] for group in groups.values()], where, jobs)) as outcomes:
            for trial, answer in outcomes:
                text = ""
                if answer.get("summary") is None:
                    text = f"{trial}: {answer['error']}"
                    failures.append(text)
                else:
                    for same in groups[trial.key]:
                        append_result(results, {**answer["summary"], "variant": same.variant})
                        done += 1
                    shutil.rmtree(where / trial.key, ignore_errors=True)
                report(done, total, text)
        if not failures:
            (where / LOG).unlink(missing_ok=True)
            with suppress(OSError):  # not empty, or never made
                where.rmdir()
    return failures


def cores() -> int:
    """Number of CPU cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


def _local(todo: list[Trial], where: Path, jobs: int) -> Generator[Outcome, None, None]:
    """Outcomes of worker processes of this machine, as they end."""
    if not todo:
        return
    jobs = jobs or cores()
    where.mkdir(parents=True, exist_ok=True)
    # By the jobs requested, not by the trials left: results depend on the number of threads.
    pool = WorkerPool(ATTEMPT, max(1, cores() // jobs), where / LOG)
    executor = ThreadPoolExecutor(min(jobs, len(todo)))
    try:
        futures: dict[Future[dict[str, Any]], Trial] = {
            executor.submit(pool.run, _task(trial, where)): trial for trial in todo
        }
        for future in as_completed(futures):
            yield futures[future], future.result()
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        pool.close()
        executor.shutdown()


def _ray(todo: list[Trial], where: Path, jobs: int) -> Generator[Outcome, None, None]:
    """Outcomes of tasks of a Ray cluster, ``jobs`` at a time, as they end."""
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
                text = f"its worker was lost ({type(failure).__name__}); run the study again"
                answer = {"error": text}
            yield trial, answer
    finally:
        for reference in running:  # training saves a checkpoint and stops
            ray.cancel(reference)
        if running:
            ray.wait(list(running), num_returns=len(running), timeout=30)
        if own:
            ray.shutdown()


def _join_or_start(ray: Any, jobs: int) -> None:
    """Join the cluster that RAY_ADDRESS names, else start one for this study."""
    quiet = {"log_to_driver": False, "logging_level": "error"}
    # Ray's niceness of 15 leaves workers a fiftieth of a processor while other programs run.
    own = {"include_dashboard": False, "_system_config": {"worker_niceness": 0}}
    address = os.environ.get("RAY_ADDRESS")
    if address:
        try:
            ray.init(address=address, **quiet)
        except (ConnectionError, ValueError) as error:
            raise InputError(
                f"No Ray cluster answers at RAY_ADDRESS={address} ({error}); start it or unset it."
            ) from error
        return
    try:
        with _on_loopback(ray):
            ray.init(address="local", num_cpus=jobs or cores(), **own, **quiet)
    except Exception as error:  # Ray raises no particular class if it starts too slowly
        ray.shutdown()  # a half-started cluster would stay
        reason = str(error).partition(".")[0]
        raise InputError(f"Ray could not be started here ({reason}); {RAY_BUSY}") from error


@contextmanager
def _on_loopback(ray: Any) -> Iterator[None]:
    """Let a new cluster listen at 127.0.0.1 alone, where by default it listens at all addresses.

    Ray replaces ``_node_ip_address="127.0.0.1"`` by an address that other computers reach, except
    where it supports no clusters, as on macOS and Windows; this variable is that switch.
    """
    variable, constants = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", ray._private.ray_constants
    before, constant = os.environ.get(variable), constants.ENABLE_RAY_CLUSTER
    os.environ[variable], constants.ENABLE_RAY_CLUSTER = "0", False
    try:
        yield
    finally:
        constants.ENABLE_RAY_CLUSTER = constant
        del os.environ[variable]
        if before is not None:
            os.environ[variable] = before


def _task(trial: Trial, where: Path) -> dict[str, Any]:
    """A trial as plain values, for :func:`attempt` in a worker."""
    folder = str(where / trial.key)
    return {"variant": trial.variant, "config": trial.config.to_dict(), "folder": folder}
