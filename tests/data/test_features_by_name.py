"""Features that are computed once: found in the cache, else one sentence with the command."""

import numpy as np
import pandas as pd
import pytest

from clmle import InputError
from clmle.data import dataset_info, load_dataset


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("CLMLE_CACHE", str(tmp_path))
    return tmp_path


def test_without_the_file_the_command_that_computes_it_is_named(cache):
    assert dataset_info("cifar10-features").needs_download
    command = "clmle features cifar10 --backbone efficientnet-lite0 --image-size 112 --out"
    with pytest.raises(InputError, match=command):
        load_dataset("cifar10-features")


def test_the_file_in_the_cache_is_the_data_set(cache):
    features = np.random.default_rng(0).normal(size=(30, 5)).astype(np.float32)
    np.save(cache / "cifar10-features.npy", features)
    splits = np.repeat(["train", "validation", "test"], 10)
    names = np.tile(["bird", "ship"], 15)
    pd.DataFrame({"split": splits, "label": names}).to_csv(
        cache / "cifar10-features.csv", index=False
    )
    info = dataset_info("cifar10-features")
    assert not info.needs_download
    assert info.feature_dim("") == 5
    dataset = load_dataset("cifar10-features")
    assert np.array_equal(np.asarray(dataset.images), features)
    assert dataset.task("label").class_counts().tolist() == [5, 5]


def lfw(cache, names, column="identity"):
    """Features, equal to the number of the row, of photographs with these identities."""
    np.save(cache / "lfw-identities-features.npy", np.arange(len(names), dtype=np.float32)[:, None])
    frame = pd.DataFrame({"split": "train", column: names})
    frame.to_csv(cache / "lfw-identities-features.csv", index=False)


def test_identities_with_ten_photographs_are_classes_with_a_split_of_each_seed(cache):
    rng = np.random.default_rng(0)
    names = rng.permutation(["Ann"] * 10 + ["Bob"] * 9 + ["Cem"] * 40 + [""] * 12)
    lfw(cache, names)
    found = [load_dataset("lfw-identities-features", seed=s) for s in (0, 1)]
    for dataset in found:
        expected = names[np.asarray(dataset.images)[:, 0].astype(int)] == "Cem"
        labels, classes = dataset.values_of("label")
        assert tuple(classes) == ("Ann", "Cem")  # neither nine photographs nor no name
        assert np.array_equal(labels, expected)
        # 7, 1 and 2 of 10, and 28, 4 and 8 of 40.
        assert [np.bincount(expected[dataset.split == s]).tolist() for s in range(3)] == [
            [7, 28], [1, 4], [2, 8],
        ]  # fmt: skip
    assert not np.array_equal(found[0].split, found[1].split)


@pytest.mark.parametrize(
    ("names", "column", "sentence"),
    [(["Ann"] * 9, "identity", "no identity with 10 photographs"),
     (["Ann"] * 12, "face", "has no column identity")],
)  # fmt: skip
def test_a_file_without_frequent_identities_is_refused(cache, names, column, sentence):
    lfw(cache, names, column)
    with pytest.raises(InputError, match=sentence):
        load_dataset("lfw-identities-features")
