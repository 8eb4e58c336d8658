"""Stored scores of test images are those that the metrics of the result come from."""

import dataclasses
import os

import numpy as np
import pytest
from PIL import Image

from clmle.errors import InputError
from clmle.metrics.classification import classification_metrics
from clmle.presets import preset_config
from clmle.run_folder import RunFolder, create_run, list_runs
from clmle.studies.attributes import attribute_frame, gains, run_rows, without_metrics
from clmle.studies.image_scores import score_test_images, start_scoring, stored_scores
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
        found = score_test_images(run)
        each = test.get("attributes") or {found.attributes[0]: test}
        assert found.attributes == tuple(each)
        for name, figures in each.items():
            rows, labels, scores = found.of(name)
            assert len(rows) == len(labels) == figures["n"]
            anew = classification_metrics(labels, scores)
            assert anew["confusion"] == figures["confusion"]
            assert anew["roc_auc"] == pytest.approx(figures["roc_auc"], abs=1e-3)


def test_scores_are_kept_until_the_weights_change(runs):
    run = of(runs, "softmax", "left")
    score_test_images(run)
    kept = stored_scores(run)
    assert np.array_equal(kept.scores, score_test_images(run).scores)
    written, weights = run.model_path.stat().st_mtime, run.model_path.read_bytes()
    for jump in (-36_000, 36_000):  # a clock that was set between weights and scores
        os.utime(run.model_path, (written + jump, written + jump))
        assert np.array_equal(stored_scores(run).scores, kept.scores)
        run.model_path.write_bytes(weights[:-4] + b"\0\0\0\0")
        os.utime(run.model_path, (written + jump, written + jump + 1))
        assert stored_scores(run) is None
        run.model_path.write_bytes(weights)
    (run.path / "test_scores.npz").write_bytes(b"not an archive")
    assert stored_scores(run) is None  # a damaged file counts as missing
    assert score_test_images(run).attributes == ("left",)
    with pytest.raises(InputError, match="no attribute 'right'"):
        kept.of("right")


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
