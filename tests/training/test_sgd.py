"""SGD against that of PyTorch, bit by bit."""

import subprocess
import sys

import pytest
import torch

from clmle.training.sgd import SGD


def _parameters():
    torch.manual_seed(0)
    return [
        torch.nn.Parameter(torch.randn(3, 4)),
        torch.nn.Parameter(torch.randn(8, 3, 2, 2).to(memory_format=torch.channels_last)),
        torch.nn.Parameter(torch.randn(5)),
    ]


@pytest.mark.parametrize(("momentum", "decay"), [(0.0, 0.0), (0.9, 0.0), (0.0, 0.1), (0.9, 0.02)])
def test_steps_are_those_of_pytorch(momentum, decay):
    mine, theirs = _parameters(), _parameters()
    ours = SGD(mine, 0.1, momentum, decay)
    peer = torch.optim.SGD(theirs, 0.1, momentum, weight_decay=decay)
    for step in range(6):
        ours.learning_rate = peer.param_groups[0]["lr"] = 0.1 / (1 + step)
        ours.zero_grad()
        peer.zero_grad()
        for parameters in (mine, theirs):
            torch.manual_seed(step)
            # The last parameter has no gradient at first, as a head in a warm-up.
            used = parameters[: 2 + (step > 2)]
            sum((p * torch.randn_like(p)).square().sum() for p in used).backward()
        ours.step()
        peer.step()
        for a, b in zip(mine, theirs, strict=True):
            assert torch.equal(a, b)


def test_restored_momentum_continues_in_the_memory_format_of_its_parameter():
    first, second = _parameters(), _parameters()
    optimizers = [SGD(p, 0.1, 0.9, 0.01) for p in (first, second)]
    for parameters, optimizer in zip((first, second), optimizers, strict=True):
        sum(p.square().sum() for p in parameters).backward()
        optimizer.step()
    saved = {
        i: b.clone(memory_format=torch.contiguous_format)
        for i, b in optimizers[0].momentum_buffers.items()
    }
    optimizers[1].restore(saved)
    assert optimizers[1].momentum_buffers[1].stride() == second[1].stride()
    saved[0].zero_()
    for parameters, optimizer in zip((first, second), optimizers, strict=True):
        optimizer.zero_grad()
        sum(p.square().sum() for p in parameters).backward()
        optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_training_imports_neither_the_compiler_nor_scikit_learn():
    code = (
        "import sys, numpy, torch, clmle.training.trainer\n"
        "from clmle.metrics.classification import ranking_areas\n"
        "ranking_areas(numpy.array([True, False]), numpy.array([1.0, 0.0]))\n"
        "from clmle.training.sgd import SGD\n"
        "p = torch.nn.Parameter(torch.ones(2))\n"
        "optimizer = SGD([p], 0.1, 0.9, 0.1)\n"
        "p.sum().backward()\n"
        "optimizer.step()\n"
        "assert not {'torch._dynamo', 'sklearn', 'pandas'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
