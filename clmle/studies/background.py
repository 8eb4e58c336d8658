"""Studies in background processes, which outlive the page or notebook that starts them.

Next to the results NAME.jsonl are NAME.job.json (the request and its process), NAME.log (the
process's output) and, while trials are unfinished, their run folders in NAME.trials.
"""

from __future__ import annotations

import os
import shutil
import string
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clmle.errors import InputError
from clmle.files import as_sentence, leads_out, read_json, runs_dir, write_json
from clmle.jobs.process import birth, end, start_module
from clmle.run_folder import ACTIVE, RunFolder
from clmle.studies.eta import estimate_seconds
from clmle.studies.request import StudyRequest
from clmle.studies.results import read_results
from clmle.studies.runner import FOLDER, cores
from clmle.studies.trials import Trial, pending
from clmle.studies.validation import check_trials

LETTERS = frozenset(string.ascii_letters + string.digits + "-_")


@dataclass(frozen=True)
class StudyProgress:
    """Progress of a background study.

    Parameters
    ----------
    state : {"running", "done", "stopped", "failed"}
    done, total : int
        Trials.
    seconds_left : float or None
        None if it cannot be estimated yet.
    running : tuple of (str, str, float)
        Description, phase and fraction done of the trials that train now.
    message : str
        What went wrong, if anything.
    """

    state: str
    done: int
    total: int
    seconds_left: float | None
    running: tuple[tuple[str, str, float], ...] = ()
    message: str = ""


@dataclass(frozen=True)
class BackgroundStudy:
    """One results file and its job; holds only the path.

    Parameters
    ----------
    results : pathlib.Path
        The results file.
    """

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
        """The request and the process that runs it.

        Raises
        ------
        InputError
            The file is damaged or is no job.
        """
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
        return _alive(self.job())

    def progress(self) -> StudyProgress:
        """State, trials and time left, from the files and the process."""
        job = self.job()
        trials, results = self.request().trials(), read_results(self.results)
        left, total = pending(trials, results), len(pending(trials))
        counts = (total - len(left), total)
        if not left:
            return StudyProgress("done", *counts, 0.0)
        if not _alive(job):
            state = "stopped" if job.get("stopped") else "failed"
            return StudyProgress(state, *counts, None, (), self._last_error())
        active = self._active(left)
        seconds = _seconds_left(left, results, active, job.get("jobs", 0) or cores())
        running = tuple((str(t), s["phase"], _fraction(s)) for t, s in active.values())
        return StudyProgress("running", *counts, seconds, running)

    def stop(self) -> None:
        """End the process; trials that train save checkpoints for :func:`resume_study`."""
        job = self.job()
        write_json(self.job_path, job | {"stopped": True})
        end(job.get("pid", 0), str(job.get("born", "")))

    def remove(self) -> None:
        """Delete results, job, log and unfinished trials.

        Raises
        ------
        InputError
            It is still running, or a file cannot be removed.
        """
        if self.alive():
            raise InputError(f"The study {self.name} is running; stop it before you delete it.")
        try:
            lock = self.results.with_name(f".{self.results.name}.lock")
            for path in (self.results, self.log_path, self.job_path, lock):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise as_sentence(error, self.results) from error
        shutil.rmtree(self.folder, ignore_errors=True)

    def _active(self, left: list[Trial]) -> dict[str, tuple[Trial, dict[str, Any]]]:
        """Trials that train now and the status of their runs, by key."""
        known = {trial.key: trial for trial in left}
        found = {}
        for path in sorted(self.folder.glob("*/status.json")):
            key = path.parent.name
            status = RunFolder(path.parent).status()
            if key in known and status["state"] in ACTIVE:
                found[key] = (known[key], status)
        return found

    def _last_error(self) -> str:
        """The last error message of the log."""
        try:
            lines = self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        errors = [line for line in lines if line.startswith("clmle: ")]
        return errors[-1].removeprefix("clmle: ") if errors else ""


def start_study(
    request: StudyRequest,
    name: str = "",
    *,
    jobs: int = 0,
    root: str | os.PathLike[str] | None = None,
) -> BackgroundStudy:
    """Check every trial of a request and run them in the background."""
    name = name or request.study
    if not name or not set(name) <= LETTERS:
        raise InputError(f"{name!r} cannot name a study; use letters, digits, - and _.")
    request = request.with_attributes()
    trials = request.trials()
    if not trials:
        raise InputError("There is no trial to run; choose a method, an attribute and a seed.")
    check_trials(trials, render=False)
    study = BackgroundStudy(_root(root) / f"{name}.jsonl")
    if study.job_path.exists():
        if study.alive():
            raise InputError(f"The study {name} is already running; stop it, or use another name.")
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
    for number in range(1, 100):
        name = stem if number == 1 else f"{stem}-{number}"
        study = BackgroundStudy(_root(root) / f"{name}.jsonl")
        try:
            if not study.results.exists() and not study.job_path.exists():
                return name
            if study.job_path.exists() and study.request() == request:
                return name
        except InputError:  # a broken job: the name is taken
            continue
    return stem


def resume_study(study: BackgroundStudy) -> None:
    """Continue a stopped or failed study in the background; finished trials do not run again."""
    job = study.job()
    if _alive(job):
        raise InputError(f"The study {study.name} is already running.")
    _start(study, StudyRequest.from_dict(job["request"]), job.get("jobs", 0))


def background_studies(root: str | os.PathLike[str] | None = None) -> list[BackgroundStudy]:
    """List the studies that were started in the background, the latest first."""
    jobs = [p for p in _root(root).glob("*.job.json") if not leads_out(p)]
    latest = sorted(jobs, key=lambda p: (-p.stat().st_mtime, p.name))
    return [BackgroundStudy(p.with_name(p.name.removesuffix(".job.json") + ".jsonl"))
            for p in latest]  # fmt: skip


def _root(root: str | os.PathLike[str] | None) -> Path:
    return Path(root) if root is not None else runs_dir() / "studies"


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


def _alive(job: Mapping[str, Any]) -> bool:
    born = job.get("born", "")
    return bool(born) and birth(job.get("pid", 0)) == born


def _seconds_left(
    left: list[Trial],
    results: list[dict[str, Any]],
    active: Mapping[str, tuple[Trial, Mapping[str, Any]]],
    jobs: int,
) -> float | None:
    """Estimated from finished trials, or from running ones while none has finished."""
    timed = [(t, s) for t, s in active.values() if s.get("seconds_left") is not None]
    begun = sum(s["seconds_left"] for _, s in timed)
    finished: list[Mapping[str, Any]] = list(results) or [
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


def _fraction(status: Mapping[str, Any]) -> float:
    fraction: float = status["step"] / max(1, status["total"])
    return min(1.0, fraction)
