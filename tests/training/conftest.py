"""Small trained runs, made once for the tests of one file."""

import dataclasses
import warnings

import numpy as np
import pytest

from clmle import create_run, preset_config, train


@pytest.fixture(scope="module")
def digits_run(tmp_path_factory):
    """A run of clmle on images of digits, with clusters and calibrated class offsets."""
    config = preset_config("quick", "clmle", "digits")
    budget = dataclasses.replace(
        config.train, backbone="tiny", iterations=12, pretrain_iterations=4, rounds=1,
        batch_size=120, calibration="balanced-logistic",
    )  # fmt: skip
    run = create_run(
        tmp_path_factory.mktemp("digits"), dataclasses.replace(config, train=budget).to_dict()
    )
    train(run)
    return run


@pytest.fixture(scope="module")
def attributes_run(tmp_path_factory):
    """A run of clmle on two attributes of a table of features."""
    folder = tmp_path_factory.mktemp("features")
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (300, 2))
    features = (rng.normal(size=(300, 8)) + 2 * labels @ rng.normal(size=(2, 8))) * 50 + 7
    split = np.array(["train", "validation", "test"])[np.arange(300) % 3]
    np.savez(
        folder / "people.npz", features=features.astype(np.float32), split=split,
        young=labels[:, 0], tall=labels[:, 1],
    )  # fmt: skip
    config = preset_config("quick", "clmle", str(folder / "people.npz"), "all")
    budget = dataclasses.replace(
        config.train, iterations=12, pretrain_iterations=4, rounds=1, feature_dim=8
    )
    data = dataclasses.replace(config.data, attribute="all")
    run = create_run(folder, dataclasses.replace(config, train=budget, data=data).to_dict())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        train(run)
    return run
