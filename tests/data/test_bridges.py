"""Data sets of other libraries become data sets with the same images, classes and splits."""

import numpy as np
import pytest
from PIL import Image

from clmle import InputError
from clmle.data import from_huggingface, from_torchvision
from tests.data.test_formats import pictures


class Pairs(list):
    """As a torchvision data set: indexable pairs with ``classes``."""

    classes = ("cat", "dog", "emu")


@pytest.mark.parametrize(
    "convert",
    [Image.fromarray, lambda p: p, lambda p: p / 255,
     lambda p: pytest.importorskip("torch").from_numpy(p).permute(2, 0, 1) / 255],
)  # fmt: skip
def test_pairs_of_image_and_target(convert):
    pixels, target = pictures(30), np.arange(30) % 3
    pairs = Pairs((convert(p), int(t)) for p, t in zip(pixels, target, strict=True))
    dataset = from_torchvision(pairs, name="pets", image_size=16)
    assert dataset.class_names["label"] == ("cat", "dog", "emu")
    assert (dataset.images == pixels).all()
    assert (dataset.labels["label"] == target).all()
    divided = from_torchvision(pairs, pairs[:6], pairs[:9], image_size=16)
    assert np.bincount(divided.split).tolist() == [30, 6, 9]


def test_targets_of_several_attributes_have_their_names():
    pairs = Pairs((p, np.array([i % 2, i % 3 == 0])) for i, p in enumerate(pictures(20)))
    pairs.attr_names = ["Smiling", "Bald", ""]
    dataset = from_torchvision(pairs, image_size=16)
    assert tuple(dataset.attributes) == ("Smiling", "Bald")
    assert dataset.attributes["Bald"].tolist() == [int(i % 3 == 0) for i in range(20)]


@pytest.mark.parametrize(
    ("pairs", "sentence"),
    [
        ([np.zeros((8, 8, 3))], "no pair"),
        ([(np.zeros((8, 8, 3)) - 1, 0)], "before they are normalized"),
        ([(np.zeros((8, 8, 3)), 0.5)], "class numbers"),
        ([(np.zeros((8, 8, 3)), [3, 4])], "must be 0 and 1"),
        (Pairs([(np.zeros((8, 8, 3)), 3)]), "there are 3 classes"),
        ([], "empty"),
    ],
)
def test_other_items_are_refused(pairs, sentence):
    with pytest.raises(InputError, match=sentence):
        from_torchvision(pairs, image_size=8)


def test_a_torchvision_data_set():
    datasets = pytest.importorskip("torchvision.datasets")
    fake = datasets.FakeData(24, (3, 16, 16), 3)
    dataset = from_torchvision(fake, image_size=16)
    assert (dataset.images[5] == np.asarray(fake[5][0])).all()
    assert dataset.labels["label"].tolist() == [int(fake[i][1]) for i in range(24)]


def test_a_hugging_face_data_set():
    datasets = pytest.importorskip("datasets")
    features = datasets.Features(
        image=datasets.Image(), label=datasets.ClassLabel(names=["zebra", "ant"]),
        smiling=datasets.Value("bool"),
    )  # fmt: skip
    pixels = pictures(40)
    rows = {
        "image": [Image.fromarray(p) for p in pixels], "label": [i % 2 for i in range(40)],
        "smiling": [i % 3 == 0 for i in range(40)],
    }  # fmt: skip
    one = datasets.Dataset.from_dict(rows, features=features)
    dataset = from_huggingface(one, image_size=16)
    assert (dataset.images == pixels).all()
    assert dataset.class_names["label"] == ("zebra", "ant")
    assert dataset.labels["label"].tolist() == rows["label"]
    assert dataset.attributes["smiling"].tolist() == list(map(int, rows["smiling"]))
    ranges = {"train": (0, 20), "validation": (20, 30), "test": (30, 40)}
    parts = datasets.DatasetDict({name: one.select(range(*ends)) for name, ends in ranges.items()})
    divided = from_huggingface(parts, image_size=16)
    assert np.bincount(divided.split).tolist() == [20, 10, 10]
    with pytest.raises(InputError, match="splits other are not known"):
        from_huggingface(datasets.DatasetDict(train=one, other=one))


def test_other_objects_are_refused():
    with pytest.raises(InputError, match="A list is no data set"):
        from_huggingface([1, 2])
