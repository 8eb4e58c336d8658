"""Trackers receive each line of a run's log once, also when the run was stopped and resumed."""

import contextlib
import dataclasses
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from clmle import InputError, create_run, preset_config, train
from clmle.__main__ import main
from clmle.tracking import _base
from clmle.tracking.run_log import stored_trackers
from clmle.training import Stopped, trainer
from clmle.training.hardest import hardest_rows

STEPS = 30


def new_run(folder):
    config = preset_config("quick", "softmax", "digits")
    budget = dataclasses.replace(
        config.train, backbone="tiny", iterations=STEPS, rounds=3, batch_size=40, feature_dim=8,
        n_embedding_samples=60,
    )  # fmt: skip
    return create_run(folder, dataclasses.replace(config, train=budget).to_dict())


def train_in_parts(run, log, monkeypatch):
    """Train with a stop within a round, whose last steps are trained again."""
    monkeypatch.setattr(trainer, "STATUS_EVERY", 0.0)
    saved = trainer.Trainer.save
    # The checkpoint of the stop is lost, as after a kill: the resumed run goes back to a round.
    monkeypatch.setattr(
        trainer.Trainer, "save", lambda self: saved(self) if self.step % 10 == 0 else None
    )

    def report(status):
        if status["step"] >= 17:
            run.request_stop()

    with contextlib.suppress(Stopped):
        train(run, report=report, log=log)
    assert run.result() is None
    return train(run)


def expected(run):
    """Step and value of every scalar by name, from the run folder."""
    found = {}
    for kind, group in (("train", "train"), ("validation", "validation"), ("refresh", "clusters")):
        for line in run.metrics(kind):
            for name, value in line.items():
                if name in ("step", "round", "phase", "seconds", "kind", "warnings", "hardest"):
                    continue
                if isinstance(value, list):
                    for c, one in enumerate(value):
                        found.setdefault(f"{group}/{name}/{c}", []).append((line["step"], one))
                elif value is not None:
                    found.setdefault(f"{group}/{name}", []).append((line["step"], value))
    return found


def same(got, wanted):
    """Whether scalars are equal; those of time differ where a run trains a step again."""
    for name, pairs in wanted.items():
        assert [step for step, _ in got[name]] == [step for step, _ in pairs], name
        if "second" not in name:
            values = [value for _, value in pairs]
            assert [value for _, value in got[name]] == pytest.approx(values, rel=1e-5), name


# --- TensorBoard --------------------------------------------------------------------------


def read_events(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0, "tensors": 0})
    events.Reload()
    scalars = {
        name: [(event.step, event.value) for event in events.Scalars(name)]
        for name in events.Tags()["scalars"]
    }
    return scalars, events


def test_tensorboard_has_every_scalar_once_images_and_embeddings(tmp_path, monkeypatch):
    run = new_run(tmp_path)
    result = train_in_parts(run, ["tensorboard"], monkeypatch)
    scalars, events = read_events(run.path / "tensorboard")
    same(scalars, expected(run))
    assert dict(scalars["test/balanced_accuracy"]) == pytest.approx(
        {STEPS: result["test"]["balanced_accuracy"]}
    )
    shown = events.Images("hardest of validation")
    assert [image.step for image in shown] == [m["step"] for m in run.metrics("validation")]
    assert (shown[0].width, shown[0].height) == (4 * 18 - 2, 4 * 18 - 2)
    for round in run.embedding_rounds():
        folder = run.path / "tensorboard" / f"{round:05d}" / "embedding"
        points = np.loadtxt(folder / "tensors.tsv", delimiter="\t")
        np.testing.assert_allclose(points, run.embedding(round)["features"], atol=1e-6)
        lines = (folder / "metadata.tsv").read_text().splitlines()
        assert lines[0] == "class\trow\tsplit"
        assert [line.split("\t")[0] for line in lines[1:]] == [
            str(label) for label in run.embedding(round)["labels"]
        ]
        assert (folder / "sprite.png").stat().st_size > 100


def test_a_run_that_is_done_is_logged_afterwards(tmp_path, capsys):
    run = new_run(tmp_path)
    train(run)
    assert not (run.path / "log.json").exists()
    assert main(["train", "--resume", str(run.path), "--log", "tensorboard"]) == 0
    scalars, _ = read_events(run.path / "tensorboard")
    same(scalars, expected(run))
    assert "test/accuracy" in scalars


# --- MLflow -------------------------------------------------------------------------------


def test_mlflow_has_every_scalar_once(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    run = new_run(tmp_path)
    result = train_in_parts(run, ["mlflow"], monkeypatch)
    client = mlflow.MlflowClient()
    (stored,) = client.search_runs([client.get_experiment_by_name("clmle").experiment_id])
    assert stored.info.status == "FINISHED"
    assert stored.info.run_name == run.name
    assert stored.data.params["train.iterations"] == str(STEPS)
    wanted = expected(run)
    got = {
        name: sorted((m.step, m.value) for m in client.get_metric_history(stored.info.run_id, name))
        for name in ("train/loss", "validation/balanced_accuracy", "validation/recall/3")
    }
    same(got, {name: wanted[name] for name in got})
    assert stored.data.metrics["test/mcc"] == pytest.approx(result["test"]["mcc"])


# --- Weights & Biases and trackio ---------------------------------------------------------


@pytest.fixture(scope="session")
def trackio(tmp_path_factory):
    """The package with its own folder, which it reads when it is imported."""
    before = os.environ.get("TRACKIO_DIR")
    os.environ["TRACKIO_DIR"] = str(tmp_path_factory.mktemp("trackio"))
    package = pytest.importorskip("trackio")
    yield package
    os.environ.pop("TRACKIO_DIR")
    if before is not None:
        os.environ["TRACKIO_DIR"] = before


def read_wandb(file):
    """Records of a file of Weights & Biases: a log of LevelDB, blocks of 32 KB after 7 bytes."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, at, whole = file.read_bytes(), 7, b""
    while at < len(data):
        left = 32768 - at % 32768
        if left < 7:  # too short for the head of a part
            at += left
            continue
        length, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        whole += data[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # a record in one part, or its last part
            yield Record.FromString(whole)
            whole = b""


def stored_by_wandb(run):
    """Steps and values by name, the configurations and the ids, of all files of a run."""
    found, configs, ids = {}, [], set()
    for file in sorted((run.path / "wandb").glob("offline-run-*/*.wandb")):
        for record in read_wandb(file):
            if record.HasField("run"):
                ids.add((record.run.run_id, record.run.project, record.run.display_name))
                configs += [{item.key: json.loads(item.value_json) for item in
                             record.run.config.update}]  # fmt: skip
            if record.HasField("history"):
                items = record.history.item
                line = {i.key or "/".join(i.nested_key): json.loads(i.value_json) for i in items}
                for name, value in line.items():
                    if name[0] != "_" and name != "step":
                        found.setdefault(name, []).append((line["step"], value))
    return found, configs, ids


def test_wandb_has_every_scalar_once(tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    run = new_run(tmp_path)
    train_in_parts(run, ["wandb"], monkeypatch)
    wandb.teardown()  # waits for its own process, which writes the end of the file
    got, configs, ids = stored_by_wandb(run)
    same(got, expected(run))
    assert len(got["test/accuracy"]) == 1
    assert len(ids) == 1  # the process that resumed goes on with the run of the stopped one
    assert {(project, name) for _, project, name in ids} == {("clmle", run.name)}
    assert len(list((run.path / "wandb").glob("offline-run-*"))) == 2
    assert configs[0]["train"]["iterations"] == STEPS


def stored_by_trackio(run, project):
    from trackio.sqlite_storage import SQLiteStorage

    found = {}
    for line in SQLiteStorage.get_logs(project, run.name):
        for name, value in line.items():
            if name not in ("step", "timestamp"):
                found.setdefault(name, []).append((line["step"], value))
    return found, SQLiteStorage.get_run_config(project, run.name)


def test_trackio_has_every_scalar_once(trackio, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("TRACKIO_PROJECT", "once")
    run = new_run(tmp_path)
    train_in_parts(run, ["trackio"], monkeypatch)
    got, config = stored_by_trackio(run, "once")
    same(got, expected(run))
    assert len(got["test/accuracy"]) == 1
    assert config["train"]["iterations"] == STEPS
    assert capfd.readouterr().out == ""  # the command prints metrics there


def test_trackio_goes_on_with_a_run_of_which_it_has_stored_nothing(trackio, tmp_path, monkeypatch):
    monkeypatch.setenv("TRACKIO_PROJECT", "killed")
    run = new_run(tmp_path)
    state = {"trackio": {"identity": run.name, "lines": 0, "done": False}}
    (run.path / "log.json").write_text(json.dumps(state))
    train(run)
    same(stored_by_trackio(run, "killed")[0], expected(run))


def test_several_trackers_at_once_and_a_failing_one(trackio, tmp_path, monkeypatch):
    def fail(self, values, step=None):
        raise ConnectionError("no connection")

    monkeypatch.setattr(trackio.Run, "log", fail)
    run = new_run(tmp_path)
    with pytest.warns(UserWarning, match=r"Logging to trackio ended \(no connection\)"):
        train(run, log=["tensorboard", "trackio"])
    assert run.status()["state"] == "done"
    scalars, _ = read_events(run.path / "tensorboard")
    same(scalars, expected(run))
    assert set(stored_trackers(run)) == {"tensorboard", "trackio"}


# --- what is missing or wrong ---------------------------------------------------------------


@pytest.mark.parametrize("name", _base.TRACKERS)
def test_a_missing_package_is_one_sentence_and_leaves_no_run(name, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    assert main(["train", "digits", "--log", name]) == 2
    errors = capsys.readouterr().err
    assert f"Logging to {name} needs the package {name}" in errors
    assert errors.strip().count("\n") == 0
    main(["runs"])
    assert "There is no run" in capsys.readouterr().out


def test_an_unknown_tracker_and_a_damaged_state_are_named(tmp_path):
    run = new_run(tmp_path)
    with pytest.raises(InputError, match="choose among: tensorboard, mlflow"):
        train(run, log=["carrier-pigeon"])
    (run.path / "log.json").write_text('{"wandb": 3}')
    with pytest.raises(InputError, match=r"log\.json is damaged"):
        train(run)


def test_no_tracker_is_imported_without_being_asked_for():
    code = (
        "import sys, clmle.training.trainer, clmle.tracking.run_log\n"
        f"print([name for name in {_base.TRACKERS} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_hardest_rows_have_the_largest_loss():
    rng = np.random.default_rng(0)
    scores, labels = rng.normal(size=(50, 3)), rng.integers(0, 3, 50)
    rows = np.arange(100, 150)
    loss = [-np.log(np.exp(s[y]) / np.exp(s).sum()) for s, y in zip(scores, labels, strict=True)]
    assert hardest_rows(rows, scores, labels, 5) == (100 + np.argsort(loss)[::-1][:5]).tolist()
    both = np.stack([scores[:, :2], scores[:, 1:]], axis=1)
    known = np.stack([labels % 2, np.full(50, -1)], axis=1)
    assert hardest_rows(rows, both, known, 5) == hardest_rows(rows, scores[:, :2], labels % 2, 5)
    infinite = np.array([[np.inf, -np.inf], [0.0, 0.0]])
    assert hardest_rows(np.arange(2), infinite, np.array([1, 1]), 1) == [0]
