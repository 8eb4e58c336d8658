"""A value of a stored file that is replaced by another one: a sentence, or nothing is lost."""

import copy
import json
import random
import shutil

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from clmle.__main__ import main
from clmle.data import load_folder
from clmle.data.pixel_cache import cached_pixels
from clmle.files import cache_dir
from clmle.run_folder import RunFolder, run_summary
from clmle.studies.results import intact_results
from clmle.tracking.run_log import stored_trackers
from tests.robustness.hostile import error_of
from tests.robustness.test_containment import ROOT

TINY = ["--iterations", "8", "--pretrain-iterations", "3", "--rounds", "1", "--batch-size", "120"]
ODD = [None, True, [], {}, "x", "", -1, 10**30, 1e308, float("nan"), float("inf"), [None],
       ["a", 1], {"a": None}, "\0", [[]], 3]  # fmt: skip
FILES = ("config.json", "data.json", "status.json", "result.json", "annotation.json", "weights")


def paths(tree, at=()):
    """Places of values; of a list the first two."""
    yield at
    inside = tree.items() if isinstance(tree, dict) else enumerate(tree[:2])
    for key, value in inside if isinstance(tree, dict | list) else ():
        yield from paths(value, (*at, key)) if isinstance(value, dict | list) else [(*at, key)]


def replaced(tree, at, value):
    if not at:
        return value
    tree = copy.deepcopy(tree)
    node = tree
    for key in at[:-1]:
        node = node[key]
    node[at[-1]] = value
    return tree


@pytest.fixture(scope="module", params=["one target", "several attributes"])
def trained(request, tmp_path_factory):
    root = tmp_path_factory.mktemp("trained")
    path = root / "numbers.csv"
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 4))
    a, b = x[:, 0] > 1, x[:, 1] > 0.5
    rows = [",".join(f"{v:.3f}" for v in x[i]) + f",{int(a[i])},{int(b[i])}" for i in range(300)]
    path.write_text("f0,f1,f2,f3,Round,Red\n" + "\n".join(rows) + "\n")
    target = "Round" if request.param == "one target" else "Round,Red"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CLMLE_CACHE", str(root / "cache"))
        arguments = ["train", str(path), "--attribute", target, "--method", "clmle", *TINY]
        assert main([*arguments, "--runs-dir", str(root / "runs")]) == 0
    (run,) = (root / "runs").iterdir()
    RunFolder(run).annotate(title="a", tags=["b"], note="c")
    return run


def facts_of(run):
    with safe_open(run / "model.safetensors", "pt") as file:
        return json.loads(file.metadata()["facts"])


def harmed(trained, runs, name, at, value):
    """A copy of the run with another value."""
    shutil.rmtree(runs, ignore_errors=True)
    run = runs / trained.name
    shutil.copytree(trained, run)
    if name == "weights":
        facts = json.dumps(replaced(facts_of(run), at, value))
        path = run / "model.safetensors"
        save_file(load_file(path), path, metadata={"facts": facts})
    else:
        tree = json.loads((run / name).read_text())
        (run / name).write_text(json.dumps(replaced(tree, at, value)))
    return run


@pytest.mark.parametrize("name", FILES)
def test_any_value_of_a_run_is_used_or_named_in_a_sentence(name, trained, tmp_path, capsys):
    tree = facts_of(trained) if name == "weights" else json.loads((trained / name).read_text())
    rng, runs, out = random.Random(name), tmp_path / "runs", tmp_path / "out"
    used = ["--runs-dir", str(runs)]
    commands = [
        ["runs", *used], ["runs", "show", trained.name, *used],
        ["export", trained.name, "--to", "folder", "--out", str(out), *used],
    ]  # fmt: skip
    cases = [(at, value) for at in paths(tree) for value in rng.sample(ODD, 2)]
    for at, value in cases if len(cases) < 120 else rng.sample(cases, 120):
        run = harmed(trained, runs, name, at, value)
        for command in commands:
            shutil.rmtree(out, ignore_errors=True)
            code = main(command)
            err = capsys.readouterr().err
            assert code in (0, 2), (at, value, command[0], err)
        assert main(commands[0]) == 0, (at, value)
        assert run_summary(RunFolder(run))["run"] == run.name


def test_the_weights_of_another_network_end_a_resumed_test(trained, tmp_path, capsys):
    at = ("chosen", "rules") if "Red" in str(facts_of(trained)["attributes"]) else ("chosen",)
    for value in ({}, [], {"offset": [1.0]}):
        run = harmed(trained, tmp_path / "runs", "weights", at, value)
        (run / "result.json").unlink()
        assert main(["train", "--resume", run.name, "--runs-dir", str(run.parent)]) == 2
        assert "model.safetensors" in capsys.readouterr().err


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.bool, torch.complex64])
def test_a_classifier_in_numbers_of_another_type_is_a_sentence(kind, trained, tmp_path, capsys):
    run = tmp_path / trained.name
    shutil.copytree(trained, run)
    path = run / "model.safetensors"
    tensors = {k: v.to(kind) if "classes" in k else v for k, v in load_file(path).items()}
    save_file(tensors, path, metadata={"facts": json.dumps(facts_of(trained))})
    assert main(["evaluate", run.name, "--runs-dir", str(tmp_path)]) == 2
    assert "does not hold the network" in capsys.readouterr().err


def test_a_small_model_that_describes_a_huge_network_takes_no_memory(tmp_path, capsys):
    assert main(["train", "digits", "--backbone", "tiny", *TINY, "--runs-dir", str(tmp_path)]) == 0
    (run,) = tmp_path.iterdir()
    shared = tmp_path / "shared"
    main(["export", str(run), "--to", "folder", "--out", str(shared)])
    tree = json.loads((shared / "config.json").read_text())
    tree["config"]["train"] |= {"backbone": "sphere20", "feature_dim": 65_536}
    (shared / "config.json").write_text(json.dumps(tree))
    path = shared / "model.safetensors"
    facts = facts_of(run) | {"image_shape": [1024, 1024, 1]}  # 1.4 10^11 weights
    save_file(load_file(path), path, metadata={"facts": json.dumps(facts)})
    assert main(["predict", str(shared), str(tmp_path), "--out", str(tmp_path / "p.csv")]) == 2
    assert "does not hold the network" in capsys.readouterr().err


@pytest.mark.parametrize("problems", [{"99": "x"}, {"-1": "x"}, {"a": "x"}, {"0": 3}, ["x"], None])
def test_a_cache_that_names_other_images_is_read_again(problems, image_folder):
    with pytest.warns(UserWarning, match="left out"):
        whole = load_folder(image_folder, image_size=16)
    (meta,) = cache_dir().rglob("meta.json")
    tree = json.loads(meta.read_text())
    assert len(tree["problems"]) == 1
    many = {str(10**4 + i): "x" for i in range(2)}
    for stored in (problems, many):
        meta.write_text(json.dumps(tree | {"problems": stored}))
        with pytest.warns(UserWarning, match="left out"):
            again = load_folder(image_folder, image_size=16)
        np.testing.assert_array_equal(again.images, whole.images)
        np.testing.assert_array_equal(again.split, whole.split)
        assert json.loads(meta.read_text()) == tree


ONES = np.ones(9, np.uint8)
ODD_STATES = [
    b"", bytes(90), 7 * ONES, ONES[:4], np.ones((9, 2), np.uint8), np.ones(9),
    np.array(1, np.uint8), np.zeros(9, "V0"), {"a": ONES},
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(ODD_STATES)))
def test_an_interrupted_reading_with_a_damaged_state_begins_again(number, tmp_path):
    def read(i):
        return np.full((4, 4, 3), i + 1, np.uint8) if i else "no image"

    def stopped(i):
        raise KeyboardInterrupt

    whole, problems = cached_pixels(tmp_path / "whole", "a", 9, (4, 4, 3), read)
    with pytest.raises(KeyboardInterrupt):
        cached_pixels(tmp_path / "own", "a", 9, (4, 4, 3), stopped)
    state = tmp_path / "own.building" / "state.npy"
    odd = ODD_STATES[number]
    if isinstance(odd, bytes):
        state.write_bytes(odd)
    else:
        with open(state, "wb") as file:
            np.savez(file, **odd) if isinstance(odd, dict) else np.save(file, odd)
    (state.parent / "problems.jsonl").write_bytes(b'[[], 1]\n[0]\n{"a": 1}\n\xff\n[1, "x"]\n')
    found, said = cached_pixels(tmp_path / "own", "a", 9, (4, 4, 3), read)
    np.testing.assert_array_equal(found, whole)
    assert said == problems


STATES = [{"identity": 1, "lines": 0}, {"identity": "a", "lines": float("inf")}, {"lines": 0}]


@pytest.mark.parametrize("value", [None, [], "x", *(state | {"done": True} for state in STATES)])
def test_a_damaged_state_of_a_tracker_is_a_sentence(value, tmp_path):
    (tmp_path / "log.json").write_text(json.dumps({"tensorboard": value}))
    said = error_of(stored_trackers, RunFolder(tmp_path))
    assert "log.json is damaged (" in said
    assert "tensorboard" in said


@pytest.mark.parametrize("metric", ["balanced_accuracy", "recall", "confusion"])
def test_a_result_of_a_study_with_odd_metrics_is_left_out(metric, tmp_path):
    line = (ROOT / "docs/results/attributes.jsonl").read_text().splitlines()[0]
    tree = json.loads(line)
    odd = [
        json.dumps(replaced(tree, ("test", metric), v)) for v in ("x", {}, float("nan"), [["a"]])
    ]
    file = tmp_path / "mine.jsonl"
    file.write_text("\n".join([*odd, line]) + "\n")
    found, sentences = intact_results(file)
    assert found == [tree]
    assert len(sentences) == len(odd)
