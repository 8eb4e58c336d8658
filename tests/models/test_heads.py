"""Linear and cosine heads against numpy; stored weights tell which of the two they are for."""

import numpy as np
import pytest
import torch

from clmle.models.heads import Head, Heads
from clmle.presets import preset_config


def unit(x, axis):
    return x / np.linalg.norm(x, axis=axis, keepdims=True)


def test_cosine_head_is_scaled_cosines_plus_bias():
    head = Head(6, 4, 8.0)
    z = torch.randn(5, 6)
    weight, bias = (p.detach().double().numpy() for p in (head.weight, head.bias))
    wanted = 8 * unit(z.double().numpy(), 1) @ unit(weight, 1).T + bias
    np.testing.assert_allclose(head(z).detach().numpy(), wanted, atol=1e-5)


def test_each_of_several_heads_equals_a_single_head():
    heads = Heads(3, 7, 6, 8.0)
    z, logits = heads(torch.randn(5, 7))
    for a in range(3):
        one = Head(6, 2, 8.0)
        one.load_state_dict(
            {"weight": heads.weight[a].T, "bias": heads.bias[a], "scale": heads.scale}
        )
        torch.testing.assert_close(one(z[:, a]), logits[:, a])


def test_lengths_change_linear_heads_and_not_cosine_heads():
    z = torch.randn(5, 6)
    cosine, plain = Head(6, 3, 8.0), Head(6, 3)
    torch.testing.assert_close(cosine(z), cosine(7 * z))
    assert not torch.allclose(plain(z), plain(7 * z))
    assert "scale" in cosine.state_dict()
    assert "scale" not in plain.state_dict()


@pytest.mark.parametrize(
    ("dataset", "attribute", "head"),
    [
        ("toonfaces", "Bald", "linear"),
        ("toonfaces", "all", "linear"),
        ("toonfaces-identities", "", "cosine"),
    ],
)
def test_presets_choose_the_head(dataset, attribute, head):
    assert preset_config("quick", "clmle", dataset, attribute).options.head == head
    assert preset_config("quick", "clmle-paper", dataset, attribute).options.head == "linear"
