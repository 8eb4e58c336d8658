"""A background study: its progress follows from its files and its process alone."""

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from clmle.errors import InputError
from clmle.jobs.process import birth, end
from clmle.run_folder import RunFolder
from clmle.studies import background
from clmle.studies.background import BackgroundStudy, background_studies, resume_study, start_study
from clmle.studies.request import StudyRequest
from clmle.studies.results import append_result
from tests.studies.test_runner import whole

ASKED = StudyRequest(
    "grid", dataset="digits", methods=("softmax", "focal"), seeds=(0,), preset="quick"
)


@pytest.fixture
def started(monkeypatch):
    """Processes that sleep instead of running studies; the commands that were requested."""
    commands, processes = [], []

    def start(*command, log):
        commands.append(command)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(b"")
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        processes.append(process)
        return process

    monkeypatch.setattr(background, "start_module", start)
    yield commands
    for process in processes:
        process.kill()
        process.wait()


def finish(study, trial, seconds=10.0):
    append_result(study.results, whole(trial, seconds=seconds))


def gone(study):
    while study.alive():
        pass


def test_a_study_runs_stops_resumes_and_finishes(started):
    study = start_study(ASKED, jobs=2)
    assert started[0][:2] == ("clmle", "sweep")
    assert study.progress().state == "running"
    assert study.progress().total == 2
    assert [s.name for s in background_studies()] == ["grid"]
    with pytest.raises(InputError, match="running"):
        start_study(ASKED)
    with pytest.raises(InputError, match="running"):
        study.remove()

    study.stop()
    gone(study)
    assert study.progress().state == "stopped"
    resume_study(study)
    assert study.progress().state == "running"
    assert started[1] == started[0]

    for trial in ASKED.trials():
        finish(study, trial)
    assert study.progress().state == "done"
    assert study.progress().done == 2
    study.stop()
    gone(study)
    study.remove()
    assert background_studies() == []
    assert list(study.results.parent.iterdir()) == []


def test_time_left_is_estimated_from_running_then_from_finished_trials(started):
    study = start_study(ASKED, jobs=2)
    first, second = ASKED.trials()
    assert study.progress().seconds_left is None
    run = RunFolder(study.folder / first.key)
    run.path.mkdir(parents=True)
    status = {"state": "running", "phase": "round 1", "step": 5, "total": 20, "message": ""}
    run.write_status(**status, seconds=4.0, seconds_left=16.0)
    found = study.progress()
    assert found.running[0][1:] == ("round 1", 0.25)
    assert found.seconds_left == pytest.approx((20 + 16) / 2)  # two at a time
    run.write_status(**status | {"state": "done"}, seconds=20.0, seconds_left=0.0)
    finish(study, first, 12.0)
    assert study.progress().seconds_left == pytest.approx(12 / 2)
    assert second.key not in [text for text, _, _ in study.progress().running]


def test_a_dead_process_is_reported_with_its_last_error(started):
    study = start_study(ASKED)
    job = study.job()
    study.job_path.write_text(
        json.dumps(job | {"born": "long ago"})
    )  # another process has its number
    study.log_path.write_text("cells 0 of 2\nclmle: failed: the disk is full\n")
    found = study.progress()
    assert (found.state, found.message) == ("failed", "failed: the disk is full")
    study.stop()
    assert birth(job["pid"]) == job["born"]  # that process was not touched


def test_results_of_another_request_are_not_mixed_in(started):
    study = start_study(ASKED)
    study.stop()
    gone(study)
    with pytest.raises(InputError, match="another request"):
        start_study(StudyRequest("grid", dataset="digits", preset="quick"), "grid")


@pytest.mark.parametrize(
    ("request_", "name", "message"),
    [
        (ASKED, "../elsewhere", "cannot name"),
        (StudyRequest("nothing"), "", "no study"),
        (StudyRequest("grid", methods=("magic",)), "", "magic"),
        (StudyRequest("grid", dataset="digits", grid=("train.rounds=0",)), "", "rounds is 0"),
        (StudyRequest("grid", dataset="digits", grid=("rounds",)), "", "must look like"),
    ],
)
def test_mistakes_are_sentences_before_anything_starts(started, request_, name, message):
    with pytest.raises(InputError, match=message):
        start_study(request_, name)
    assert started == []


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"request": 3}', '{"request": {"a": 1}}'])
def test_a_damaged_job_file_is_a_one_sentence_error(tmp_path, text):
    study = BackgroundStudy(tmp_path / "some.jsonl")
    study.job_path.write_text(text)
    with pytest.raises(InputError):
        study.progress()


def test_of_visitors_who_start_a_study_at_once_one_starts_it(tmp_path, monkeypatch):
    started = []

    def start(module, *arguments, log=None):
        time.sleep(0.05)  # others look for the job meanwhile
        started.append(arguments)
        return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])

    monkeypatch.setattr(background, "start_module", start)
    request = StudyRequest("grid", "digits", methods=("softmax",))

    def visit(_):
        try:
            return start_study(request, "one", root=tmp_path).name
        except InputError as error:
            return str(error)

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(visit, range(4)))
    job = background_studies(tmp_path)[0].job()
    end(job["pid"], job["born"])
    assert len(started) == 1
    assert answers[-1] == "one"
    assert all("already running" in text for text in answers[:3])
