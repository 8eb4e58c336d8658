"""Stored scores of test images are those that the metrics of the result come from."""

import dataclasses
import json
import os

import numpy as np
import pytest
from PIL import Image

from clmle.__main__ import main
from clmle.classifiers import fit_probabilities
from clmle.errors import InputError
from clmle.metrics.classification import classification_metrics
from clmle.presets import preset_config
from clmle.run_folder import RunFolder, create_run, list_runs
from clmle.studies import image_scores
from clmle.studies.attributes import attribute_frame, gains, run_rows, without_metrics
from clmle.studies.image_probabilities import image_probabilities
from clmle.studies.image_scores import (
    ImageScores,
    score_images,
    scoring_progress,
    start_scoring,
    stored_scores,
)
from clmle.studies.stored import reported_in
from clmle.training import train


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Tiny runs of two attributes together, of one of them, and of digits."""
    folder, root = tmp_path_factory.mktemp("images"), tmp_path_factory.mktemp("runs")
    rng = np.random.default_rng(0)
    lines = ["file,split,left,right"]
    for i in range(90):
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(folder / f"{i}.png")
        unknown = "" if i == 5 else i // 6 % 2
        lines.append(f"{i}.png,{('train', 'val', 'test')[i % 3]},{i // 3 % 2},{unknown}")
    (folder / "labels.csv").write_text("\n".join(lines))
    for method, attribute in (("softmax", "left,right"), ("clmle", "left,right"),
                              ("softmax", "left"), ("softmax", "right")):  # fmt: skip
        config = preset_config("quick", method, str(folder), attribute)
        data = {"labels": str(folder / "labels.csv"), "image_size": 8}
        small = {"iterations": 4, "pretrain_iterations": 2, "rounds": 1, "batch_size": 16,
                 "backbone": "tiny"}  # fmt: skip
        config = dataclasses.replace(
            config,
            data=dataclasses.replace(config.data, **data),
            train=dataclasses.replace(config.train, **small),
        )
        train(create_run(root, config.to_dict()))
    return root


def of(runs, method, attribute):
    return next(
        r for r in list_runs(runs)
        if (r.config()["method"], r.config()["data"]["attribute"]) == (method, attribute)
    )  # fmt: skip


def test_scores_give_the_metrics_of_the_result(runs):
    for run in list_runs(runs):
        test = run.result()["test"]
        found = score_images(run)
        each = test.get("attributes") or {found.attributes[0]: test}
        assert found.attributes == tuple(each)
        for name, figures in each.items():
            rows, labels, scores = found.of(name)
            assert len(rows) == len(labels) == figures["n"]
            anew = classification_metrics(labels, scores)
            validation = found.of(name, "validation")
            assert not set(rows) & set(validation[0])
            assert anew["confusion"] == figures["confusion"]
            assert anew["roc_auc"] == pytest.approx(figures["roc_auc"], abs=1e-3)


def test_scores_are_kept_until_the_weights_change(runs):
    run = of(runs, "softmax", "left")
    score_images(run)
    kept = stored_scores(run)
    assert np.array_equal(kept.scores, score_images(run).scores)
    written, weights = run.model_path.stat().st_mtime, run.model_path.read_bytes()
    for jump in (-36_000, 36_000):  # a clock that was set between weights and scores
        os.utime(run.model_path, (written + jump, written + jump))
        assert np.array_equal(stored_scores(run).scores, kept.scores)
        run.model_path.write_bytes(weights[:-4] + b"\0\0\0\0")
        os.utime(run.model_path, (written + jump, written + jump + 1))
        assert stored_scores(run) is None
        run.model_path.write_bytes(weights)
    (run.path / "image_scores.npz").write_bytes(b"not an archive")
    assert stored_scores(run) is None  # a damaged file counts as missing
    score_images(run)
    with np.load(run.path / "image_scores.npz") as stored:
        arrays = dict(stored)
    for odd in (
        {"class_counts": np.zeros(3)},
        {"labels": arrays["labels"][:5]},
        {"more": kept.split},
    ):
        np.savez(run.path / "image_scores.npz", **arrays | odd)
        assert stored_scores(run) is None  # so does one with other arrays
    assert score_images(run).attributes == ("left",)
    with pytest.raises(InputError, match="no attribute 'right'"):
        kept.of("right")


def test_scoring_reports_its_progress(runs, monkeypatch):
    run = of(runs, "softmax", "left")
    (run.path / "image_scores.npz").unlink(missing_ok=True)
    monkeypatch.setattr(image_scores, "BATCH", 30)
    seen = []
    found = score_images(run, lambda done, total: seen.append((done, total, scoring_progress(run))))
    n = len(found.indices)
    assert seen[-1] == (n, n, (0, 0))  # written to a file by the background process alone
    assert [done for done, *_ in seen[-2:]] == [n - n % -30 - 30, n]
    (run.path / "image_scores.npz").unlink()
    with reported_in(run.path / "image_scores.progress") as report:
        score_images(run, report)
        assert scoring_progress(run) == (n, n)
    assert scoring_progress(run) == (0, 0)


def test_the_background_process_reports_errors_on_stderr(runs, tmp_path):
    run = RunFolder(tmp_path / "empty")
    run.path.mkdir()
    process = start_scoring(run)
    _, said = process.communicate(timeout=600)
    assert process.returncode == 2
    assert b"no weights yet" in said
    assert b"Traceback" not in said


def test_single_and_multi_label_runs_are_compared(runs):
    broken = RunFolder(runs / "19990101-000000-broken")
    broken.path.mkdir()
    (broken.path / "config.json").write_text("{}")
    (broken.path / "result.json").write_text("[1, 2]")
    rows, said = run_rows(list_runs(runs))
    assert len(said) == 1
    assert "19990101" in said[0]
    frame = attribute_frame(rows)
    kinds = ("softmax (runs, multi-label)", "clmle (runs, multi-label)")
    learners = {*kinds, "softmax (runs, single-label)"}
    assert set(frame["learner"]) == learners
    assert frame.groupby("learner").size().to_list() == [2, 2, 2]
    assert frame["data"].nunique() == 1
    gain = gains(frame, "clmle (runs, multi-label)", "softmax (runs, single-label)")
    together = of(runs, "clmle", "left,right").result()["test"]["attributes"]["right"]
    alone = of(runs, "softmax", "right").result()["test"]
    assert gain.set_index("task").loc["right", "gain"] == pytest.approx(
        together["balanced_accuracy"] - alone["balanced_accuracy"]
    )


def test_the_minority_fraction_is_that_of_the_training_images(runs, tmp_path):
    """Also if an attribute before it in order has no metrics."""
    run = of(runs, "softmax", "left,right")
    copied = create_run(tmp_path, run.config())
    result = run.result()
    counts = dict(zip(result["attributes"], result["class_counts"], strict=True))
    right = result["test"]["attributes"]["right"]
    result["test"] |= {"attributes": {"right": right}, "left_out": ["left"]}
    result["class_counts"] = [counts["left"], [27, 3]]
    copied.write_result(result | {"no_training": ["never"]})
    ((row,), _) = run_rows([copied])
    assert (row["attribute"], row["minority"]) == ("right", 0.1)
    assert without_metrics([copied, run]) == ["never", "left"]


def test_probabilities_of_a_run_are_fitted_on_its_validation_images(runs):
    run = of(runs, "softmax", "left,right")
    scores = score_images(run)
    found = image_probabilities(scores, "right")
    assert found.class_names == ("not right", "right")
    _, labels, own = scores.of("right", "validation")
    expected = fit_probabilities(own, labels)
    for split, part in (("validation", found.validation), ("test", found.test)):
        rows, labels, own = scores.of("right", split)
        assert np.array_equal(part.indices, rows)
        assert np.array_equal(part.predicted, own.argmax(axis=1))
        assert np.array_equal(part.probabilities, expected.probabilities(own))
        positive, p = part.detection(1)
        assert np.array_equal(positive, labels == 1)
        assert np.array_equal(p, part.probabilities[:, 1])
    assert not found.warnings
    assert image_probabilities(scores).target == "left"


def test_few_validation_images_and_other_frequencies_are_reported():
    split = np.repeat([0, 1], [100, 100]).astype(np.int8)
    labels = np.concatenate([np.arange(100) < 5, np.arange(100) < 50]).astype(int)[:, None]
    scores = np.random.default_rng(0).normal(size=(200, 1, 2))
    facts = ("round",), ("ball", "cube"), np.array([[90, 10]]), split, np.arange(200)
    few, other = image_probabilities(ImageScores(*facts, labels, scores)).warnings
    assert "fewer than 10 validation images of cube (5)" in few
    assert "cube is 5.0 % of the validation images and 50.0 % of the test images" in other


def test_evaluate_for_a_purpose_reports_groups_probabilities_costs_and_recall(
    runs, capsys, tmp_path
):
    run = of(runs, "softmax", "left")
    path, out = str(run.path), tmp_path / "all.json"
    options = ["--probabilities", "--cost-false-negative", "9", "--recall", "0.8"]
    assert main(["evaluate", path, "--by", "right", *options, "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    for text in ("By right, worst first", "Brier score", "Cost of a missed", "Recall of "):
        assert text in shown
    kept = json.loads(out.read_text())
    _, labels, scores = score_images(run).of("left")
    part = classification_metrics(labels, scores)
    assert kept["by"]["overall"]["balanced_accuracy"] == pytest.approx(part["balanced_accuracy"])
    assert sum(row["n"] for row in kept["by"]["groups"]) == part["n"]
    ways = kept["cost"]["test"]
    c = kept["class_names"].index(kept["cost"]["positive"])
    assert ways["classifier of the run"]["true_positives"] == part["confusion"][c][c]
    assert ways["never positive"]["true_positives"] == 0
    assert ways["always positive"]["false_negatives"] == 0
    assert kept["precision_at_recall"]["validation"]["recall"] >= 0.8

    (tmp_path / "cameras.csv").write_text(
        "file,camera,age\n" + "".join(f"{i}.png,{'ab'[i % 2]},{i}\n" for i in range(80))
    )
    table = str(tmp_path / "cameras.csv")
    assert main(["evaluate", path, "--by", f"{table},camera", "--json"]) == 0
    by = json.loads(capsys.readouterr().out)["by"]
    assert {row["group"]: row["n"] for row in by["groups"]} == {"a": 13, "b": 13, "unknown": 4}
    assert main(["evaluate", path, "--by", f"{table},age", "--bins", "2"]) == 0
    assert "1: 0 to 39" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--by", "height"], "has no column 'height'; choose one of: left, right"),
        (["--by", "none.csv,height"], "none.csv cannot be read"),
        (["--positive", "left"], "belong to --by"),
        (["--positive", "up", "--recall", "0.5"], "no class 'up'; it has: not left, left"),
        (["--recall", "2"], "at most 1"),
        (["--cost-false-negative", "-1"], "false_negative"),
        (["--by", "right", "--split", "test"], "cannot be used with"),
        (["--by", "right", "--attribute", "up"], "no attribute 'up'"),
        (["--by", "right", "--bins", "3"], "not of numbers"),
    ],
)
def test_mistakes_of_an_evaluation_are_one_sentence(runs, capsys, arguments, message):
    assert main(["evaluate", str(of(runs, "softmax", "left").path), *arguments]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.err.strip().count("\n") == 0
    assert not said.out
