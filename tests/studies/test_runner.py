"""Running trials: after any kill, finished trials stay and the others give the same metrics."""

import ipaddress
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from clmle import InputError
from clmle.config import override
from clmle.presets import preset_config
from clmle.run_folder import RunFolder, create_run
from clmle.studies.eta import estimate_seconds
from clmle.studies.results import append_result, read_results
from clmle.studies.runner import RAY_BUSY, run_trials
from clmle.studies.trials import Trial, cross, pending
from clmle.training import config_from_dict, train
from clmle.training.checkpoint import load_tensors, save_tensors

ROOT = Path(__file__).resolve().parents[2]


def config(method="softmax", iterations=6, rounds=1, batch_size=120):
    base = preset_config("quick", method, "digits")
    values = {
        "iterations": iterations, "rounds": rounds, "patience": rounds, "batch_size": batch_size,
        "pretrain_iterations": 2, "threads": 1, "backbone": "tiny",
    }  # fmt: skip
    return replace(base, train=override(base.train, values, "train"))


SHORT = Trial("short", config())
LONG = Trial("long", config(iterations=60, rounds=15))  # a checkpoint every four steps


def whole(trial, **more):
    """A line of a results file."""
    return {"key": trial.key, "variant": trial.variant, "method": trial.config.method, "task": "t",
            "seed": 0, "class_counts": [3, 1], "test": {"balanced_accuracy": 0.5}, "seconds": 1.0,
            "machine": {}, "config": trial.config.to_dict()} | more  # fmt: skip


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """Test metric of a trial by a single train() of its configuration."""
    known = {}

    def figures(trial):
        if trial.key not in known:
            run = create_run(tmp_path_factory.mktemp("alone"), trial.config.to_dict())
            known[trial.key] = train(run)["test"]["balanced_accuracy"]
        return pytest.approx(known[trial.key], abs=1e-5)

    return figures


def figures(path):
    return {r["variant"]: r["test"]["balanced_accuracy"] for r in read_results(path)}


def wait_until(condition, seconds=600):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "nothing happened for too long"
        time.sleep(0.02)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def add_an_hour(checkpoint):
    """Add an hour that only a run continued from this checkpoint includes."""
    groups, facts = load_tensors(checkpoint)
    save_tensors(checkpoint, groups, facts | {"seconds": facts["seconds"] + 3600})


def test_metrics_are_those_of_single_runs_and_nothing_runs_twice(tmp_path, alone):
    clusters = Trial("clusters", config("clmle"))
    unfit = Trial("unfit", config("clmle-paper", batch_size=10))
    twin = replace(SHORT, variant="twin")
    results, reported = tmp_path / "r.jsonl", []
    (failure,) = run_trials(
        [unfit, SHORT, twin, clusters], results, jobs=2, progress=lambda *a: reported.append(a)
    )
    assert failure.startswith("unfit, seed 0: 12 clusters of 20 samples do not fit")
    assert figures(results) == {
        "short": alone(SHORT), "twin": alone(SHORT), "clusters": alone(clusters)
    }  # fmt: skip
    assert reported[0] == (0, 4, "")
    assert reported[-1][:2] == (3, 4)
    assert [text for *_, text in reported if text] == [failure]
    walls = {r["variant"]: r["wall"] for r in read_results(results)}
    assert walls["short"] == walls["twin"]  # one training, two lines

    before = results.read_bytes()
    assert run_trials([SHORT, twin, clusters], results, jobs=2) == []
    assert results.read_bytes() == before
    late = replace(SHORT, variant="late")
    assert run_trials([late], results) == []
    assert read_results(results)[-1]["wall"] == walls["short"]


def test_a_killed_worker_loses_its_trial_only_which_continues_later(tmp_path, alone):
    results = tmp_path / "r.jsonl"
    run = RunFolder(tmp_path / "r.trials" / LONG.key)

    def kill():
        wait_until(lambda: len(run.metrics("validation")) > 2)
        os.kill(run.status()["pid"], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    (failure,) = run_trials([LONG, SHORT], results, jobs=1)
    killer.join()
    assert "long" in failure
    assert "SIGKILL" in failure
    assert figures(results) == {"short": alone(SHORT)}
    add_an_hour(run.checkpoint_path)
    assert run_trials([LONG, SHORT], results, jobs=1) == []
    assert figures(results) == {"short": alone(SHORT), "long": alone(LONG)}
    assert read_results(results)[-1]["seconds"] > 3600
    assert not (tmp_path / "r.trials").exists()


def test_a_killed_study_keeps_complete_lines_and_continues_to_the_same_metrics(tmp_path, alone):
    results = tmp_path / "r.jsonl"
    run = RunFolder(tmp_path / "r.trials" / LONG.key)
    # On standard input, as a program without a file: workers do not need its name.
    program = (
        "from tests.studies.test_runner import LONG, SHORT, run_trials\n"
        f"run_trials([SHORT, LONG], {str(results)!r}, jobs=1)\n"
    )
    with subprocess.Popen([sys.executable, "-"], stdin=subprocess.PIPE, cwd=ROOT) as process:
        process.stdin.write(program.encode())
        process.stdin.close()
        wait_until(lambda: len(run.metrics("validation")) > 2)
        worker = run.status()["pid"]
        process.kill()
    assert process.returncode == -signal.SIGKILL
    wait_until(lambda: not alive(worker), 60)
    assert run.status()["state"] == "stopped"  # it saved a checkpoint before it ended
    assert [json.loads(line)["variant"] for line in results.read_text().splitlines()] == ["short"]
    add_an_hour(run.checkpoint_path)
    assert run_trials([SHORT, LONG], results, jobs=1) == []
    assert figures(results) == {"short": alone(SHORT), "long": alone(LONG)}
    assert read_results(results)[-1]["seconds"] > 3600


def test_a_half_written_last_line_is_cut_off_and_its_trial_runs_again(tmp_path):
    file = tmp_path / "r.jsonl"
    lines = [whole(trial, note="ü" * 9000) for trial in (SHORT, LONG)]
    append_result(file, lines[0])
    content = file.read_bytes()
    for torn in (b'{"key":"12', b'{"key":"12\n', b"\0\0\0"):
        file.write_bytes(content + torn)
        assert pending([SHORT, LONG], read_results(file)) == [LONG]
        append_result(file, lines[1])
        assert read_results(file) == lines
        assert file.read_bytes().startswith(content)


def test_two_processes_cannot_write_one_results_file(tmp_path):
    results, said = tmp_path / "r.jsonl", []

    def second():
        try:
            run_trials([], results)
        except InputError as error:
            said.append(str(error))

    def tell(*_):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()

    assert run_trials([], results, progress=tell) == []
    assert said == [
        f"Another study is writing {results}; wait until it ends, or name another file."
    ]
    second()
    assert len(said) == 1


def test_trials_are_the_product_in_order_of_seeds():
    trials = cross(
        {"a": SHORT.config, "b": config("clmle")}, attributes=("x", "y"), seeds=(0, 1),
        ratios=(1, 10),
    )  # fmt: skip
    assert len({c.key for c in trials}) == len(trials) == 16
    assert [c.config.train.seed for c in trials] == [0] * 8 + [1] * 8
    assert {c.config.data.ratio for c in trials} == {1, 10}


def test_time_is_estimated_from_the_same_variant_then_method_then_all():
    def result(variant, method, seconds):
        return {"variant": variant, "method": method, "seconds": seconds}

    results = [result("long", "softmax", 10), result("x", "softmax", 20), result("y", "lmle", 60)]
    assert estimate_seconds([LONG], results) == 10
    assert estimate_seconds([SHORT], results) == 15
    assert estimate_seconds([Trial("z", config("clmle"))], results) == 30
    assert estimate_seconds([LONG, SHORT], results, jobs=2) == 12.5
    assert estimate_seconds([LONG], []) is None


def test_an_unknown_launcher_and_an_unusable_file_are_sentences(tmp_path):
    with pytest.raises(InputError, match="choose one of: local, ray"):
        run_trials([], tmp_path / "r.jsonl", launcher="moon")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be used"):
        run_trials([SHORT], tmp_path / "file" / "r.jsonl")


def test_ray_gives_the_same_metrics(tmp_path, alone, monkeypatch):
    pytest.importorskip("ray", reason="Ray is not installed (pip install ray)")
    results, addresses, niceness = tmp_path / "r.jsonl", set(), set()
    for name in ("RAY_ADDRESS", "RAY_worker_niceness"):
        monkeypatch.delenv(name, raising=False)

    def look(*_):
        addresses.update(listening_addresses())
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                niceness.update({process.nice()} if "ray::" in process.name() else ())

    try:
        assert run_trials([SHORT], results, jobs=2, launcher="ray", progress=look) == []
    except InputError as error:  # it could not start in the 30 seconds that it has
        if str(error).endswith(RAY_BUSY):
            pytest.skip(str(error))
        raise
    assert figures(results) == {"short": alone(SHORT)}
    assert not (tmp_path / "r.trials").exists()
    assert niceness == {psutil.Process().nice()}  # 15 by default: nearly nothing on a busy machine
    assert addresses
    for address in addresses:
        assert ipaddress.ip_address(address.removeprefix("::ffff:")).is_loopback, addresses


def listening_addresses():
    """Addresses at which this process and its descendants accept connections."""
    me = psutil.Process()
    found = set()
    for process in (me, *me.children(recursive=True)):
        with suppress(psutil.Error):
            connections = process.net_connections("tcp")
            found |= {c.laddr.ip for c in connections if c.status == psutil.CONN_LISTEN}
    return found


def test_the_key_of_a_shipped_result_is_that_of_its_configuration():
    lines = read_results(ROOT / "docs" / "results" / "leaderboard.jsonl")
    for line in lines[::20]:
        assert Trial("", config_from_dict(line["config"])).key == line["key"]


def test_every_option_but_the_machine_changes_the_key():
    plain = config()
    for part, values in (("data", {"split": 1}), ("train", {"mirror": True})):
        other = replace(plain, **{part: override(getattr(plain, part), values, part)})
        assert Trial("", other).key != Trial("", plain).key
    machine = replace(plain, train=override(plain.train, {"threads": 2}, "train"))
    assert Trial("", machine).key == Trial("", plain).key


def test_a_results_file_of_version_0_1_is_refused_with_the_command_that_converts_it(tmp_path):
    file = tmp_path / "old.jsonl"
    file.write_text('{"key":"k","variant":"v","settings":{}}\n')
    with pytest.raises(InputError, match=r"python -m tools\.migrate_results .*old\.jsonl"):
        read_results(file)
