"""Studies in background processes, which outlive the page or notebook that starts them.

Next to the results NAME.jsonl are NAME.job.json (the request and its process), NAME.log (the
process's output) and, while trials are unfinished, their run folders in NAME.trials.
"""

import os
import re
import shutil
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clmle.errors import InputError
from clmle.files import as_sentence, leads_out, read_json, runs_dir, write_json
from clmle.jobs.lock import file_lock
from clmle.jobs.process import birth, end, is_running, start_module
from clmle.run_folder import ACTIVE, RunFolder
from clmle.studies.eta import estimate_seconds
from clmle.studies.request import StudyRequest
from clmle.studies.results import read_results
from clmle.studies.runner import FOLDER, cores
from clmle.studies.trials import Trial, pending
from clmle.studies.validation import check_trials


@dataclass(frozen=True)
class StudyProgress:
    """Progress of a background study."""

    state: str  # "running", "done", "stopped" or "failed"
    done: int  # trials
    total: int
    seconds_left: float | None  # None if it cannot be estimated yet
    running: tuple[tuple[str, str, float], ...] = ()  # trial, phase and fraction done
    message: str = ""  # what went wrong


@dataclass(frozen=True)
class BackgroundStudy:
    """One results file and its job; holds only the path of the file."""

    results: Path

    @property
    def name(self) -> str:
        """Name of the study, that of its results file."""
        return self.results.stem

    @property
    def job_path(self) -> Path:
        """Path of the file that describes the job."""
        return self.results.with_suffix(".job.json")

    @property
    def log_path(self) -> Path:
        """Path of the log of the job."""
        return self.results.with_suffix(".log")

    @property
    def folder(self) -> Path:
        """Run folders of unfinished trials."""
        return self.results.with_suffix(FOLDER)

    def job(self) -> dict[str, Any]:
        """The request and the process that runs it."""
        found = read_json(self.job_path)
        if (
            not isinstance(found, dict)
            or not isinstance(found.get("request"), dict)
            or not isinstance(found.get("jobs", 0), int)
        ):
            raise InputError(f"{self.job_path} is no job of a study; remove it.")
        return found

    def request(self) -> StudyRequest:
        """Return the request that the job runs."""
        return StudyRequest.from_dict(self.job()["request"])

    def alive(self) -> bool:
        """Whether its process runs."""
        job = self.job()
        return is_running(job.get("pid"), job.get("born"))

    def progress(self) -> StudyProgress:
        """State, trials and time left, from the files and the process."""
        job = self.job()
        trials, results = self.request().trials(), read_results(self.results)
        left, total = pending(trials, results), len(pending(trials))
        counts = (total - len(left), total)
        if not left:
            return StudyProgress("done", *counts, 0.0)
        if not self.alive():
            state = "stopped" if job.get("stopped") else "failed"
            return StudyProgress(state, *counts, None, (), self._last_error())
        active = self._active(left)
        seconds = _seconds_left(left, results, active, job.get("jobs", 0) or cores())
        running = tuple(
            (str(t), s["phase"], min(1.0, s["step"] / max(1, s["total"])))
            for t, s in active.values()
        )
        return StudyProgress("running", *counts, seconds, running)

    def stop(self) -> None:
        """End the process; trials that train save checkpoints for :func:`resume_study`."""
        job = self.job()
        write_json(self.job_path, job | {"stopped": True})
        end(job.get("pid", 0), str(job.get("born", "")))

    def remove(self) -> None:
        """Delete results, job, log and unfinished trials."""
        running = f"The study {self.name} is running; stop it before you delete it."
        alive = False
        with suppress(InputError):  # of a damaged job, only the lock shows whether it runs
            alive = self.alive()
        if alive:
            raise InputError(running)
        lock = self.results.with_name(f".{self.results.name}.lock")
        try:
            with file_lock(lock, running):
                for path in (self.results, self.log_path, self.job_path, lock):
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise as_sentence(error, self.results) from error
        shutil.rmtree(self.folder, ignore_errors=True)

    def _active(self, left: list[Trial]) -> dict[str, tuple[Trial, dict[str, Any]]]:
        """Trials that train now and the status of their runs, by key."""
        found = {}
        for trial in left:
            status = RunFolder(self.folder / trial.key).status()
            if status["state"] in ACTIVE and "pid" in status:  # without pid: never started
                found[trial.key] = (trial, status)
        return found

    def _last_error(self) -> str:
        """The last error message of the log."""
        try:
            log = self.log_path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        errors: list[str] = re.findall("^clmle: (.*)", log, re.MULTILINE)
        return errors[-1] if errors else ""


def start_study(
    request: StudyRequest,
    name: str = "",
    *,
    jobs: int = 0,
    root: str | os.PathLike[str] | None = None,
) -> BackgroundStudy:
    """Check every trial of a request and run them in the background."""
    name = name or request.study
    if not re.fullmatch("[A-Za-z0-9_-]+", name):
        raise InputError(f"{name!r} cannot name a study; use letters, digits, - and _.")
    request = request.with_attributes()
    trials = request.trials()
    if not trials:
        raise InputError("There is no trial to run; choose a method, an attribute and a seed.")
    check_trials(trials, render=False)
    study = BackgroundStudy(_root(root) / f"{name}.jsonl")
    with _starting(study):
        if study.job_path.exists():
            if study.alive():
                raise InputError(
                    f"The study {name} is already running; stop it, or use another name."
                )
            if study.request() != request:
                raise InputError(
                    f"{study.results} has the results of another request; use another name."
                )
        _start(study, request, jobs)
    return study


def free_name(
    request: StudyRequest, stem: str = "", root: str | os.PathLike[str] | None = None
) -> str:
    """Return a name for a study, with a number if another request has that name."""
    stem = stem or request.study
    for name in [stem, *(f"{stem}-{number}" for number in range(2, 100))]:
        study = BackgroundStudy(_root(root) / f"{name}.jsonl")
        with suppress(InputError):  # a broken job: the name is taken
            started = study.job_path.exists()
            if study.request() == request if started else not study.results.exists():
                return name
    return stem


def resume_study(study: BackgroundStudy) -> None:
    """Continue a stopped or failed study in the background; finished trials do not run again."""
    with _starting(study):
        if study.alive():
            raise InputError(f"The study {study.name} is already running.")
        _start(study, study.request(), study.job().get("jobs", 0))


def background_studies(root: str | os.PathLike[str] | None = None) -> list[BackgroundStudy]:
    """List the studies that were started in the background, the latest first."""
    jobs = [p for p in _root(root).glob("*.job.json") if not leads_out(p)]
    latest = sorted(jobs, key=lambda p: (-p.stat().st_mtime, p.name))
    return [BackgroundStudy(p.with_name(p.name.removesuffix(".job.json") + ".jsonl"))
            for p in latest]  # fmt: skip


def _root(root: str | os.PathLike[str] | None) -> Path:
    return Path(root) if root is not None else runs_dir() / "studies"


def _starting(study: BackgroundStudy) -> AbstractContextManager[None]:
    """Of several visitors who start a study at once, the others find it running."""
    busy = f"The study {study.name} is being started; try again."
    folder = study.results.parent
    return file_lock(folder.with_name(f".{folder.name}.starting"), busy, timeout=60.0)


def _start(study: BackgroundStudy, request: StudyRequest, jobs: int) -> None:
    results = str(study.results.resolve())
    arguments = (*request.arguments(), "--results", results, "--jobs", str(jobs))
    process = start_module("clmle", *arguments, log=study.log_path)
    write_json(
        study.job_path,
        {
            "request": request.to_dict(),
            "jobs": jobs,
            "began": time.time(),
            "pid": process.pid,
            "born": birth(process.pid),
            "stopped": False,
        },
    )


def _seconds_left(
    left: list[Trial],
    results: list[dict[str, Any]],
    active: Mapping[str, tuple[Trial, Mapping[str, Any]]],
    jobs: int,
) -> float | None:
    """Estimated from finished trials, or from running ones while none has finished."""
    timed = [(t, s) for t, s in active.values() if s.get("seconds_left") is not None]
    begun = sum(s["seconds_left"] for _, s in timed)
    finished = results or [
        {
            "variant": t.variant,
            "method": t.config.method,
            "seconds": s["seconds"] + s["seconds_left"],
        }
        for t, s in timed
    ]
    distinct = {trial.key: trial for trial in left if trial.key not in active}
    rest = estimate_seconds(distinct.values(), finished, jobs)
    return None if rest is None else rest + begun / jobs
