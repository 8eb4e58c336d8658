"""Studies from the command line: what is run, what is shown, and one sentence for each mistake."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from clmle.__main__ import main
from clmle.cli import ablate, sweep
from clmle.cli.ablate import request_of, variant_rows
from clmle.data import Task, load_digits
from clmle.methods import get_method, method_names
from clmle.presets import preset_config
from clmle.run_folder import RunFolder
from clmle.studies.catalog import STUDIES
from clmle.studies.results import read_results
from clmle.studies.trials import Trial, study_trials
from clmle.studies.validation import check_trials
from clmle.training import config_from_dict

ROOT = Path(__file__).resolve().parents[2]
TINY = [
    "--dataset", "digits", "--preset", "quick", "--seeds", "0", "--set", "train.iterations=6",
    "--set", "train.rounds=1", "--set", "train.backbone=tiny", "--set", "train.threads=1",
]  # fmt: skip


def run(capsys, *arguments):
    command = ["sweep"] if arguments[:1] == ("grid",) else ["ablate", *arguments[:1]]
    code = main([*map(str, command), *map(str, arguments[1:])])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def trials_of(command):
    name, *words = map(str, command)
    if name == "grid":
        return request_of(sweep.make_parser().parse(words), name).trials()
    return request_of(ablate.make_parser().parse([name, *words]), name).trials()


@pytest.fixture(scope="module")
def faces():
    """A task shaped like an attribute of toonfaces, 3 % of it positive."""
    labels = np.zeros(1200, dtype=np.int64)
    labels[:36] = 1
    rows = np.arange(1200)
    images = np.zeros((1200, 40, 40, 3), dtype=np.uint8)
    return Task("faces/one", images, labels, ("not one", "one"), rows, rows, rows)


@pytest.mark.parametrize("name", STUDIES)
def test_every_study_has_trials_that_a_run_accepts(name, faces):
    study = STUDIES[name]
    trials = study_trials(study)
    attributes = len(study.attributes) or 1
    ratios = len(study.ratios) or 1
    assert len(trials) == len(study.variants) * attributes * len(study.seeds) * ratios
    assert len({trial.key for trial in trials}) == len(trials)
    check_trials(trials, render=False)
    for trial in trials:
        assert config_from_dict(json.loads(json.dumps(trial.config.to_dict()))) == trial.config
    if study.dataset == "digits":
        return  # check_trials made every method on the digits themselves
    for config in {trial.variant: trial.config for trial in trials}.values():
        t = config.train
        get_method(config.method)(config.options, faces, t.batch_size, 0, t.feature_dim)


def test_digits_have_ratio_20_and_the_study_has_every_method():
    counts = load_digits().task("label").class_counts()
    assert counts.max() / counts.min() == pytest.approx(20, rel=0.2)  # few images: rounding
    assert {v["method"] for v in STUDIES["digits"].variants.values()} == set(method_names())


def test_the_imbalance_of_a_study_is_not_applied_to_other_data():
    assert {c.config.data.imbalance for c in trials_of(["components"])} == {"step"}
    for command in (["components", "--dataset", "digits"], ["grid", "--dataset", "digits"]):
        assert {c.config.data.imbalance for c in trials_of(command)} == {"none"}
    (ratio,) = {c.config.data.ratio for c in trials_of(["components", *TINY, "--ratios", "5"])}
    assert ratio == 5


def test_grid_runs_once_and_shows_its_variants(capsys, tmp_path):
    results = tmp_path / "out.jsonl"
    command = [
        "grid", "--methods", "softmax,oversampling", *TINY, "--seeds", "3", "--jobs", 1,
        "--results", results,
    ]  # fmt: skip
    code, out, _ = run(capsys, *command, "--dry-run")
    assert (code, results.exists()) == (0, False)
    assert "2 trials, 0 done, 2 left" in out
    code, out, err = run(capsys, *command)
    assert code == 0
    assert "trials 2 of 2" in err
    found = read_results(results)
    assert {r["method"] for r in found} == {"softmax", "oversampling"}
    assert {r["seed"] for r in found} == {3}
    for r in found:
        assert f"{r['test']['balanced_accuracy']:.3f}" in out
    before = results.read_bytes()
    assert run(capsys, *command)[:2] == (0, out)
    assert results.read_bytes() == before
    assert "2 done, 0 left." in run(capsys, *command, "--dry-run")[1]
    more = run(capsys, *command, "--seeds", "3,4", "--dry-run")[1]
    assert "4 trials, 2 done, 2 left; about" in more


def test_a_failed_trial_is_one_sentence_and_exit_code_1(capsys, tmp_path):
    results = tmp_path / "out.jsonl"
    command = ["grid", "--methods", "softmax", *TINY, "--jobs", 1, "--results", results]
    (trial,) = trials_of(command)
    folder = tmp_path / "out.trials" / trial.key
    folder.mkdir(parents=True)
    (folder / "checkpoint.safetensors").write_bytes(b"damaged")
    code, out, err = run(capsys, *command)
    assert code == 1
    assert "cannot be read as weights" in err
    assert "Traceback" not in out + err
    (folder / "checkpoint.safetensors").unlink()
    assert run(capsys, *command)[0] == 0


def test_an_interrupted_study_saves_its_runs(tmp_path):
    results = tmp_path / "out.jsonl"
    command = ["grid", "--methods", "softmax", *TINY, "--jobs", "1", "--results", str(results)]
    command[command.index("train.iterations=6")] = "train.iterations=100000"
    (trial,) = trials_of(command)
    run = RunFolder(tmp_path / "out.trials" / trial.key)
    with subprocess.Popen(
        [sys.executable, "-m", "clmle", "sweep", *command[1:]],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # Tests in the background of a shell ignore the signal, and so would their children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:  # fmt: skip
        deadline = time.monotonic() + 600
        while not run.metrics("train") and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate(timeout=600)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "repeat the command to resume" in err
    assert "Traceback" not in out + err
    assert run.status()["state"] == "stopped"
    assert run.checkpoint_path.exists()
    assert read_results(results) == []


def test_table_has_means_over_targets_and_spread_over_seeds_of_one_target():
    config = preset_config("quick", "softmax", "digits")
    trials, results = [], []
    for attribute, seed, value in (("x", 0, 0.5), ("x", 1, 0.7), ("y", 0, 0.9), ("y", 1, 0.9)):
        trial = study_trials(
            STUDIES["digits"], attributes=[attribute], seeds=[seed], preset="quick"
        )[0]
        trials.append(Trial("v", trial.config))
        results.append(
            {"key": trial.key, "variant": "v", "task": attribute, "seconds": 10.0,
             "test": {"balanced_accuracy": value}}
        )  # fmt: skip
    trials.append(Trial("unfinished", config))
    done, empty = variant_rows(trials, results)
    assert done["variant"] == "v"
    assert done["n"] == 4
    assert done["balanced accuracy"] == pytest.approx(0.75)
    assert done["spread over seeds"] == pytest.approx(0.1)  # root of the mean of 0.02 and 0
    assert empty == {
        "variant": "unfinished", "balanced accuracy": None, "spread over seeds": None, "n": 0,
        "seconds": None,
    }  # fmt: skip


def test_methods_keep_only_their_variants_of_a_study(capsys):
    code, out, _ = run(
        capsys, "imbalance", "--methods", "softmax,clmle", "--preset", "quick", "--dry-run"
    )
    assert code == 0
    assert out.startswith("imbalance: 56 trials")
    _, out, _ = run(
        capsys, "imbalance", "--preset", "quick", "--dry-run", "--methods", "softmax",
        "--attributes", "all", "--ratios", "1,10", "--seeds", "0,1,2",
        "--set", "train.learning_rate=0.02,0.05",
    )  # fmt: skip
    assert out.startswith(f"imbalance: {14 * 2 * 3 * 2} trials")


def test_list_names_every_study(capsys):
    out = run(capsys, "--list")[1]
    for name, study in STUDIES.items():
        assert name in out
        assert study.question in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--list"),
        (["nonsense"], "no study 'nonsense'"),
        (["grid", "--methods", "magic"], "no method 'magic'"),
        (["imbalance", "--methods", "crl"], "no variant of crl"),
        (["grid", "--seeds", "0,x"], "--seeds"),
        (["grid", "--seeds", "-1"], "--seeds"),
        (["grid", "--ratios", "two"], "--ratios"),
        (["grid", "--ratios", "0.5"], "ratio is 0.5"),
        (["grid", "--jobs", "many"], "--jobs"),
        (["grid", "--preset", "endless"], "no preset 'endless'"),
        (["grid", "--attributes", "Wings"], "Wings"),
        (["grid", "--dataset", "digits", "--attributes", "Hat"], "Hat"),
        (["grid", "--dataset", "/no/where"], "/no/where"),
        (["grid", "--set", "scale"], "train.learning_rate=0.02,0.05"),
        (["grid", "--set", "options.scales=1"], "no option 'scales'"),
        (["grid", "--set", "options.scale=big"], "scale"),
        (["grid", "--dataset", "digits", "--set", "options.scale=-1"], "scale"),
        (["grid", "--set", "train.backbone=huge"], "no backbone 'huge'"),
        (["grid", "--set", "train.rounds=0"], "rounds is 0"),
        (["grid", "--set", "train.device=cuda:77"], "cuda:77"),
        (["grid", "--set", "train.seed=1"], "--seeds"),
        (["grid", "--set", "train.momentum=0", "--set", "train.momentum=1"], "given twice"),
        (
            [
                "grid",
                "--dataset",
                "digits",
                "--methods",
                "clmle-paper",
                "--set",
                "train.batch_size=10",
            ],
            "batch",
        ),
    ],
)
def test_mistakes_are_one_sentence_before_anything_runs(capsys, tmp_path, arguments, message):
    if arguments and "--preset" not in arguments:
        arguments = [*arguments, "--preset", "quick"]
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert message in err
    assert err.strip().count("\n") == 0
    assert "Traceback" not in out + err
    assert not (tmp_path / "runs").exists()
