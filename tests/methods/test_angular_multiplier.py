"""L-Softmax and A-Softmax against their formulas, term by term in float64, annealing included."""

import math

import numpy as np
import pytest
import torch

from clmle.data import load_digits
from clmle.methods import Batch, Outputs, get_method
from clmle.methods._angular import annealed


def psi(cosine, m):
    """(-1)^k cos(m t) - 2 k for t in [k pi/m, (k + 1) pi/m] (Eq. 6 of L-Softmax)."""
    angle = math.acos(cosine)
    k = min(int(angle * m / math.pi), m - 1)
    return (-1) ** k * math.cos(m * angle) - 2 * k


def expected(features, labels, weights, m, mixed, unit_weights):
    total = 0.0
    for f, y in zip(features, labels, strict=True):
        logits = []
        for c, w in enumerate(weights):
            length = np.linalg.norm(f) * (1.0 if unit_weights else np.linalg.norm(w))
            cosine = float(f @ w / np.linalg.norm(f) / np.linalg.norm(w))
            if c == y:
                cosine = (mixed * cosine + psi(cosine, m)) / (1 + mixed)
            logits.append(length * cosine)
        total += math.log(sum(map(math.exp, logits))) - logits[y]
    return total / len(labels)


@pytest.mark.parametrize("progress", [0.0, 0.01, 0.5])
@pytest.mark.parametrize("margin", [2, 3, 4])
@pytest.mark.parametrize("name", ["l-softmax", "sphereface"])
def test_loss_is_its_formula(name, margin, progress):
    kind = get_method(name)
    method = kind(kind.Options(margin=margin), load_digits().task("label"), 30, 0, 16)
    rng = np.random.default_rng(margin)
    features, labels = rng.normal(size=(30, 16)), rng.integers(0, 10, 30)
    weights = method.trained_weights().astype(np.float64)
    outputs = Outputs(
        torch.from_numpy(features).float(),
        torch.zeros(30, 10),
        torch.from_numpy(labels),
        progress,
    )
    found = float(method.loss(outputs, Batch(np.arange(30))).total.detach())
    mixed = max(5.0, 1000 / (1 + 3300 * progress))
    wanted = expected(features, labels, weights, margin, mixed, name == "sphereface")
    assert found == pytest.approx(wanted, rel=1e-5)


def test_the_margin_is_mixed_in_over_the_first_sixteenth_of_the_run():
    assert annealed(0.0, 5.0) == 1000
    assert annealed(1 / 16, 5.0) == pytest.approx(5.0, rel=0.05)
    assert annealed(1.0, 5.0) == 5.0
    assert annealed(1.0, 0.0) < 0.5
