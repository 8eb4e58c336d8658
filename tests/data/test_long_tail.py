"""Published long tails, merged classes and drawn validation images."""

import numpy as np
import pytest

from clmle import InputError
from clmle.config import DataConfig
from clmle.data import (
    Dataset,
    imbalance,
    imbalanced_counts,
    index_checksum,
    long_tail_counts,
    long_tail_indices,
)
from clmle.training.prepare import make_task

NAMES = tuple("abcdef")


def published(targets, n_classes, kind, factor):
    """The selection as in the code of Cao et al. (2019), with its global generator."""
    np.random.seed(0)
    img_max = len(targets) / n_classes
    if kind == "exp":
        sizes = [int(img_max * factor ** (i / (n_classes - 1.0))) for i in range(n_classes)]
    else:
        half = n_classes // 2
        sizes = [int(img_max)] * half + [int(img_max * factor)] * half
    selected = []
    for c, size in enumerate(sizes):
        idx = np.where(targets == c)[0]
        np.random.shuffle(idx)
        selected.append(idx[:size])
    return np.concatenate(selected)


@pytest.mark.parametrize(("n_classes", "each"), [(10, 5000), (100, 500)])
@pytest.mark.parametrize("factor", [0.1, 0.05, 0.02, 0.01, 0.005])
@pytest.mark.parametrize(("theirs", "ours"), [("exp", "long-tail"), ("step", "long-tail-step")])
def test_indices_are_those_of_the_published_code(n_classes, each, factor, theirs, ours):
    targets = np.random.default_rng(7).permutation(np.repeat(np.arange(n_classes), each))
    expected = published(targets, n_classes, theirs, factor)
    found = long_tail_indices(targets, 1 / factor, ours)
    assert (found == expected).all()
    assert index_checksum(found) == index_checksum(np.sort(expected)[::-1])


@pytest.mark.parametrize(
    ("n_classes", "ratio", "total"),
    [(10, 10, 20431), (10, 50, 13996), (10, 100, 12406),
     (100, 10, 19573), (100, 50, 12608), (100, 100, 10847)],
)  # fmt: skip
def test_totals_are_the_published_ones(n_classes, ratio, total):
    assert long_tail_counts(50_000 // n_classes, n_classes, ratio).sum() == total


def toy(n=6000, classes=6, published=False):
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(classes), n // classes))
    split = np.zeros(n, dtype=np.int8)
    for c in range(classes):
        split[np.flatnonzero(labels == c)[:200]] = np.repeat([1, 2], 100)
    known = {"published_split": np.where(split == 1, 0, split)} if published else {}
    return Dataset(
        "toy", np.zeros((n, 8, 8, 1), np.uint8), split, labels={"label": labels},
        class_names={"label": NAMES[:classes]},
        metadata=known,
    )  # fmt: skip


def counts(task):
    return [task.class_counts(s).tolist() for s in ("train", "validation", "test")]


def test_the_long_tail_of_a_config_is_the_same_for_every_seed():
    data = DataConfig("toy", imbalance="long-tail", ratio=100)
    first, second = (make_task(toy(), data, seed) for seed in (0, 5))
    rows = toy().task().train
    expected = rows[long_tail_indices(toy().labels["label"][rows], 100)]
    assert index_checksum(first.train) == index_checksum(expected)
    assert (first.train == second.train).all()
    assert first.class_counts().tolist() == long_tail_counts(800, 6, 100).tolist()
    assert imbalanced_counts([800] * 6, "long-tail", 100).tolist() == counts(first)[0]


def test_the_published_long_tail_has_all_published_training_images_to_draw_from():
    """Where validation images were drawn from them, validation images are test images instead."""
    dataset = toy(published=True)
    task = make_task(dataset, DataConfig("toy", imbalance="long-tail", ratio=100))
    rows = np.flatnonzero(dataset.metadata["published_split"] == 0)
    expected = rows[long_tail_indices(dataset.labels["label"][rows], 100)]
    assert index_checksum(task.train) == index_checksum(expected)
    assert counts(task)[1:] == [[50] * 6, [50] * 6]


def test_a_long_tail_that_the_classes_cannot_have_is_refused():
    with pytest.raises(InputError, match="class number 0 900"):
        imbalanced_counts([800, 900], "long-tail", 10)
    with pytest.raises(InputError, match="at most 80"):
        long_tail_counts(80, 4, 100)
    with pytest.raises(InputError, match="ratio is"):
        imbalance(toy().task(), "long-tail", 0.5)


def test_a_merged_class_of_zero_images_is_in_the_test_split_alone():
    data = DataConfig(
        "toy", imbalance="given", counts="a=0;b=20", merge="x=a+b", validation="imbalanced"
    )
    task = make_task(toy(), data, 0)
    hidden, names = task.subpopulations
    unseen = names.index("a")
    assert (hidden[task.test] == unseen).sum() == 100
    assert not np.isin(unseen, hidden[np.concatenate([task.train, task.validation])])
    assert task.class_counts()[0] == 20


def test_merged_classes_are_sub_populations_with_their_own_counts():
    data = DataConfig(
        "toy", imbalance="given", counts="a=10; f=3", merge="x=a+b;y = e + f"
    )  # fmt: skip
    task = make_task(toy(), data)
    assert task.class_names == ("x", "c", "d", "y")
    assert task.class_counts().tolist() == [810, 800, 800, 803]
    hidden, names = task.subpopulations
    assert np.bincount(hidden[task.train]).tolist() == [10, 800, 800, 800, 800, 3]
    assert names == NAMES


@pytest.mark.parametrize("size", [6, 300, 601])
@pytest.mark.parametrize("kind", ["balanced", "imbalanced"])
def test_drawn_validation_has_the_size_and_the_classes_asked_for(kind, size):
    data = DataConfig(
        "toy", imbalance="step", ratio=50, validation=kind, validation_size=size
    )  # fmt: skip
    task = make_task(toy(), data)
    train, validation, test = (np.array(c) for c in counts(task))
    assert validation.sum() == size
    assert (validation >= 1).all()
    assert test.tolist() == [100] * 6
    parts = [set(task.train), set(task.validation), set(task.test)]
    assert sum(map(len, parts)) == len(set.union(*parts))
    whole = train + (validation if kind == "imbalanced" else 0)
    if kind == "balanced":
        assert validation.max() - validation.min() <= 1
    elif size > 100:
        assert validation.max() / validation.min() == pytest.approx(whole.max() / 18, rel=0.4)
    # Small classes keep all their training images: validation has others.
    assert train.min() == 18


def test_drawn_validation_of_no_size_has_as_many_images_as_before():
    assert len(make_task(toy(), DataConfig("toy", validation="balanced")).validation) == 600


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"counts": "a=1"}, "belong together"),
        ({"imbalance": "given"}, "belong together"),
        ({"imbalance": "given", "counts": "z=1"}, "'z', which is no class of toy"),
        ({"imbalance": "given", "counts": "a=900"}, "it has 0 to 800"),
        ({"imbalance": "given", "counts": "a=0"}, "merge it with other classes"),
        ({"imbalance": "given", "counts": "a=0;b=0", "merge": "x=a+b"}, "no training image"),
        ({"imbalance": "given", "counts": "a"}, "must look like"),
        ({"merge": "x=a+a"}, "'a' twice"),
        ({"merge": "c=a+b"}, "there is one of that name"),
        ({"merge": "x=a+b+c+d+e+f"}, "single class"),
        ({"validation": "balanced", "validation_size": 5}, "at least one image for each"),
        ({"validation": "balanced", "validation_size": 6000}, "choose a smaller"),
        ({"validation_size": 30}, "set validation to balanced"),
    ],
)
def test_mistakes_are_named(options, sentence):
    with pytest.raises(InputError, match=sentence):
        make_task(toy(), DataConfig("toy", **options))
