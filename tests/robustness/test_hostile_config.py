"""Malicious configs and run files: a one-sentence error in little time and memory."""

import json
import struct
from dataclasses import replace

import pytest

from clmle.cli.parser import read_config
from clmle.config import DataConfig, TrainConfig, check_bounds, parse
from clmle.data.recognition.open_set import load_open_set
from clmle.files import from_json, read_json
from clmle.run_folder import RunFolder
from clmle.studies.background import BackgroundStudy
from clmle.studies.results import intact_results
from clmle.training import config_from_dict
from clmle.training.checkpoint import load_tensors
from clmle.training.extraction import pick_device
from clmle.training.prepare import load_data
from tests.robustness.hostile import DEEP, DIGITS, error_of


@pytest.mark.parametrize("text", [DEEP, '{"a":' * 100_000, DIGITS, f'{{"a": {DIGITS}}}', "\0", ""])
def test_deep_and_long_json_is_a_one_sentence_error(text, tmp_path):
    with pytest.raises(ValueError, match=r"."):
        from_json(text)
    file = tmp_path / "c.json"
    file.write_text(text)
    assert str(file) in error_of(read_json, file)
    error_of(read_config, str(file))
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n' + text + '\n{"step": 2}\n')
    assert RunFolder(tmp_path).metrics() == [{"step": 1}, {"step": 2}]
    if text:
        file.write_text(text + "\n")
        found, (sentence,) = intact_results(file)
        assert not found
        assert sentence.startswith(f"Line 1 of {file} is not a result")
        assert len(sentence) < 500


@pytest.mark.parametrize("text", [f"a = {DEEP}", f"a = {DIGITS}", "a = 1\na = 2", "\0"])
def test_deep_and_long_toml_is_a_one_sentence_error(text, tmp_path):
    (tmp_path / "c.toml").write_text(text)
    error_of(read_config, str(tmp_path / "c.toml"))


@pytest.mark.parametrize("facts", [DEEP, DIGITS, "{"])
def test_deep_and_long_metadata_of_weights_is_a_one_sentence_error(facts, tmp_path):
    head = json.dumps({"__metadata__": {"facts": facts}}).encode()
    (tmp_path / "m.safetensors").write_bytes(struct.pack("<Q", len(head)) + head)
    assert "cannot be read as weights" in error_of(load_tensors, tmp_path / "m.safetensors")


@pytest.mark.parametrize(("cls", "name"), [(TrainConfig, "seed"), (DataConfig, "ratio")])
def test_a_number_beyond_all_floats_is_an_error(cls, name):
    assert name in error_of(lambda: parse(cls, {name: 10**400}, "train"))[:1000]


ODD = {
    "seed": (-1, 2**63, "from 0 to 9,223,372,036,854,775,807"),
    "feature_dim": (0, 65_537, "from 1 to 65,536"),
    "iterations": (0, 10**12, "from 1 to 1,000,000,000"),
    "batch_size": (0, 10**15, "from 1 to 100,000"),
    "rounds": (0, 10**12, "from 1 to 1,000,000,000"),
    "learning_rate": (-1e-9, 1e308, "above 0 and at most 1,000"),
    "momentum": (-0.1, 1.1, "from 0 to 1"),
    "weight_decay": (-1.0, 1e308, "from 0 to 1,000"),
    "patience": (0, 10**12, "from 1 to 1,000,000,000"),
    "max_lr_drops": (-1, 10**12, "from 0 to 1,000,000,000"),
    "pretrain_iterations": (-1, 10**12, "from 0 to 1,000,000,000"),
    "margin_trials": (-1, 10**12, "from 0 to 1,000,000,000"),
    "n_embedding_samples": (0, 10**12, "from 1 to 1,000,000,000"),
    "threads": (-1, 10**9, "from 0 to 4,096"),
}


@pytest.mark.parametrize("name", ODD)
def test_impossible_numbers_are_errors_before_a_run_starts(name):
    *wrong, words = ODD[name]
    for value in wrong:
        sentence = f"{name} is {value!r}, but must be {words}."
        assert error_of(config_from_dict, {"train": {name: value}}) == sentence
        assert error_of(check_bounds, replace(TrainConfig(), **{name: value})) == sentence
    least = 1e-9 if name == "learning_rate" else int(words.split()[1])
    config_from_dict({"train": {name: least}})
    for size in (7, 1025):
        assert f"image_size is {size}" in error_of(config_from_dict, {"data": {"image_size": size}})
    assert "split is -2" in error_of(config_from_dict, {"data": {"split": -2}})
    assert "learning_rate is 0.0" in error_of(config_from_dict, {"train": {"learning_rate": 0}})


@pytest.mark.parametrize("name", ["x" * 10**5, "a\0b", "x" * 5000 + "/y", "~nobody/faces"])
def test_an_impossible_path_is_an_error(name):
    assert (
        "There is no data set, file or folder"
        in error_of(load_data, DataConfig(dataset=name))[:400]
    )
    assert "is not a test set" in error_of(load_open_set, name)


def test_a_very_long_name_is_shortened_in_the_message():
    error_of(load_data(DataConfig(dataset="digits")).task, "x" * 10**6)


@pytest.mark.parametrize("name", ["meta", "cuda:99", "\0", "toaster"])
def test_an_unusable_device_is_an_error(name):
    assert f"Device {name!r} cannot be used" in error_of(pick_device, name)


@pytest.mark.parametrize("name", ["c.toml", "c.json"])
def test_a_very_long_config_file_is_not_read(name, tmp_path):
    (tmp_path / name).write_text(".".join(["a"] * 100_000) + " = 1")
    assert "longer than 20,000 characters" in error_of(read_config, str(tmp_path / name))


def test_a_value_without_a_repr_is_an_error():
    deep = []
    for _ in range(3000):
        deep = [deep]
    assert "too large a list" in error_of(parse, TrainConfig, {"seed": deep}, "train")
    assert "seed is 'xx" in error_of(parse, TrainConfig, {"seed": "x" * 10**6}, "train")
    assert "too large a int" in error_of(parse, TrainConfig, {"backbone": 10**5000}, "train")


@pytest.mark.parametrize("pid", ["../x", [1], -1, 0, 1e99, True, None, 2**70, {"a": 1}])
def test_a_status_with_an_invalid_process_id_is_not_running(pid, tmp_path):
    (tmp_path / "status.json").write_text(json.dumps({"state": "running", "pid": pid, "born": "1"}))
    assert RunFolder(tmp_path).status()["state"] == "lost"
    study = BackgroundStudy(tmp_path / "rule.jsonl")
    job = {"request": {"study": "classifier"}, "pid": pid, "born": "1"}
    study.job_path.write_text(json.dumps(job))
    assert not study.alive()
    study.stop()


@pytest.mark.parametrize(
    "odd", [{"step": "x"}, {"total": None}, {"seconds": "1"}, {"seconds_left": {}}, {"phase": 5},
            {"message": [1]}, {"updated": "now"}, {"state": ["done"]}]
)  # fmt: skip
def test_a_status_with_values_of_other_types_is_damaged(odd, tmp_path):
    whole = {"state": "done", "phase": "done", "step": 1, "total": 1, "seconds": 1.5,
             "seconds_left": None, "message": ""}  # fmt: skip
    (tmp_path / "status.json").write_text(json.dumps(whole))
    assert RunFolder(tmp_path).status() == whole
    (tmp_path / "status.json").write_text(json.dumps(whole | odd))
    assert next(iter(odd)) in error_of(RunFolder(tmp_path).status)


@pytest.mark.parametrize("test", [None, [], "x", 1])
def test_a_result_without_metrics_is_damaged(test, tmp_path):
    (tmp_path / "result.json").write_text(json.dumps({"test": test}))
    assert "is damaged (test)" in error_of(RunFolder(tmp_path).result)
