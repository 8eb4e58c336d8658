"""Data sets of other libraries become data sets with the same images, classes and splits."""

import numpy as np
import pytest
import torch
from PIL import Image

from clmle import InputError
from clmle.data import from_huggingface, from_torchvision
from tests.data.made_images import pictures


class Pairs(list):
    """As a torchvision data set: indexable pairs with ``classes``."""

    classes = ("cat", "dog", "emu")


@pytest.mark.parametrize(
    "convert",
    [Image.fromarray, lambda p: p, lambda p: p / 255,
     lambda p: torch.from_numpy(p).permute(2, 0, 1) / 255],
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


class ImageFolder:
    """The attributes and items that torchvision publishes for its class of this name."""

    def __init__(self, root, transform=None, target_transform=None):
        self.classes = sorted(folder.name for folder in root.iterdir())
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}
        self.samples = self.imgs = [
            (str(file), i) for name, i in self.class_to_idx.items()
            for file in sorted((root / name).iterdir())
        ]  # fmt: skip
        self.targets = [target for _, target in self.samples]
        self.transform, self.target_transform = transform, target_transform

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        path, target = self.samples[index]
        image = Image.open(path).convert("RGB")
        return image if self.transform is None else self.transform(image), target


class CIFAR10(ImageFolder):
    """The same with ``data`` in memory."""

    def __init__(self, data, targets, classes, transform=None):
        self.data, self.targets, self.classes, self.transform = data, targets, classes, transform

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        image = Image.fromarray(self.data[index])
        image = image if self.transform is None else self.transform(image)
        return image, self.targets[index]


@pytest.mark.parametrize("transform", [None, lambda image: np.asarray(image) / 255])
def test_torchvision_data_sets_and_their_subsets(transform, tmp_path):
    pixels, names = pictures(30), ["cat", "dog", "emu"]
    for i, image in enumerate(pixels):
        file = tmp_path / names[i // 10] / f"{i:02d}.png"
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(image).save(file)
    targets = [i // 10 for i in range(30)]
    for source in (ImageFolder(tmp_path, transform), CIFAR10(pixels, targets, names, transform)):
        dataset = from_torchvision(source, image_size=16)
        assert dataset.name == type(source).__name__
        assert (dataset.images == pixels).all()
        assert dataset.labels["label"].tolist() == targets
        rows = [2, 28, 11, 3, 4, 21, 22, 12, 19]
        parts = [torch.utils.data.Subset(source, rows[i::3]) for i in range(3)]
        divided = from_torchvision(*parts, image_size=16)
        assert divided.class_names["label"] == tuple(names)
        order = rows[0::3] + rows[1::3] + rows[2::3]
        assert (divided.images == pixels[order]).all()
        assert divided.split.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]


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
