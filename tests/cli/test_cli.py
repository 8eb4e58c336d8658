"""The command line as a person types it: results, help, and one sentence for each mistake."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from clmle.__main__ import main

TINY = ["--iterations", "12", "--pretrain-iterations", "4", "--rounds", "2", "--batch-size", "120"]


def run(capsys, *arguments):
    code = main([str(a) for a in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_train_evaluate_embed_project_and_list(capsys, tmp_path):
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
        assert run(capsys, "embed", name, "--out", file)[0] == 0
        assert file.stat().st_size > 1000
    assert run(capsys, "project", name, "--by", "pca")[0] == 0
    assert "config" in run(capsys, "runs", "show", name)[1]
    assert run(capsys, "runs", "delete", name, "--yes")[0] == 0
    assert "no run" in run(capsys, "runs")[1]


def test_own_folder_trains(capsys, image_folder):
    with pytest.warns(UserWarning, match="could not be read"):
        code, out, _ = run(
            capsys, "train", image_folder, "--method", "oversampling", *TINY, "--image-size", 24
        )
    assert code == 0
    assert "recall of dogs" in out


def test_config_is_overridden_by_options(capsys, tmp_path):
    config = tmp_path / "c.toml"
    config.write_text(
        'method = "clmle"\n[train]\niterations = 12\nprior_iterations = 4\nrounds = 1\n'
        "batch_size = 240\n[options]\nscale = 4.0\n"
    )
    assert run(capsys, "train", "digits", "--config", config, "--scale", 2)[0] == 0
    (row,) = json.loads(run(capsys, "runs", "--json")[1])
    shown = run(capsys, "runs", "show", row["run"])[1].split("\n\nfigure")[0]
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
        (["runs", "stop"], "which run"),
        (["embed", "x", "--out", "features.doc"], ".npz"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_2(capsys, arguments, message):
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert message in err
    assert err.strip().count("\n") == 0
    assert "Traceback" not in out + err
    assert run(capsys, "runs")[1].startswith("There is no run")


def test_empty_class_is_named(capsys, tmp_path):
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


def test_unknown_options_exit_with_code_2(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["train", "digits", "--wings", "2"])
    assert stop.value.code == 2


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


def test_help_explains_every_setting(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--method", "clmle", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    for phrase in (
        "--between-margin-fraction",
        "--cluster-size",
        "--learning-rate",
        "options of clmle",
    ):
        assert phrase in shown
