"""A network that gives every image the same features is reported, others are not."""

import numpy as np
import pytest
import torch

from clmle.__main__ import main
from clmle.training.collapse import collapse_warning
from clmle.training.factory import make_network

DIGITS = ["train", "digits", "--method", "softmax", "--backbone", "tiny", "--iterations", "10",
          "--rounds", "1", "--threads", "1"]  # fmt: skip


@pytest.mark.parametrize("shape", [(50, 8), (50, 3, 8)])
def test_equal_features_are_a_collapse_and_unequal_ones_are_not(shape):
    rng = np.random.default_rng(0)
    varied = rng.normal(size=shape).astype(np.float32)
    assert collapse_warning(varied) is None
    assert collapse_warning(1e-6 * varied) is None  # small, but not the same
    same = np.broadcast_to(varied[:1], shape)
    assert "collapsed" in collapse_warning(same + 1e-7 * varied)
    assert "collapsed" in collapse_warning(np.zeros(shape))
    assert collapse_warning(varied[:1]) is None  # of one image nothing is known


def dead_network(*arguments):
    """A network whose weights are all zero, as after a step that was far too large."""
    network = make_network(*arguments)
    with torch.no_grad():
        for weights in network.parameters():
            weights.zero_()
    return network


@pytest.mark.parametrize("make", [make_network, dead_network])
def test_a_run_says_whether_its_network_collapsed(make, monkeypatch, capsys):
    monkeypatch.setattr("clmle.training.trainer.make_network", make)
    assert main(DIGITS) == 0
    said = "The network has collapsed" in capsys.readouterr().err
    assert said == (make is dead_network)
