"""A study in a process of its own, which outlives the page or notebook that asked for it.

Beside the results NAME.jsonl stand NAME.job.json (what was asked, and the process that does it),
NAME.log (what it says) and, while cells are unfinished, their run folders in NAME.cells.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clmle.errors import InputError
from clmle.files import as_sentence, leads_out, read_json, runs_dir, write_json
from clmle.jobs.process import birth, end
from clmle.run_folder import ACTIVE, RunFolder
from clmle.studies.request import Request
from clmle.studies.runner import cores, describe
from clmle.studies.trials import Trial, estimate_seconds, read_results, waiting
from clmle.studies.validation import check_trials

ROOT = Path(__file__).resolve().parents[2]
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")


@dataclass(frozen=True)
class Standing:
    """How far a study is.

    ``state`` is running, done, stopped or failed; ``done`` of ``total`` cells have a result;
    ``seconds_left`` is None while nobody knows; ``running`` are the cells at work, each with
    what it is, its phase and the share done; ``message`` is what went wrong, if anything.
    """

    state: str
    done: int
    total: int
    seconds_left: float | None
    running: tuple[tuple[str, str, float], ...] = ()
    message: str = ""


@dataclass(frozen=True)
class BackgroundStudy:
    """One results file and its job; holds nothing but the path."""

    results: Path

    @property
    def name(self) -> str:
        return self.results.stem

    @property
    def job_path(self) -> Path:
        return self.results.with_suffix(".job.json")

    @property
    def log_path(self) -> Path:
        return self.results.with_suffix(".log")

    @property
    def folder(self) -> Path:
        """Run folders of unfinished cells."""
        return self.results.with_suffix(".cells")

    def job(self) -> dict[str, Any]:
        """What was asked and which process does it.

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

    def request(self) -> Request:
        return Request.from_dict(self.job()["request"])

    def alive(self) -> bool:
        """Whether its process runs."""
        return _alive(self.job())

    def standing(self) -> Standing:
        """State, cells and time left, from the files and the process alone."""
        job = self.job()
        trials, results = self.request().trials(), read_results(self.results)
        left = waiting(trials, results)
        total = len(waiting(trials, []))
        facts = (total - len(left), total)
        if not left:
            return Standing("done", *facts, 0.0)
        if not _alive(job):
            state = "stopped" if job.get("stopped") else "failed"
            return Standing(state, *facts, None, (), self._last_words())
        at_work = self._at_work(left)
        seconds = _seconds_left(left, results, at_work, job.get("jobs", 0) or cores())
        running = tuple((text, s["phase"], _share(s)) for text, s in at_work.values())
        return Standing("running", *facts, seconds, running)

    def stop(self) -> None:
        """End the process; cells that train save their checkpoints and wait for :func:`resume`."""
        job = self.job()
        write_json(self.job_path, job | {"stopped": True})
        end(job.get("pid", 0), str(job.get("born", "")))

    def remove(self) -> None:
        """Delete results, job, log and unfinished cells.

        Raises
        ------
        InputError
            It is still running, or a file cannot be removed.
        """
        if self.alive():
            raise InputError(f"The study {self.name} is running; stop it before it is deleted.")
        try:
            lock = self.results.with_name(f".{self.results.name}.lock")
            for path in (self.results, self.log_path, self.job_path, lock):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise as_sentence(error, self.results) from error
        shutil.rmtree(self.folder, ignore_errors=True)

    def _at_work(self, left: list[Trial]) -> dict[str, tuple[str, dict[str, Any]]]:
        """Key of each cell at work: its description and the status of its run."""
        known = {trial.key: trial for trial in left}
        found = {}
        for path in sorted(self.folder.glob("*/status.json")):
            key = path.parent.name
            status = RunFolder(path.parent).status()
            if key in known and status["state"] in ACTIVE:
                found[key] = (describe(known[key]), status)
        return found

    def _last_words(self) -> str:
        """The last sentence of the log that says what went wrong."""
        try:
            lines = self.log_path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return ""
        said = [line for line in lines if line.startswith("clmle: ")]
        return said[-1].removeprefix("clmle: ") if said else ""


def start_study(
    request: Request,
    name: str = "",
    *,
    jobs: int = 0,
    root: str | os.PathLike[str] | None = None,
) -> BackgroundStudy:
    """Check every cell of ``request`` and start them in the background.

    Parameters
    ----------
    request : Request
    name : str
        Of the results file in ``root``; that of the study by default.
    jobs : int
        Cells at a time; 0: one a core.
    root : path, optional
        Where results stand; ``studies`` in the folder of runs by default.

    Raises
    ------
    InputError
        A setting that no run can use, a name that cannot be a file's or is taken, or a file that
        cannot be written.
    """
    name = name or request.study
    if not name or not set(name) <= LETTERS:
        raise InputError(f"{name!r} cannot name a study; use letters, digits, - and _.")
    request = request.spelled_out()
    trials = request.trials()
    if not trials:
        raise InputError("There is no cell to run; choose a method, an attribute and a seed.")
    check_trials(trials, render=False)
    study = BackgroundStudy(_root(root) / f"{name}.jsonl")
    if study.job_path.exists():
        if study.alive():
            raise InputError(f"The study {name} is running already; stop it, or take another name.")
        if study.request() != request:
            raise InputError(
                f"There are results called {name} of another request; take another name."
            )
    _start(study, request, jobs)
    return study


def free_name(request: Request, stem: str = "", root: str | os.PathLike[str] | None = None) -> str:
    """``stem`` (by default the study's own name), with a number where another request has it."""
    stem = stem or request.study
    for number in range(1, 100):
        name = stem if number == 1 else f"{stem}-{number}"
        study = BackgroundStudy(_root(root) / f"{name}.jsonl")
        try:
            if not study.results.exists() and not study.job_path.exists():
                return name
            if study.job_path.exists() and study.request() == request:
                return name
        except InputError:  # a broken job: its name is taken
            continue
    return stem


def resume_study(study: BackgroundStudy) -> None:
    """Go on with a study that was stopped or failed; finished cells are not run again.

    Raises
    ------
    InputError
        It is still running.
    """
    job = study.job()
    if _alive(job):
        raise InputError(f"The study {study.name} is running already.")
    _start(study, Request.from_dict(job["request"]), job.get("jobs", 0))


def background_studies(root: str | os.PathLike[str] | None = None) -> list[BackgroundStudy]:
    """Studies that were started in the background, the latest first."""
    jobs = [p for p in _root(root).glob("*.job.json") if not leads_out(p)]
    latest = sorted(jobs, key=lambda p: (-p.stat().st_mtime, p.name))
    return [BackgroundStudy(p.with_name(p.name.removesuffix(".job.json") + ".jsonl"))
            for p in latest]  # fmt: skip


def _root(root: str | os.PathLike[str] | None) -> Path:
    return Path(root) if root is not None else runs_dir() / "studies"


def _start(study: BackgroundStudy, request: Request, jobs: int) -> None:
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    command = [
        sys.executable, "-m", "clmle", *request.arguments(),
        "--results", str(study.results.resolve()), "--jobs", str(jobs),
    ]  # fmt: skip
    try:
        study.results.parent.mkdir(parents=True, exist_ok=True)
        with open(study.log_path, "wb") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | {"PYTHONPATH": path},
                start_new_session=True,
            )
    except OSError as error:
        raise as_sentence(error, study.log_path) from error
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
    at_work: Mapping[str, tuple[str, Mapping[str, Any]]],
    jobs: int,
) -> float | None:
    """By finished cells, or by those at work while none is finished."""
    ahead = [s.get("seconds_left") for _, s in at_work.values()]
    begun = sum(s for s in ahead if s is not None)
    pace: list[Mapping[str, Any]] = list(results)
    if not pace:
        methods = {trial.key: trial for trial in left}
        pace = [
            {
                "variant": methods[key].variant,
                "method": methods[key].config.method,
                "seconds": s["seconds"] + s["seconds_left"],
            }
            for key, (_, s) in at_work.items()
            if s.get("seconds_left") is not None
        ]
    distinct = {trial.key: trial for trial in left if trial.key not in at_work}
    rest = estimate_seconds(distinct.values(), pace, jobs)
    return None if rest is None else rest + begun / jobs


def _share(status: Mapping[str, Any]) -> float:
    share: float = status["step"] / max(1, status["total"])
    return min(1.0, share)
