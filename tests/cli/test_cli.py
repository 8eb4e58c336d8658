"""The command line: results, help, old names, and one sentence for each mistake."""

import contextlib
import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

from clmle.__main__ import COMMANDS, main
from clmle.cli.train import config_of, make_parser
from clmle.config import DataConfig, TrainConfig
from clmle.methods import get_method
from clmle.presets import preset_config
from clmle.run_folder import create_run
from tests.data.folder.made import picture

TINY = ["--iterations", "12", "--pretrain-iterations", "4", "--rounds", "2", "--batch-size", "120"]


def run(capsys, *arguments):
    code = main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_train_evaluate_features_embed_and_runs(capsys, tmp_path):
    code, out, _ = run(capsys, "train", "digits", *TINY)
    assert code == 0
    assert "balanced accuracy" in out
    assert "recall of 9" in out
    code, out, _ = run(capsys, "runs", "--json")
    (row,) = json.loads(out)
    assert row["state"] == "done"
    name = row["run"]
    code, out, _ = run(capsys, "evaluate", name, "--json")
    assert json.loads(out)["balanced_accuracy"] == pytest.approx(row["balanced accuracy"])
    for suffix in ("npz", "csv", "parquet"):
        file = tmp_path / f"f.{suffix}"
        assert run(capsys, "features", name, "--out", file)[0] == 0
        assert file.stat().st_size > 1000
    assert run(capsys, "embed", name, "--method", "pca")[0] == 0
    assert "config" in run(capsys, "runs", "show", name)[1]
    assert run(capsys, "train", "--resume", tmp_path / "runs" / name)[0] == 0
    assert run(capsys, "runs", "delete", name)[0] == 0
    assert "no run" in run(capsys, "runs")[1]


def test_a_folder_of_images_trains(capsys, image_folder, tmp_path):
    with pytest.warns(UserWarning, match="are left out: broken.png"):
        code, out, _ = run(
            capsys, "train", image_folder, "--method", "oversampling", *TINY, "--image-size", 24
        )
    assert code == 0
    assert "recall of dogs" in out
    name = json.loads(run(capsys, "runs", "--json")[1])[0]["run"]
    others = tmp_path / "others"
    shutil.copytree(image_folder / "dogs", others / "dogs")
    shutil.copytree(image_folder / "dogs", others / "birds")
    for suffix in ("csv", "npz"):
        file = tmp_path / f"own.{suffix}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert run(capsys, "features", name, "--images", others, "--out", file)[0] == 0
    frame = pd.read_csv(tmp_path / "own.csv")
    assert frame["file"].str.split("/").str[0].tolist() == frame["class"].tolist()
    assert dict(zip(frame["class"], frame["label"], strict=True)) == {"birds": 2, "dogs": 1}
    assert np.load(tmp_path / "own.npz")["file"].tolist() == frame["file"].tolist()


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437"])
def test_a_console_without_the_letters_of_a_class(tmp_path, encoding):
    for name in ("три", "cat"):
        for i in range(3):
            picture(tmp_path / "d" / name / f"{i}.png")
    done = subprocess.run(
        [sys.executable, "-m", "clmle", "data", str(tmp_path / "d")],
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert b"\\u0442\\u0440\\u0438" in done.stdout


def test_the_counts_are_json(capsys, tmp_path):
    for i in range(12):
        picture(tmp_path / "d" / "train" / "ab"[i % 2] / f"{i}.png")
        picture(tmp_path / "d" / "test" / "ab"[i % 2] / f"{i}.png")
    (tmp_path / "d" / "train" / "a" / "new.heic").write_bytes(b"abc")
    with pytest.warns(UserWarning, match="heic"):
        code, out, _ = run(capsys, "data", tmp_path / "d", "--json")
    assert code == 0
    found = json.loads(out)
    assert found["format"] == "Folder of images"
    assert found["splits"] == {"train": 10, "validation": 2, "test": 12, "left out": 0}
    assert found["targets"]["label"]["classes"] == ["a", "b"]
    assert found["targets"]["label"]["counts"]["b"] == {"train": 5, "validation": 1, "test": 6}
    assert "splits test, train" in found["recognized"]
    assert list(found["skipped"].values()) == [["train/a/new.heic"]]
    assert len(found["warnings"]) == 2


def test_training_without_a_data_set_takes_toonfaces():
    values = make_parser("softmax").parse(["--iterations", "12"])
    config = config_of(values, {}, "softmax")
    assert (config.data.dataset, config.train.iterations) == ("toonfaces", 12)


def test_command_line_options_override_the_config_file(capsys, tmp_path):
    config = tmp_path / "c.toml"
    config.write_text(
        'method = "clmle"\n[train]\niterations = 12\npretrain_iterations = 4\nrounds = 1\n'
        "batch_size = 240\n[options]\nscale = 4.0\n"
    )
    assert run(capsys, "train", "digits", "--config", config, "--scale", 2)[0] == 0
    (row,) = json.loads(run(capsys, "runs", "--json")[1])
    shown = run(capsys, "runs", "show", row["run"])[1].split("\n\nmetric")[0]
    config = json.loads(shown)["config"]
    assert config["options"]["scale"] == 2.0
    assert config["train"]["rounds"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "/no/such/folder"], "/no/such/folder"),
        (["train", "digits", "--attribute", "Hat"], "Hat"),
        (["train", "digits", "--between-margin", "3"], "between_margin"),
        (["train", "digits", "--within-margin", "-1"], "within_margin"),
        (["train", "digits", "--scale", "big"], "scale"),
        (["train", "digits", "--method", "magic"], "magic"),
        (["train", "digits", "--config", "/no/config.toml"], "config.toml"),
        (["train", "digits", "--imbalance", "step", "--ratio", "0.2"], "ratio"),
        (["train", "digits", "--method", "clmle-paper", "--batch-size", "10"], "batch"),
        (["train", "digits", "--device", "cuda:77"], "cuda:77"),
        (["evaluate", "nothing"], "nothing"),
        (["runs", "stop"], "Name the run"),
        (["features", "x", "--out", "features.doc"], ".npz"),
        (["evaluate", "x", "--on", "lfw"], "--open-set"),
        (["train", "digits", "--resume", "x"], "--resume"),
        (["train", "digits", "--wings", "2"], "no option --wings"),
        (["evaluate"], "RUN"),
        (["nonsense"], "no command 'nonsense'"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_2(capsys, arguments, message):
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert message in err
    assert err.strip().count("\n") == 0
    assert "Traceback" not in out + err
    assert run(capsys, "runs")[1].startswith("There is no run")


def test_a_class_without_training_images_is_named(capsys, tmp_path):
    from PIL import Image

    for split, names in (("train", "a"), ("test", "ab")):
        for name in names:
            (tmp_path / "d" / split / name).mkdir(parents=True)
            for i in range(8):
                Image.new("RGB", (9, 9)).save(tmp_path / "d" / split / name / f"{i}.png")
    code, _, err = run(capsys, "train", tmp_path / "d")
    assert code == 2
    assert "'b'" in err
    assert "no training image" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["recognise", "x"], "is now clmle evaluate --open-set"),
        (["verify", "x"], "is now clmle evaluate-features"),
        (["project", "x"], "is now clmle embed"),
        (["results"], "make results"),
        (["embed", "x", "--by", "pca"], "--by is now --method"),
        (["embed", "x", "--out", "f.npz"], "clmle features"),
        (["ablate", "grid"], "clmle sweep"),
        (["train", "--run", "x"], "--run is now --resume"),
        (["train", "--prior-iterations", "4"], "is now --pretrain-iterations"),
        (["train", "--emphasis=2"], "is now --hardness-power"),
        (["train", "digits", "--sampler", "spread"], "sampler=spread is now all-clusters"),
        (["train", "--method", "over-sampling"], "'over-sampling' is now oversampling"),
        (["sweep", "--set", "options.emphasis=1,2"], "emphasis is now hardness_power"),
    ],
)
def test_old_names_are_refused_with_the_new_name(capsys, arguments, message):
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert err.strip().count("\n") == 0


def test_runs_of_version_0_1_are_named_in_one_sentence(capsys, tmp_path):
    (tmp_path / "runs" / "20250101-one").mkdir(parents=True)
    (tmp_path / "runs" / "20250101-one" / "settings.json").write_text("{}")
    shown = run(capsys, "runs")[1].strip()
    assert "written by version 0.1" in shown
    assert shown.count("\n") == 0
    code, _, err = run(capsys, "evaluate", "20250101-one")
    assert code == 2
    assert "written by version 0.1" in err


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="mounting needs root")
def test_full_disk_is_one_sentence(tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(small)], check=False
    )
    if mounted.returncode:
        pytest.skip("this machine does not let a test mount a small disk")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "clmle", "train", "digits", *TINY, "--runs-dir", str(small)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert done.returncode == 2
    assert "disk is full" in done.stderr
    assert "Traceback" not in done.stderr


def help_of(capsys, *arguments):
    with contextlib.suppress(SystemExit):
        main(list(arguments))
    return capsys.readouterr().out


def test_help_lists_the_options_that_matter_and_help_all_lists_all(capsys):
    short = help_of(capsys, "train", "--method", "clmle", "--help")
    full = help_of(capsys, "train", "--method", "clmle", "--help-all")
    for option in ("--iterations", "--learning-rate", "--cluster-size", "--help-all"):
        assert option in short
        assert option in full
    for cls in (DataConfig, TrainConfig, get_method("clmle").Options):
        for field in dataclasses.fields(cls):
            flag = "--" + field.name.replace("_", "-")
            listed = re.search(rf"^  {flag}(?![\w-])", short, re.M) is not None
            expected = field.name != "dataset" and not field.metadata.get("expert")
            assert listed == expected, flag
            assert field.name == "dataset" or flag in full


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_has_usage_and_examples(capsys, command):
    shown = help_of(capsys, command, "--help")
    assert shown.startswith(f"usage: clmle {command}")
    assert f"examples:\n  clmle {command}" in shown


@pytest.mark.parametrize("command", ["evaluate", "train", "predict", "export", "embed"])
def test_general_help_lists_every_command_without_pytorch(command):
    code = "import sys; from clmle.__main__ import main; main(['--help']); "
    code += f"main(['{command}', '--help'])"
    done = subprocess.run(
        [sys.executable, "-c", f"import atexit, sys\natexit.register(lambda: print('torch' in "
         f"sys.modules))\n{code}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert all(f"  {command}" in done.stdout for command in COMMANDS)
    assert done.stdout.strip().endswith("False")


def test_runs_are_named_tagged_noted_deleted_and_restored(capsys, tmp_path):
    runs = [
        create_run(tmp_path / "runs", preset_config("quick", method, "digits").to_dict())
        for method in ("clmle", "softmax")
    ]
    for one in runs:
        one.write_status(state="stopped", step=1, total=2)
    ours = runs[0].name
    run(capsys, "runs", "rename", ours, "wide", "margins")
    run(capsys, "runs", "tag", ours, "paper", "first")
    run(capsys, "runs", "untag", ours, "first")
    run(capsys, "runs", "note", ours, "repeats Table 7")
    shown = json.loads(run(capsys, "runs", "list", "paper", "--json")[1])
    assert [(row["run"], row["name"], row["tags"], row["note"]) for row in shown] == [
        (ours, "wide margins", ["paper"], "repeats Table 7")
    ]
    assert "wide margins" in run(capsys, "runs", "list", "PAPER")[1]
    assert "repeats Table 7" in run(capsys, "runs", "show", ours)[1]
    assert "has the words nothing" in run(capsys, "runs", "list", "nothing")[1]
    assert run(capsys, "runs", "delete", *(one.name for one in runs))[0] == 0
    assert "no run" in run(capsys, "runs")[1]
    assert ours in run(capsys, "runs", "undo")[1]
    assert len(json.loads(run(capsys, "runs", "--json")[1])) == 2
    run(capsys, "runs", "delete", ours)
    assert run(capsys, "runs", "empty-trash", "--yes")[1] == "1 run removed for good.\n"
    assert "No run was deleted" in run(capsys, "runs", "undo")[2]
