"""Samplers and the loss in two and three gloo processes, against a single process."""

import json
import os
import subprocess
import sys
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.distributed import processes
from tests.distributed.processes import GROUPS, LABELS, orders, trained_loss

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("balanced", "multi-label", "hard", "cluster")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Folder of the files that all processes wrote."""
    if not torch.distributed.is_available() or not hasattr(os, "fork"):
        pytest.skip("gloo on POSIX")
    folder = tmp_path_factory.mktemp("processes")
    subprocess.run(
        [sys.executable, "-m", processes.__name__, str(folder)],
        check=True, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, timeout=600,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def parts(folder):
    """(number of processes, drop_last) -> what each of them yielded."""
    found = {}
    for size in GROUPS:
        texts = [(folder / f"{size}.{rank}.json").read_text() for rank in range(size)]
        for drop in (False, True):
            found[size, drop] = [json.loads(text)[str(drop)] for text in texts]
    return found


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("size", GROUPS)
def test_processes_divide_the_order_of_one_process(size, drop_last, name, parts, alone):
    for epoch, order in enumerate(alone[name]):
        each = [part[name][epoch] for part in parts[size, drop_last]]
        n = len(order)
        length = n // size if drop_last else -(-n // size)
        assert [len(part) for part in each] == [length] * size
        # Steps of all processes in turn: the order, cut or filled up from its beginning.
        wanted = (order + order)[: length * size]
        if name == "balanced":  # in blocks of the three classes, then one by one
            whole = length // 3 * 3
            blocks = [part[k : k + 3] for k in range(0, whole, 3) for part in each]
            together = [*chain(*blocks), *chain(*zip(*(p[whole:] for p in each), strict=True))]
            assert sorted(together) == sorted(wanted)
            assert together[: 3 * len(blocks)] == wanted[: 3 * len(blocks)]
        else:
            assert list(chain(*zip(*each, strict=True))) == wanted


def test_every_process_has_balanced_blocks(parts):
    for size in GROUPS:
        for part in parts[size, False]:
            samples = part["balanced"][0]
            blocks = LABELS[samples[: len(samples) // 3 * 3]].reshape(-1, 3)
            assert (np.sort(blocks, axis=1) == [0, 1, 2]).all()


@pytest.fixture(scope="module")
def alone():
    """The order of each sampler in a single process."""
    return orders()


@pytest.mark.parametrize("size", GROUPS)
def test_clusters_of_all_processes_are_those_of_one_with_the_union_of_the_batches(size, folder):
    alone = trained_loss(0, 1, kept=size)[0].clusters.state()
    assert alone["counts"][1] > 1  # clustered several times
    assert np.nanmax(alone["0.losses"]) > 0
    for rank in range(size):
        held = np.load(folder / f"{size}.{rank}.npz")
        for name, array in alone.items():
            np.testing.assert_allclose(held[name], array, rtol=1e-5, atol=1e-6, err_msg=name)
