"""The head's loss term against plain loops in float64."""

import numpy as np
import pytest
import torch

from clmle.methods.clmle.terms import head_loss


def example(n=40, c=3):
    rng = np.random.default_rng(0)
    logits = torch.tensor(rng.normal(size=(n, c)) * 3)
    return logits, torch.tensor(rng.integers(0, c, n)), np.array([0.7, 0.25, 0.05])


@pytest.mark.parametrize("logit_adjustment", [False, True])
@pytest.mark.parametrize("kind", ["softmax", "squared"])
def test_head_loss_is_that_of_a_loop_over_samples(kind, logit_adjustment):
    logits, labels, proportions = example()
    found = head_loss(logits, labels, proportions if logit_adjustment else None, kind)
    for i, (scores, y) in enumerate(zip(logits.numpy(), labels.numpy(), strict=True)):
        if kind == "softmax":
            moved = scores + np.log(proportions) if logit_adjustment else scores
            expected = np.log(np.exp(moved).sum()) - moved[y]
        else:
            target = [1.0 if c == y else -1.0 for c in range(3)]
            expected = np.mean((scores - target) ** 2)
            if logit_adjustment:
                expected *= proportions.min() / proportions[y]
        assert float(found[i]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("kind", ["softmax", "squared"])
def test_heads_in_one_call_are_the_heads_one_by_one(kind):
    logits, labels, _ = example(24, 2)
    many = logits.view(4, 6, 2), labels.view(4, 6)
    proportions = np.array([[0.9, 0.1], [0.5, 0.5], [0.2, 0.8], [1.0, 0.0]])
    found = head_loss(*many, proportions, kind)
    for a in range(3):
        one = head_loss(many[0][a], many[1][a], proportions[a], kind)
        torch.testing.assert_close(found[a], one)
    known = many[1][3] == 0  # the other class is never drawn
    assert bool(torch.isfinite(found[3][known]).all())
