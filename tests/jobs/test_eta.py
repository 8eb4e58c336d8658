"""The estimated duration of a run: that of its steps, without side effects."""

import dataclasses
import time

import pytest
import torch

from clmle import InputError
from clmle.jobs import eta
from clmle.jobs.eta import estimate_run_seconds
from clmle.presets import PRESETS

TINY = dataclasses.replace(PRESETS["reference"], batch_size=32)


def test_the_estimate_is_the_time_of_a_step_times_the_steps(monkeypatch):
    measured = []
    monkeypatch.setattr(
        eta, "_step", lambda network, shape, n, *_, **__: measured.append(n) or 0.01 * n
    )
    train = dataclasses.replace(TINY, iterations=1000)
    found = estimate_run_seconds(train, (40, 40, 3))
    assert found == pytest.approx(eta.START + eta.OVERHEAD * 1000 * 0.32)
    assert measured[0] == eta.FEW
    assert set(measured[1:-1]) == {32}  # a short step is measured as it is
    monkeypatch.setattr(eta, "_step", lambda *_, **__: 1.0)
    slow = estimate_run_seconds(train, (40, 40, 3))
    assert slow == pytest.approx(eta.START + eta.OVERHEAD * 1000 * 32 / eta.FEW)


def test_other_busy_processes_do_not_lengthen_the_estimate(monkeypatch):
    """The wall clock runs a hundred times as fast as the processor time of a thread."""
    wall = time.perf_counter
    monkeypatch.setattr(time, "perf_counter", lambda: 100 * wall())
    train = dataclasses.replace(TINY, iterations=1000, device="cpu")
    busy = estimate_run_seconds(train, (20, 20, 3), threads=1)
    monkeypatch.setattr(time, "perf_counter", time.thread_time)
    assert busy < 10 * estimate_run_seconds(train, (20, 20, 3), threads=1)


@pytest.mark.parametrize("heads", [None, 3])
def test_the_estimate_leaves_random_state_and_threads_unchanged(heads):
    torch.manual_seed(3)
    wanted = torch.rand(4)
    torch.manual_seed(3)
    threads = torch.get_num_threads()
    assert estimate_run_seconds(TINY, (20, 20, 3), heads, threads=1) > eta.START
    assert torch.equal(torch.rand(4), wanted)
    assert torch.get_num_threads() == threads


def test_an_unknown_backbone_is_an_error():
    with pytest.raises(InputError, match="no backbone"):
        estimate_run_seconds(dataclasses.replace(TINY, backbone="huge"), (40, 40, 3))
