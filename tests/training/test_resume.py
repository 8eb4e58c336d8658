"""A run continues exactly where its checkpoint is, or says why it cannot."""

import json
from dataclasses import replace

import pytest
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from clmle import InputError, create_run, preset_config, train
from clmle.run_folder import RunFolder


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of two rounds."""
    config = preset_config("quick", "clmle", "digits")
    small = {"iterations": 8, "pretrain_iterations": 3, "rounds": 2, "batch_size": 60,
             "backbone": "tiny", "threads": 1}  # fmt: skip
    config = replace(config, train=replace(config.train, **small))
    run = create_run(tmp_path_factory.mktemp("runs"), config.to_dict())
    train(run)
    return run


@pytest.fixture
def run(whole, tmp_path):
    """Its copy, as it was before the result was written."""
    import shutil

    shutil.copytree(whole.path, tmp_path / "copy")
    (tmp_path / "copy" / "result.json").unlink()
    return RunFolder(tmp_path / "copy")


def edited(run, change):
    """Change the facts of the checkpoint."""
    file = run.checkpoint_path
    with safe_open(file, "pt") as stored:
        facts = json.loads(stored.metadata()["facts"])
    facts = change(facts)
    save_file(load_file(file), file, metadata={"facts": json.dumps(facts)})


def metrics_of(result):
    return result["validation"], result["test"], result["chosen"]


def test_a_run_moved_to_another_folder_continues(run, whole):
    assert metrics_of(train(run)) == metrics_of(whole.result())


@pytest.mark.parametrize("change", [
    lambda f: f | {"phase": "between"}, lambda f: f | {"step": -1}, lambda f: f | {"step": 10**9},
    lambda f: f | {"round": "2"}, lambda f: f | {"plateau": [1]}, lambda f: f | {"plateau": "abc"},
    lambda f: f | {"options": {"new_option": 1}}, lambda f: f | {"seconds": None},
    lambda f: f | {"lines": "all"}, lambda f: {k: v for k, v in f.items() if k != "data"},
    lambda f: {}, lambda f: [], lambda f: None,
])  # fmt: skip
def test_a_checkpoint_with_edited_facts_is_refused_with_its_version(run, change):
    def version(facts):
        facts = change(facts)
        return facts | {"version": "7.1"} if facts else facts

    edited(run, version)
    with pytest.raises(InputError) as caught:
        train(run)
    assert "does not fit this run in clmle 0." in str(caught.value)
    assert "checkpoint.safetensors, written by clmle" in str(caught.value)
    assert "Traceback" not in run.status()["message"]


@pytest.mark.parametrize("change", [
    lambda f: f["data"].update(labels="0" * 16), lambda f: f["data"].update(split="0" * 16),
    lambda f: f["data"].update(images=1), lambda f: f["data"]["class_names"].update(label=["a"]),
])  # fmt: skip
def test_data_other_than_those_of_the_checkpoint_are_refused_without_data_json(run, change):
    (run.path / "data.json").unlink()
    edited(run, lambda facts: change(facts) or facts)
    with pytest.raises(InputError, match="have changed since it was trained"):
        train(run)


def test_an_edited_configuration_is_refused_but_another_machine_is_not(run, whole):
    config = run.config()
    for part, values, match in (("train", {"learning_rate": 0.5}, "has changed"),
                                ("options", {"scale": 3.0}, "has changed"),
                                ("train", {"threads": 0}, None)):  # fmt: skip
        tree = config | {part: config[part] | values}
        (run.path / "config.json").write_text(json.dumps(tree))
        if match:
            with pytest.raises(InputError, match=match):
                train(run)
        else:
            assert metrics_of(train(run))[0]["balanced_accuracy"] > 0


def test_weights_that_are_gone_are_made_again(run, whole):
    run.model_path.unlink()
    assert metrics_of(train(run)) == metrics_of(whole.result())
    run.model_path.unlink()  # now with a result
    assert metrics_of(train(run)) == metrics_of(whole.result())
    assert run.model_path.exists()


def test_lost_lines_of_metrics_are_not_passed_over(run):
    lines = (run.path / "metrics.jsonl").read_bytes().splitlines(keepends=True)
    (run.path / "metrics.jsonl").write_bytes(b"".join(lines[:-1]))
    with pytest.raises(InputError, match="has lost lines"):
        train(run)
