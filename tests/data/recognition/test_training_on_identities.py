"""Training on a long tail of identities from every layout."""

import json
import pickle

import numpy as np
import pytest

from clmle import InputError
from clmle.__main__ import main
from clmle.config import override
from clmle.data import describe, load_dataset
from clmle.data.base import TEST, TRAIN, VALIDATION
from clmle.data.recognition.faces import held_out
from clmle.metrics.classification import classification_metrics
from clmle.presets import preset_config
from clmle.run_folder import create_run
from clmle.samplers.class_balanced import balanced_indices
from clmle.training import evaluate, load_data, train
from clmle.training.embedding_sample import embedding_sample

from .writers import insightface, jpeg, write_records

SIZES = (9, 7, 6, 3, 3, 2, 2, 2, 1, 1, 1, 1)


def faces(size=(16, 16)):
    """Images and labels: a color for each identity."""
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(len(SIZES)), SIZES)
    colors = rng.integers(0, 256, (len(SIZES), 3))
    return [jpeg(tuple(int(v) for v in colors[c]), size) for c in labels], labels.tolist()


@pytest.fixture
def records(tmp_path):
    write_records(tmp_path / "webface", insightface(*faces()))
    return tmp_path / "webface"


@pytest.fixture
def folders(tmp_path):
    for i, (image, label) in enumerate(zip(*faces(), strict=True)):
        folder = tmp_path / "people" / f"{label:07d}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{i:03d}.jpg").write_bytes(image)
    return tmp_path / "people"


def settings_for(method, path):
    config = preset_config("quick", method, str(path), "identity")
    small = {"iterations": 6, "pretrain_iterations": 2, "rounds": 2, "batch_size": 24,
             "backbone": "tiny", "feature_dim": 8, "device": "cpu"}  # fmt: skip
    data = {"image_size": 16, "attribute": "identity"}
    return config.__class__(
        method,
        config.options,
        override(config.data, data, "data"),
        override(config.train, small, "train"),
    )


@pytest.mark.parametrize("method", ["clmle", "clmle-paper", "softmax", "cosface"])
@pytest.mark.filterwarnings("ignore:y_pred contains")
def test_training_from_records_with_identities_of_one_to_three_images(records, tmp_path, method):
    config = settings_for(method, records)
    if method == "clmle-paper":  # M clusters of 20 samples would not fit
        config = config.__class__(
            method,
            override(config.options, {"clusters_per_batch": 6, "samples_per_cluster": 4,
                                        "same_class_clusters": 1}, method),
            config.data,
            config.train,
        )  # fmt: skip
    run = create_run(tmp_path / "runs", config.to_dict())
    result = train(run)
    assert len(result["class_names"]) == len(SIZES)
    assert 0 <= result["test"]["balanced_accuracy"] <= 1
    assert evaluate(run)["n"] == result["test"]["n"] == 3


def test_small_identities_have_one_cluster(records):
    options = settings_for("clmle", records).options
    assert options.min_clusters == 1
    assert preset_config("quick", "clmle", "digits").options.min_clusters > 1


def test_all_layouts_give_equal_identities(records, folders):
    one = load_dataset(str(records), image_size=16)
    two = load_data(settings_for("softmax", folders).data)
    for data in (one, two):
        assert data.targets == ("identity",)
        assert np.bincount(data.labels["identity"]).tolist() == list(SIZES)
    np.testing.assert_array_equal(one.split, two.split)
    np.testing.assert_array_equal(one.images, two.images)
    assert load_data(override(settings_for("softmax", folders).data, {"attribute": ""}, "d")
                     ).targets == ("label",)  # fmt: skip


def test_the_command_line_trains_and_counts(folders, records, capsys):
    budget = ["--iterations", "4", "--pretrain-iterations", "2", "--rounds", "1",
              "--batch-size", "24", "--backbone", "tiny", "--image-size", "16",
              "--device", "cpu"]  # fmt: skip
    path = str(folders)
    assert main(["train", path, "--attribute", "identity", "--method", "softmax", *budget]) == 0
    assert "recall of 0000000" in capsys.readouterr().out
    assert main(["data", str(records), "--image-size", "16"]) == 0
    shown = capsys.readouterr().out
    assert "webface: 38 images of 16 x 16" in shown
    assert "12 identities" in shown
    assert "4 of them (33 %) have 1 image" in shown
    assert main(["data", path, "--attribute", "identity", "--image-size", "16", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    counts = found["targets"]["identity"]["counts"]
    assert found["format"] == "Folder of identities"
    assert len(counts) == len(SIZES)
    assert sum(row["train"] for row in counts.values()) == found["splits"]["train"] == 38 - 6


def test_damaged_records_are_counted_by_the_command_line(records, capsys):
    data = bytearray((records / "train.rec").read_bytes())
    place = data.index(b"\xff\xd8\xff")
    data[place : place + 3] = b"???"
    (records / "train.rec").write_bytes(data)
    with pytest.warns(UserWarning, match="1 of 38 images"):
        assert main(["data", str(records), "--image-size", "16"]) == 0
    assert "1 image cannot be read and is left out" in capsys.readouterr().out


def test_pairs_are_counted_by_the_command_line(tmp_path, capsys):
    images = [jpeg(10 * i) for i in range(8)]
    (tmp_path / "lfw.bin").write_bytes(pickle.dumps((images, [True, False, True, True])))
    assert main(["data", str(tmp_path / "lfw.bin")]) == 0
    shown = capsys.readouterr().out
    assert "lfw: 8 images, 112 x 112 pixels" in shown
    assert "4 pairs in 4 folds, 3 genuine" in shown
    for name, count in (("Ann", 4), ("Bob", 3)):
        (tmp_path / "lfw" / name).mkdir(parents=True)
        for i in range(1, count + 1):
            (tmp_path / "lfw" / name / f"{name}_{i:04d}.jpg").write_bytes(jpeg(20 * i))
    (tmp_path / "lfw" / "pairs.txt").write_text("1\nAnn\t1\t2\nAnn\t1\tBob\t2\n")
    asked = ["data", str(tmp_path / "lfw"), "--attribute", "identity"]
    assert main(asked) == 0
    assert "pairs.txt: 2 pairs in 1 fold, 1 genuine" in capsys.readouterr().out
    (tmp_path / "lfw" / "pairs.txt").write_text("1\nAnn\t1\t2\nAnn\t1\tBob\t9\n")
    assert main(asked) == 2
    assert "line 3 names Bob/Bob_0009" in capsys.readouterr().err


# --- the split ------------------------------------------------------------------------------


def test_a_twentieth_of_the_larger_identities_is_held_out():
    counts = np.array([200, 100, 40, 5, 4, 1])
    split = held_out(np.repeat(np.arange(6), counts), seed=3)
    for part in (VALIDATION, TEST):
        found = np.bincount(np.repeat(np.arange(6), counts)[split == part], minlength=6)
        assert found.tolist() == [10, 5, 2, 1, 0, 0]
    assert (held_out(np.repeat(np.arange(6), counts), seed=3) == split).all()
    assert (held_out(np.repeat(np.arange(6), counts), seed=4) != split).any()


def test_unknown_identities_are_in_no_split():
    identity = np.array([0, 0, 0, -1, 1, 1, 1])
    split = held_out(identity)
    assert split[3] == -1
    assert np.bincount(split + 1).tolist() == [1, 2, 2, 2]
    with pytest.raises(InputError, match="three images"):
        held_out(np.array([-1, -1]))


def test_the_number_of_held_out_identities_is_bounded(monkeypatch):
    monkeypatch.setattr("clmle.data.recognition.faces.SCORES", 1000 * 600)
    split = held_out(np.repeat(np.arange(1000), 6))
    assert (split == VALIDATION).sum() == 600
    assert (split == TRAIN).sum() == 6000 - 1200


# --- many classes ----------------------------------------------------------------------------


def test_class_balanced_batches_match_a_loop_over_all_classes():
    rng = np.random.default_rng(1)
    labels = rng.permutation(np.repeat(np.arange(300), rng.integers(1, 9, 300)))
    found = balanced_indices(labels, 50, np.random.default_rng(7))
    generator = np.random.default_rng(7)
    classes = np.unique(labels)
    drawn = np.resize(generator.permutation(classes), 50)
    rows = np.empty(50, dtype=np.int64)
    for c in classes:  # the reference loop
        here = drawn == c
        rows[here] = generator.choice(np.flatnonzero(labels == c), int(here.sum()))
    np.testing.assert_array_equal(found, rows)


def test_metrics_of_many_classes_have_no_confusion_matrix():
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 150, 400), rng.normal(size=(400, 150))
    scores[np.arange(400), labels] += 2
    found = classification_metrics(labels, scores)
    assert found["confusion"] is None
    assert found["roc_auc"] is None
    assert found["support"] == np.bincount(labels, minlength=150).tolist()
    predicted = scores.argmax(axis=1)
    recalls = [(predicted[labels == c] == c).mean() for c in np.unique(labels)]
    assert found["balanced_accuracy"] == pytest.approx(np.mean(recalls))
    from sklearn.metrics import matthews_corrcoef

    assert found["mcc"] == pytest.approx(matthews_corrcoef(labels, predicted))


def test_the_embedding_sample_of_many_identities_has_several_images_of_some():
    from clmle.data.base import Task

    labels = np.repeat(np.arange(3000), 6)
    part = np.tile([0, 0, 0, 0, 1, 2], 3000)
    rows = [np.flatnonzero(part == p) for p in range(3)]
    task = Task(
        "t", np.zeros((18000, 1, 1, 1), np.uint8), labels, tuple(map(str, range(3000))), *rows
    )
    shown, split = embedding_sample(task, 0)
    assert len(np.unique(labels[shown])) == 100
    assert (np.bincount(labels[shown[split == 0]])[np.unique(labels[shown])] == 4).all()
    assert 0 < len(shown) <= 2400


def test_classes_are_counted_in_one_pass():
    from clmle.data.base import Dataset

    values = np.array([0, 2, 2, -1, 5])
    data = Dataset("d", np.zeros((5, 1, 1, 1), np.uint8), np.array([0, 0, 1, 2, -1], np.int8),
                   {"A": np.array([1, 0, -1, 1, 1])}, {"identity": values})  # fmt: skip
    rows = {(r["target"], r["value"]): (r["train"], r["validation"], r["test"])
            for r in describe(data)}  # fmt: skip
    assert rows[("identity", 2)] == (1, 1, 0)
    assert rows[("identity", 5)] == (0, 0, 0)
    assert rows[("A", 1)] == (1, 0, 1)
    assert rows[("A", -1)] == (0, 1, 0)
