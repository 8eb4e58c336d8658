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
