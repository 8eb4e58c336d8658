"""The pretend GPU refuses and counts what a real one would."""

import numpy as np
import pytest
import torch

from tests.gpu.pretend import MixedDevices, on_gpu, pretend_gpu

REFUSED = {
    "a sum of both devices": lambda x: x + torch.ones(3),
    "an array": lambda x: x.numpy(),
    "an array by numpy": np.asarray,
    "a CPU tensor indexed on the GPU": lambda x: torch.arange(9)[x.long()],
    "a generator of the CPU": lambda x: torch.rand(
        3, device="cuda", generator=torch.Generator().manual_seed(0)
    ),
}
COUNTED = {
    "a number": lambda x: float(x[0]),
    "a condition": lambda x: bool((x > 0).any()),
    "a list": lambda x: x.tolist(),
    "a mask": lambda x: x[x > 0],
    "an index from the CPU": lambda x: x[torch.tensor([0, 1])],
    "a copy to the CPU": lambda x: x.cpu(),
    "a blocking copy": lambda x: torch.ones(3).to("cuda"),
    "a copy of memory that is not pinned": lambda x: torch.ones(3).to("cuda", non_blocking=True),
    "an array on the GPU": lambda x: torch.as_tensor(np.ones(3), device="cuda"),
}
FREE = {
    "arithmetic": lambda x: (x * 2 + torch.tensor(1.0)).sum(),
    "a pinned copy": lambda x: torch.ones(3).pin_memory().to("cuda", non_blocking=True),
    "a new tensor": lambda x: torch.zeros(3, device=x.device) + x,
    "indices on the GPU": lambda x: x[torch.zeros(2, dtype=torch.int64, device="cuda")],
}


@pytest.mark.parametrize("name", REFUSED)
def test_mixing_devices_is_refused(name):
    with pretend_gpu():
        x = torch.arange(3.0).to("cuda")
        with pytest.raises(MixedDevices, match=r"test_pretend\.py"):
            REFUSED[name](x)


@pytest.mark.parametrize("name", COUNTED)
def test_a_wait_of_the_host_is_counted_once(name):
    with pretend_gpu() as gpu:
        x = torch.arange(3.0, device="cuda")
        gpu.waits.clear()
        COUNTED[name](x)
        assert sum(gpu.waits.values()) == 1, gpu.waits


@pytest.mark.parametrize("name", FREE)
def test_queued_work_is_not_a_wait(name):
    with pretend_gpu() as gpu:
        x = torch.arange(3.0, device="cuda")
        gpu.waits.clear()
        assert on_gpu(FREE[name](x))
        assert not gpu.waits


def test_sums_in_an_arbitrary_order_are_recorded():
    with pretend_gpu() as gpu:
        x, index = torch.ones(3, device="cuda"), torch.zeros(3, dtype=torch.int64, device="cuda")
        x.index_add(0, index, x).cumsum(0)
        assert [name for name, _ in gpu.unordered] == ["index_add", "cumsum"]
        gpu.unordered.clear()
        x.scatter_reduce(0, index, x, "amax").index_put_((index,), x, accumulate=True)
        index.index_add(0, index, index).cumsum(0)
        assert not gpu.unordered


def test_gradients_lie_on_the_gpu():
    with pretend_gpu():
        layer = torch.nn.Linear(3, 1).to("cuda")
        layer(torch.ones(2, 3, device="cuda")).sum().backward()
        assert layer.weight.grad.device.type == "cuda"
    assert torch.ones(1).device.type == "cpu"


def test_a_gpu_without_float64_refuses_it():
    with pretend_gpu("mps"):
        x = torch.ones(3, device="mps")
        assert x.cpu().double().sum() == 3
        with pytest.raises(MixedDevices, match="float64"):
            x.double()
