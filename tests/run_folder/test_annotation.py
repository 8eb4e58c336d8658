"""Name, tags and note of a run: what is stored, refused and found again."""

import json

import pytest

from clmle.errors import InputError
from clmle.presets import preset_config
from clmle.run_folder import RunFolder, create_run
from clmle.training import run_summary

CONFIG = preset_config("quick", "softmax", "digits").to_dict()


@pytest.fixture
def run(tmp_path):
    return create_run(tmp_path / "runs", CONFIG)


def test_each_part_is_changed_alone_and_read_by_another_process(run):
    run.annotate(title="  wide \n margins ", tags=["a", "b", "a", " "])
    run.annotate(note="two\nlines\n")
    found = RunFolder(run.path).annotation()
    assert (found.title, found.tags, found.note) == ("wide margins", ("a", "b"), "two\nlines")
    run.annotate(title="")
    assert RunFolder(run.path).annotation().tags == ("a", "b")
    assert RunFolder(run.path).annotation().title == ""


@pytest.mark.parametrize("wrong", [
    {"title": "x" * 81}, {"tags": ["x" * 41]}, {"tags": ["a,b"]}, {"note": "x" * 2001},
    {"tags": [str(i) for i in range(21)]},
])  # fmt: skip
def test_a_refused_value_leaves_the_stored_ones(run, wrong):
    run.annotate(title="kept", tags=["kept"])
    before = (run.path / "annotation.json").read_bytes()
    with pytest.raises(InputError):
        run.annotate(**wrong)
    assert (run.path / "annotation.json").read_bytes() == before


def test_a_run_that_another_session_deleted_is_not_made_again(run):
    run.path.rename(run.path.with_name("elsewhere"))
    run.annotate(title="late")
    assert not run.path.exists()


def test_the_summary_has_the_facts_of_the_files(run):
    test = {"balanced_accuracy": 0.75, "interval": [0.7, 0.8], "recall": [0.5], "mcc": 0.25}
    run.write_result({"test": test, "class_names": ["a"], "class_counts": [9], "chosen": {}})
    run.write_status(state="done", step=9, total=9, seconds=12.5)
    run.annotate(tags=["paper"], note="once")
    row = run_summary(run)
    assert row["run"] == run.name
    assert (row["state"], row["seconds"], row["seed"]) == ("done", 12.5, CONFIG["train"]["seed"])
    assert (row["balanced_accuracy"], row["mcc"], row["roc_auc"]) == (0.75, 0.25, None)
    assert (row["tags"], row["note"]) == (["paper"], "once")
    (run.path / "annotation.json").write_text(json.dumps({"title": 3, "tags": [], "note": ""}))
    assert run_summary(run)["state"] == "damaged"
