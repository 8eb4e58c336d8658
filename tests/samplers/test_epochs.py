"""Samplers of a DataLoader: parts of an order, epochs, resume, and balanced classes."""

import json
from itertools import islice

import numpy as np
import pytest
from torch.utils.data import DataLoader
from torch.utils.data.distributed import DistributedSampler
from torchdata.stateful_dataloader import StatefulDataLoader

from clmle import ClassBalancedSampler, InputError
from clmle.samplers.epochs import part_of
from tests.distributed.processes import LABELS, orders, samplers

NAMES = ("balanced", "multi-label", "hard", "cluster")


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_parts_of_an_order_are_those_of_the_distributed_sampler(size, drop_last):
    for n in (2, 6, 7, 11, 30):
        order = np.random.default_rng(n).permutation(n)
        for rank in range(size):
            theirs = DistributedSampler(order, size, rank, shuffle=False, drop_last=drop_last)
            ours = part_of(order, rank, size, drop_last)
            assert ours.tolist() == order[list(theirs)].tolist()


def test_blocks_of_an_order_stay_whole():
    order = np.arange(22)
    parts = [part_of(order, rank, 2, block=4).tolist() for rank in range(2)]
    assert parts[0] == [0, 1, 2, 3, 8, 9, 10, 11, 16, 18, 20]
    assert parts[1] == [4, 5, 6, 7, 12, 13, 14, 15, 17, 19, 21]


def test_processes_outside_of_torch_distributed_are_given_by_their_numbers(alone):
    each = [ClassBalancedSampler(LABELS, 91, seed=3, num_replicas=2, rank=r) for r in range(2)]
    assert [len(sampler) for sampler in each] == [46, 46]
    assert {*each[0], *each[1]} == {*alone["balanced"][0]}


@pytest.fixture(scope="module")
def alone():
    """The order of each sampler in a single process."""
    return orders()


def test_epochs_differ_and_are_repeatable(alone):
    assert orders() == alone
    for name in NAMES:
        assert alone[name][0] != alone[name][1]
        sampler, _ = samplers()[name]
        assert [list(sampler), list(sampler)] == alone[name]  # without set_epoch


def test_an_abandoned_epoch_starts_again(alone):
    sampler, _ = samplers()["hard"]
    next(iter(sampler))
    assert list(sampler) == alone["hard"][0]


@pytest.mark.parametrize("name", NAMES)
def test_a_sampler_continues_in_the_middle_of_an_epoch(name, alone):
    sampler, _ = samplers()[name]
    list(sampler)
    list(islice(sampler, 3))
    other, _ = samplers()[name]
    other.load_state_dict(json.loads(json.dumps(sampler.state_dict())))
    other.set_epoch(1)  # as a loop does at the start of each epoch
    assert list(other) == alone[name][1][3:]
    assert other.state_dict() == {"epoch": 2, "yielded": 0}


@pytest.mark.parametrize("name", NAMES)
def test_the_stateful_loader_continues_in_the_middle_of_an_epoch(name):
    def loader():
        sampler, batches = samplers()[name]
        how = {"batch_sampler": sampler} if batches else {"sampler": sampler, "batch_size": 8}
        return StatefulDataLoader(range(len(LABELS)), **how)

    def read(batches):
        return [batch.tolist() for batch in batches]

    first = loader()
    wanted = read(first), read(first)
    second = loader()
    read(second)
    read(islice(second, 3))
    third = loader()
    third.load_state_dict(second.state_dict())
    assert read(third) == wanted[1][3:]
    at_end = loader()
    read(islice(at_end, len(at_end)))
    fourth = loader()
    fourth.load_state_dict(at_end.state_dict())
    assert [b for _ in range(2) for b in read(fourth)][: len(wanted[1])] == wanted[1]


# --- class balance ------------------------------------------------------------------------


@pytest.mark.parametrize("n_classes", [2, 5])
def test_batches_are_balanced_and_a_class_is_passed_through_before_it_repeats(n_classes):
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(n_classes), 7) ** 2)
    labels = np.concatenate([labels, np.zeros(40, dtype=int)])
    drawn = np.array(list(ClassBalancedSampler(labels, 30 * n_classes)))
    blocks = np.sort(labels[drawn].reshape(-1, n_classes), axis=1)
    assert (blocks == np.unique(labels)).all()
    for c in np.unique(labels):
        members, own = np.flatnonzero(labels == c), drawn[labels[drawn] == c]
        for start in range(0, len(own), len(members)):
            part = own[start : start + len(members)]
            assert len(set(part)) == len(part)


def test_classes_may_be_words_and_batches_come_from_a_loader():
    words = np.repeat(["cat", "dog"], [50, 6])
    loader = DataLoader(words.tolist(), batch_size=8, sampler=ClassBalancedSampler(words))
    assert [sorted(batch) for batch in loader] == [["cat"] * 4 + ["dog"] * 4] * 7


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"labels": [[[1]]]}, "labels must be"),
        ({"labels": [0.0, np.nan]}, "labels contain NaN"),
        ({"labels": [0, 1], "positive_rate": 0.5}, "positive_rate is for labels"),
        ({"labels": [0, 1], "num_samples": 0}, "num_samples is 0"),
        ({"labels": [0, 1], "seed": -1}, "seed is -1"),
        ({"labels": [0, 1], "rank": 2, "num_replicas": 2}, "rank is 2, but must be below"),
        ({"labels": [[0, 2]]}, r"labels \(1, 2\) must be"),
        ({"labels": [[0, 1]], "positive_rate": 1}, "positive_rate is 1"),
        ({"labels": [[0, 1]], "max_repeats": 1}, "max_repeats is 1"),
    ],
)
def test_errors_name_the_bad_argument(options, message):
    with pytest.raises(InputError, match=f"^{message}"):
        ClassBalancedSampler(**options)


def test_a_state_of_another_object_is_refused():
    with pytest.raises(InputError, match=r"^epoch is None"):
        ClassBalancedSampler(LABELS).load_state_dict({"samples_yielded": 3})
