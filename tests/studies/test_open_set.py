"""Evaluation on unseen identities: agrees with plain loops, is stored, reports errors."""

import json
import os
import pickle
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from clmle.__main__ import main
from clmle.data import load_toonfaces_identities
from clmle.data.recognition import Pairs
from clmle.data.recognition.open_set import OpenSetData, load_open_set
from clmle.errors import InputError
from clmle.presets import preset_config
from clmle.run_folder import RunFolder
from clmle.studies import open_set
from clmle.studies.open_set import evaluate_open_set, file_of, stored_recognition
from clmle.studies.open_set_table import open_set_frame, open_set_table
from clmle.studies.paper_comparison import paper_comparison
from clmle.studies.results import append_result, read_results
from clmle.studies.study_results import read_study
from clmle.training import load_model
from tools.report import recognition as page
from tools.report.markdown import Page

SIDE = 24  # of the run's images, in conftest.py


@pytest.fixture
def run(identity_run):
    return identity_run[0]


@pytest.fixture
def faces(identity_run):
    return load_open_set(size="quick", image_size=SIDE)


@pytest.fixture
def features(identity_run, faces):
    """Features of image and mirror image concatenated, in float64."""
    model = load_model(identity_run[0])
    both = [model.embed(np.ascontiguousarray(i)) for i in (faces.images, faces.images[:, :, ::-1])]
    x = np.concatenate([f.astype(np.float64) for f in both], axis=1)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_the_open_set_test_has_unseen_identities_alone(run, faces):
    training = load_toonfaces_identities("quick", image_size=SIDE)
    assert len(faces.images) == 90 * 4 + 50
    assert not set(training.labels["identity"].tolist()) & set(faces.identities.tolist())
    for name, part in (("probes", "test"), ("distractors", "distractor")):
        images = training.images[training.metadata["part"] == part]
        np.testing.assert_array_equal(faces.images[getattr(faces, name)], images)
    same = faces.identities[faces.pairs.first] == faces.identities[faces.pairs.second]
    np.testing.assert_array_equal(same, faces.pairs.same)


def test_verification_agrees_with_a_plain_loop(run, faces, features):
    found = evaluate_open_set(run)
    pairs = faces.pairs
    scores = np.array(
        [features[a] @ features[b] for a, b in zip(pairs.first, pairs.second, strict=True)]
    )
    np.testing.assert_allclose(found.arrays["similarity"], scores, atol=1e-5)
    rights = []
    for fold in range(10):
        inside = pairs.fold == fold
        tried = np.sort(scores[~inside])
        best = max(tried, key=lambda t: ((scores[~inside] >= t) == pairs.same[~inside]).mean())
        rights.append(((scores[inside] >= best) == pairs.same[inside]).mean())
    accuracy = found.metrics["verification"]["accuracy"]
    assert accuracy == pytest.approx(np.mean(rights), abs=0.01)  # several thresholds may be best


def test_identification_agrees_with_a_plain_loop(run, faces, features):
    found = evaluate_open_set(run).metrics["open_set"]
    probes, names = features[faces.probes], faces.identities[faces.probes]
    impostors = probes @ features[faces.distractors].T
    first = [
        (impostors[a] >= probes[a] @ probes[b]).sum() == 0
        for a in range(len(probes)) for b in range(len(probes))
        if a != b and names[a] == names[b]
    ]  # fmt: skip
    assert found["rank_one"][-1]["distractors"] == 50
    assert found["rank_one"][-1]["rate"] == pytest.approx(np.mean(first), abs=1e-3)
    genuine = np.array([
        probes[a] @ probes[b] for a in range(len(probes)) for b in range(a) if names[a] == names[b]
    ])  # fmt: skip
    row = next(r for r in found["tar_at_far"] if r["far"] == 0.01)
    allowed = int(0.01 * impostors.size)
    threshold = np.sort(impostors.ravel())[::-1][allowed]
    assert row["tar"] == pytest.approx((genuine > threshold).mean(), abs=2e-3)


def test_thinned_curves_keep_both_ends(run):
    rng = np.random.default_rng(0)
    far = np.concatenate([[0], np.sort(rng.random(50_000)), [1]])
    thin = open_set._thinned("", far, np.sqrt(far))
    assert len(thin["far"]) <= open_set.CURVE
    assert thin["far"][0] == 0
    assert thin["far"][-1] == 1
    np.testing.assert_array_equal(thin["tar"], np.sqrt(thin["far"]))
    assert set(thin["far"]) <= set(far)


def test_a_result_is_stored_until_the_weights_change(run, monkeypatch):
    first = evaluate_open_set(run)
    with monkeypatch.context() as patch:
        patch.setattr("clmle.training.load_model", None)  # nothing is computed again
        again = evaluate_open_set(run)
    assert again.metrics == first.metrics
    before, weights = os.stat(run.model_path), run.model_path.read_bytes()
    try:
        os.utime(run.model_path, (before.st_atime, before.st_mtime + 36_000))  # a clock change
        assert stored_recognition(run).metrics == first.metrics
        run.model_path.write_bytes(weights[:-4] + b"\0\0\0\0")
        os.utime(run.model_path, (before.st_atime, before.st_mtime - 36_000))
        assert stored_recognition(run) is None
    finally:
        run.model_path.write_bytes(weights)
        os.utime(run.model_path, (before.st_atime, before.st_mtime))
    file_of(run).write_bytes(file_of(run).read_bytes()[:-40])
    assert stored_recognition(run) is None  # cut off: counts as missing
    assert evaluate_open_set(run).metrics["verification"] == first.metrics["verification"]


def png(image):
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, format="PNG")
    return buffer.getvalue()


def test_a_bin_file_of_the_same_faces_gives_the_same_similarities(run, faces, tmp_path):
    pairs = faces.pairs
    rows = np.stack([pairs.first, pairs.second], axis=1).ravel()
    file = tmp_path / "mine.bin"
    file.write_bytes(pickle.dumps(([png(faces.images[i]) for i in rows], pairs.same.tolist())))
    found = evaluate_open_set(run, str(file))
    assert found.metrics["open_set"] is None
    np.testing.assert_allclose(
        found.arrays["similarity"], evaluate_open_set(run).arrays["similarity"], atol=1e-5
    )
    with pytest.raises(InputError, match="learned from"):
        open_set._like(faces.images, (SIDE, SIDE, 1))  # a run on gray images
    with pytest.raises(InputError, match="is not a test set"):
        evaluate_open_set(run, str(tmp_path / "nowhere"))


def test_a_video_is_the_mean_of_its_frames(features):
    x = features[:12]
    video = np.repeat([0, 1, 2], 4)
    video[5] = -1  # a frame that could not be read
    pairs = Pairs(np.array([0, 1]), np.array([1, 2]), np.array([True, False]), np.zeros(2, int))
    _, arrays = open_set._pairs(OpenSetData("v", x, pairs, video=video), x)
    means = [x[video == v].mean(axis=0) for v in range(3)]
    means = [m / np.linalg.norm(m) for m in means]
    wanted = [means[0] @ means[1], means[1] @ means[2]]
    np.testing.assert_allclose(arrays["similarity"], wanted, atol=1e-6)


def test_the_command_prints_what_the_library_finds(run, capsys, tmp_path):
    figures = evaluate_open_set(run).metrics
    arguments = ["evaluate", run.name, "--open-set", "--runs-dir", str(run.path.parent)]
    assert main([*arguments, "--out", str(tmp_path / "f.json")]) == 0
    printed = capsys.readouterr().out
    assert f"accuracy {figures['verification']['accuracy']:.4f}" in printed
    assert "Against 50 distractors" in printed
    assert json.loads((tmp_path / "f.json").read_text()) == figures
    assert main([*arguments, "--on", "toonfaces"]) == 2
    assert "is not a test set" in capsys.readouterr().err


def test_a_run_on_other_data_has_no_unseen_identities(tmp_path):
    config = preset_config("quick", "softmax", "digits").to_dict()
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="digits has no unseen identities"):
        open_set.own_test(RunFolder(tmp_path))


def cells(summary, figures):
    """Summaries of methods: accuracy of pairs of three seeds each."""
    found = []
    for name, values in figures.items():
        for seed, value in enumerate(values):
            copy = json.loads(json.dumps(summary)) | {
                "variant": name, "method": name, "seed": seed, "key": f"{name}{seed}"
            }  # fmt: skip
            copy["recognition"]["verification"]["accuracy"] = value
            found.append(copy)
    return found


def test_a_trial_keeps_the_metrics_and_tables_are_their_means(identity_run):
    run, summary = identity_run
    kept = summary["recognition"]
    assert kept["verification"]["accuracy"] == pytest.approx(
        evaluate_open_set(run).metrics["verification"]["accuracy"], abs=1e-5
    )
    assert "folds" not in kept["verification"]
    frame = open_set_frame(
        cells(summary, {"clmle": [0.9, 0.92, 0.94], "softmax": [0.8, 0.9, 0.7], "lmle": [1, 1]})
    )
    table = open_set_table(frame[frame["variant"] != "lmle"])
    assert table.index.to_list() == ["clmle", "softmax"]
    assert table.loc["softmax", "accuracy"] == pytest.approx(0.8)
    assert table.loc["clmle", "spread"] == pytest.approx(0.02)
    comparison = paper_comparison(frame, 2).set_index("paper")
    assert comparison.loc["CLMLE", "published: lfw_acc"] == 99.62
    assert comparison.loc["Softmax", "here"] == "softmax"
    assert len(paper_comparison(frame, 4)) == 2  # of these three Table 4 has CLMLE and LMLE


def test_the_page_states_defeats(identity_run, tmp_path):
    found = cells(identity_run[1], {"clmle": [0.9, 0.91, 0.9], "cosface": [0.95, 0.96, 0.96],
                             "softmax": [0.8, 0.8, 0.8]})  # fmt: skip
    file = tmp_path / "open_set.jsonl"
    for summary in found:
        append_result(file, summary)
    assert len(read_results(file)) == 9
    shown = Page("Recognition")
    page.write(shown, read_study("recognition", file))
    text = shown.markdown()
    assert "`clmle (open-set preset)` is not above every baseline" in text
    assert "difference to the strongest, cosface: −5.3 pp" in text
    assert "the whole 95 % CI is above 0 for 1, below 0 for 1" in text
    assert set(shown.figures) == {"recognition-accuracy.svg", "recognition-rank-one.svg"}
