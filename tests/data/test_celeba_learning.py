"""Runs and commands on files of CelebA."""

from dataclasses import replace

import numpy as np
import pytest

from clmle import InputError
from clmle.__main__ import main
from clmle.config import override
from clmle.presets import preset_config
from clmle.run_folder import create_run, list_runs
from clmle.training import evaluate, load_model, train
from tests.data.celeba_copy import ATTR, name_of, say_all, write


def test_a_run_trains_on_celeba(celeba, tmp_path):
    config = preset_config("quick", "clmle", str(celeba), "Bald")
    assert config.data.image_size == 55
    small = {"iterations": 6, "pretrain_iterations": 2, "rounds": 1, "batch_size": 24}
    config = replace(
        config,
        train=override(config.train, {**small, "backbone": "tiny", "threads": 1}, "train"),
        options=override(config.options, {"cluster_size": 10}, "clmle"),
    )
    run = create_run(tmp_path / "runs", config.to_dict())
    result = train(run)
    assert 0 <= result["test"]["balanced_accuracy"] <= 1
    model = load_model(run)
    assert model.image_shape == (55, 47, 3)
    assert model.scores(np.zeros((2, 55, 47, 3), dtype=np.uint8)).shape == (2, 2)
    with pytest.raises(InputError, match=r"images are \(55, 55, 3\), but the run was trained on"):
        model.embed(np.zeros((2, 55, 55, 3), dtype=np.uint8))
    assert evaluate(run)["balanced_accuracy"] == result["test"]["balanced_accuracy"]


def test_gradients_are_clipped_for_many_attributes(celeba):
    for attribute, clip in (("all", 5.0), ("Bald,Young", 5.0), ("Bald", 0.0)):
        for method in ("clmle", "softmax"):
            assert (
                preset_config("quick", method, str(celeba), attribute).train.grad_clip_norm == clip
            )
    assert preset_config("quick", "clmle", "toonfaces", "all").train.grad_clip_norm == 0


@pytest.mark.filterwarnings("ignore:1 of 120 photographs")
def test_every_command_names_an_attribute_without_positives(celeba, tmp_path, capsys):
    lines = (celeba / ATTR).read_text().splitlines()
    write(celeba / ATTR, [*lines[:2], *(" ".join([*x.split()[:2], "-1", *x.split()[3:]])
                                        for x in lines[2:])])  # fmt: skip
    where = ["--runs-dir", str(tmp_path / "runs")]
    small = ["--iterations", "2", "--rounds", "1", "--batch-size", "24", "--threads", "1",
             "--backbone", "tiny"]  # fmt: skip
    (celeba / "Img/img_align_celeba" / name_of(3)).unlink()
    command = ["train", str(celeba), "--attribute", "all", "--method", "softmax"]
    assert main([*command, *small, *where]) == 0
    reported = [capsys.readouterr().out]
    (run,) = list_runs(tmp_path / "runs")
    assert run.result()["no_training"] == ["Bald"]
    for command in (["evaluate", run.name, *where], ["runs", "show", run.name, *where],
                    ["data", str(celeba), "--attribute", "all"]):  # fmt: skip
        assert main(command) == 0
        reported.append(capsys.readouterr().out)
    for out in reported:
        assert "all training images with a label have the same value: Bald." in out
        assert out.count("Bald") == 1


def test_the_data_command_counts_attributes_and_identities(celeba, capsys):
    assert main(["data", str(celeba)]) == 0
    out = capsys.readouterr().out
    assert "celeba: 120 images of 55 x 47" in out
    assert "Bald" in out
    assert main(["data", str(celeba), "--attribute", "all"]) == 0
    assert "not Young" in capsys.readouterr().out
    say_all(celeba / ATTR, "1")
    assert main(["data", str(celeba), "--attribute", "all"]) == 2
    assert "No attribute of celeba" in capsys.readouterr().err
