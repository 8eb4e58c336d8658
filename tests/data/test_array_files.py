"""Files .npz of images and labels, against the arrays they were made of."""

import numpy as np
import pytest

from clmle import InputError
from clmle.__main__ import main
from clmle.data import load_dataset
from tests.data.made_images import pictures

RNG = np.random.default_rng(0)


def medmnist(channels=3, labels=1, n=(40, 12, 20)):
    arrays = {}
    for split, count in zip(("train", "val", "test"), n, strict=True):
        shape = (count, 28, 28, 3) if channels == 3 else (count, 28, 28)
        arrays[f"{split}_images"] = RNG.integers(0, 256, shape, dtype=np.uint8)
        found = RNG.integers(0, 2 if labels > 1 else 4, (count, labels), dtype=np.uint8)
        found[:4, 0] = [0, 1, 0, 1] if labels > 1 else range(4)
        arrays[f"{split}_labels"] = found
    return arrays


@pytest.mark.parametrize("channels", [1, 3])
def test_medmnist_files_have_their_splits_images_and_labels(tmp_path, channels):
    arrays = medmnist(channels)
    np.savez_compressed(tmp_path / "toymnist.npz", **arrays)
    dataset = load_dataset(str(tmp_path / "toymnist.npz"), image_size=28)
    for kind, split in enumerate(("train", "val", "test")):
        rows = dataset.split == kind
        pixels = arrays[f"{split}_images"].reshape(-1, 28, 28, channels)
        assert (dataset.images[rows] == pixels).all()
        assert (dataset.labels["label"][rows] == arrays[f"{split}_labels"][:, 0]).all()
    assert main(["data", str(tmp_path / "toymnist.npz")]) == 0


def test_several_labels_of_an_image_are_attributes(tmp_path):
    arrays = medmnist(1, 14)
    np.savez(tmp_path / "chest.npz", **arrays)
    dataset = load_dataset(str(tmp_path / "chest.npz"))
    assert len(dataset.attributes) == 14
    expected = np.concatenate([arrays[f"{s}_labels"][:, 3] for s in ("train", "val", "test")])
    assert (dataset.attributes["label_3"] == expected).all()


@pytest.mark.parametrize(
    ("image", "label"),
    [("images", "labels"), ("x", "y"), ("X", "targets"), ("arr_0", "arr_1"), ("data", "target")],
)
def test_pairs_of_images_and_labels_have_any_usual_name(tmp_path, image, label):
    pixels, classes = pictures(30, 28), np.arange(30) % 3
    np.savez(tmp_path / "a.npz", **{image: pixels, label: classes})
    dataset = load_dataset(str(tmp_path / "a.npz"))
    assert (dataset.images == pixels).all()
    assert (dataset.labels[dataset.targets[0]] == classes).all()


@pytest.mark.parametrize(
    "convert",
    [lambda p: p / 255, lambda p: (p / 255).astype(np.float32), lambda p: p.astype(np.int64),
     lambda p: p.astype(np.float64), lambda p: p.transpose(0, 3, 1, 2)],
)  # fmt: skip
def test_pixels_of_other_types_and_layouts_are_the_same_pixels(tmp_path, convert):
    pixels = pictures(12, 28)
    np.savez(tmp_path / "a.npz", x_train=convert(pixels), y_train=np.arange(12) % 2)
    assert (load_dataset(str(tmp_path / "a.npz")).images == pixels).all()


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"images": np.zeros((4, 28, 28)) - 1.5, "labels": np.arange(4)}, "before they are norm"),
        ({"images": np.full((4, 28, 28), np.nan), "labels": np.arange(4)}, "must be 0 to 255"),
        ({"images": np.zeros((4, 28, 28), np.uint8), "labels": np.arange(5)}, "5 rows in labels"),
        ({"images": np.zeros((4, 28, 28), np.uint8)}, "no labels"),
        ({"images": np.zeros((4, 8, 28, 28), np.uint8), "labels": np.arange(4)}, "volumes"),
        ({"a": np.zeros((4, 8, 8), np.uint8), "b": np.zeros((4, 8, 8), np.uint8)}, "several arr"),
        ({"images": np.zeros((4, 8, 8), np.uint8), "labels": np.eye(4) * 7}, "other values"),
    ],
)
def test_arrays_that_are_no_images_with_labels_are_refused(tmp_path, arrays, sentence):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(InputError, match=sentence):
        load_dataset(str(tmp_path / "a.npz"))


def test_names_of_classes_and_rows_of_a_single_one_are_read(tmp_path):
    classes = np.arange(30) % 3
    names = np.array(["red", "green", "blue"])
    np.savez(tmp_path / "a.npz", images=pictures(30), labels=np.eye(3)[classes], class_names=names)
    dataset = load_dataset(str(tmp_path / "a.npz"))
    assert dataset.class_names["label"] == ("red", "green", "blue")
    assert (dataset.labels["label"] == classes).all()
