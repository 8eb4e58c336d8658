"""SGD makes the updates of torch.optim.SGD, and training imports no compiler."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from clmle._search import nearest_others
from clmle._sgd import SGD


@pytest.mark.parametrize(("momentum", "decay"), [(0.0, 0.0), (0.9, 0.0), (0.9, 5e-4)])
def test_updates_are_those_of_torch(momentum, decay):
    torch.manual_seed(0)
    ours = [torch.nn.Parameter(torch.randn(shape)) for shape in ((5, 3), (4,), (2, 2))]
    theirs = [torch.nn.Parameter(p.detach().clone()) for p in ours]
    one = SGD(ours, 0.1, momentum, decay)
    other = torch.optim.SGD(theirs, 0.1, momentum, weight_decay=decay)
    for step in range(5):
        for group in other.param_groups:
            group["lr"] = one.learning_rate = 0.1 / (1 + step)
        for used, parameters in ((ours, one), (theirs, other)):
            parameters.zero_grad()
            # The last parameter has no gradient at first.
            sum((p**3).sum() for p in used[: 2 + (step > 2)]).backward()
            parameters.step()
        for a, b in zip(ours, theirs, strict=True):
            assert torch.equal(a, b)


def test_training_imports_neither_the_compiler_nor_scikit_learn():
    """Each takes a second, as long as a training run on a table of features."""
    code = (
        "import sys, clmle._sgd, clmle.training.trainer, clmle.metrics.classification as m\n"
        "import numpy as np, torch\n"
        "p = torch.nn.Parameter(torch.ones(2)); p.sum().backward()\n"
        "clmle._sgd.SGD([p], 0.1).step()\n"
        "m.ranking_areas(np.array([True, False]), np.array([1.0, 0.0]))\n"
        "print({'torch._dynamo', 'sklearn', 'pandas', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("offset", [0, 100])
def test_nearest_others_are_those_of_scikit_learn(offset):
    rng = np.random.default_rng(0)
    points = rng.normal(offset, 1, (60, 4)).astype(np.float32)
    wanted = NearestNeighbors(n_neighbors=7).fit(points).kneighbors(return_distance=False)
    assert (nearest_others(points, 7) == wanted).all()
    same = nearest_others(np.repeat(points[:2], 5, axis=0), 3)  # copies of a point are others
    assert (same // 5 == np.repeat([0, 1], 5)[:, None]).all()
    assert (same != np.arange(10)[:, None]).all()
