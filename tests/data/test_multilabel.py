"""Several attributes as one task: masks, and attributes that cannot be trained."""

import numpy as np
import pytest

from clmle import InputError
from clmle.data.base import Dataset
from clmle.data.multilabel import multi_task


def dataset(**attributes):
    n = 12
    images = np.zeros((n, 8, 8, 1), dtype=np.uint8)
    split = np.repeat([0, 1, 2], [6, 3, 3]).astype(np.int8)
    values = {k: np.array(v, dtype=np.int8) for k, v in attributes.items()}
    return Dataset("toy", images, split, values)


HALF = [0, 1] * 6


def test_labels_keep_their_order_and_unknown_values():
    some = [1, 0, -1, 0, 1, 1, -1, 0, 1, 0, 1, -1]
    task = multi_task(dataset(a=HALF, b=some))
    assert task.attributes == ("a", "b")
    np.testing.assert_array_equal(task.labels, np.column_stack([HALF, some]))
    assert task.class_counts().tolist() == [[3, 3], [2, 3]]
    single = task.tasks[1]
    assert single.train.tolist() == [0, 1, 3, 4, 5]
    assert single.class_names == ("not b", "b")
    assert multi_task(dataset(a=HALF, b=some), ["b"]).attributes == ("b",)


def test_an_image_without_any_known_label_is_in_no_split():
    unknown = [-1, *HALF[1:]]
    assert 0 not in multi_task(dataset(a=unknown, b=unknown)).train
    assert 0 in multi_task(dataset(a=unknown, b=HALF)).train


def test_attributes_with_a_single_class_are_named_and_left_out():
    never, always = [0] * 6 + [1] * 6, [1] * 12
    unjudged = [0, 1, 0, 1, 0, 1] + [-1] * 3 + [0, 1, 0]
    task = multi_task(dataset(a=HALF, never=never, always=always, unjudged=unjudged))
    assert task.attributes == ("a",)
    assert task.left_out == ("never", "always", "unjudged")
    with pytest.raises(InputError, match="No attribute of toy"):
        multi_task(dataset(never=never, always=always))


def test_an_error_names_unknown_attributes():
    with pytest.raises(InputError, match="no attribute 'Wings'; choose among: a"):
        multi_task(dataset(a=HALF), ["Wings"])
    with pytest.raises(InputError, match="no binary attributes"):
        multi_task(dataset())
