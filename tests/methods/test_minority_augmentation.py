"""Minority augmentation changes a fraction of the images of rare classes, and no others."""

import numpy as np
import pytest
import torch

from clmle import InputError
from clmle.data.base import Task
from clmle.methods import Batch, get_method
from clmle.training.prepare import config_from_dict

KIND = get_method("minority-augmentation")


def method(**options):
    labels = np.repeat([0, 1], [90, 10])
    rows = np.arange(100)
    images = np.zeros((100, 8, 8, 1), dtype=np.uint8)
    task = Task("toy", images, labels, ("a", "b"), rows, rows, rows)
    return KIND(KIND.Options(**options), task, 40, 0)


def changed(made, step):
    batch = Batch(np.arange(100))
    before = torch.zeros(100, 1, 8, 8)
    after = made.augment(before, batch, step)
    assert (before == 0).all()
    return (after != before).flatten(1).any(dim=1).numpy()


def test_only_minority_images_are_changed_about_half_of_the_time():
    made = method()
    counts = np.mean([changed(made, step) for step in range(200)], axis=0)
    assert (counts[:90] == 0).all()
    np.testing.assert_allclose(counts[90:], 0.5, atol=0.15)


def test_the_given_fraction_is_augmented_and_a_step_repeats_itself():
    assert changed(method(augmented_fraction=1.0), 0)[90:].all()
    assert not changed(method(augmented_fraction=0.0), 0).any()
    np.testing.assert_array_equal(changed(method(), 3), changed(method(), 3))
    with pytest.raises(InputError, match=r"augmented_fraction is 1\.5"):
        config_from_dict(
            {"method": "minority-augmentation", "options": {"augmented_fraction": 1.5}}
        )
