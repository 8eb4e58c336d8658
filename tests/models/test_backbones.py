"""Backbones: shapes, documented costs, and unshared weights against a plain loop."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from clmle import InputError
from clmle.models import backbone_names, build_backbone
from clmle.models.deepid2 import Unshared
from clmle.models.network import MultiNetwork


@pytest.mark.parametrize("size", [40, (55, 47), (47, 55)])
@pytest.mark.parametrize("name", backbone_names())
def test_every_backbone_accepts_images_that_are_not_square(name, size):
    torch.manual_seed(0)
    network = build_backbone(name, 3, size, 32)
    height, width = (size, size) if isinstance(size, int) else size
    images = torch.randn(4, 3, height, width)
    features = network(images)
    assert features.shape == (4, 32)
    features.square().sum().backward()
    assert all(p.grad is not None for p in network.parameters())
    network.eval()  # features of an image do not depend on the others
    torch.testing.assert_close(network(images[:1]), network(images)[:1], rtol=1e-4, atol=1e-5)


def multiplications(network, images):
    """Multiplications of convolutions and linear layers for one image."""
    total = 0

    def count(layer, inputs, output):
        nonlocal total
        if isinstance(layer, Unshared):
            total += layer.weight.numel()
        else:
            places = output.shape[2] * output.shape[3] if output.dim() == 4 else 1
            total += layer.weight.numel() * places

    kinds = (nn.Conv2d, nn.Linear, Unshared)
    hooks = [m.register_forward_hook(count) for m in network.modules() if isinstance(m, kinds)]
    network(images)
    for hook in hooks:
        hook.remove()
    return total


@pytest.mark.parametrize(
    ("name", "size", "millions"),
    [
        ("tiny", 40, 1.5),
        ("deepid2", (55, 47), 8),
        ("residual", (55, 47), 8),
        ("resnet18", (55, 47), 112),
        ("resnet32", 32, 69),
        ("sphere20", (112, 96), 1750),
        ("sphere64", (112, 96), 6110),
    ],
)
def test_cost_matches_the_docstring(name, size, millions):
    network = build_backbone(name, 3, size, 64).eval()
    height, width = (size, size) if isinstance(size, int) else size
    found = multiplications(network, torch.zeros(1, 3, height, width)) / 1e6
    assert found == pytest.approx(millions, rel=0.1)


@pytest.mark.parametrize("depth", [20, 64])
def test_sphereface_has_the_number_of_convolutions_of_its_name(depth):
    network = build_backbone(f"sphere{depth}", 3, 40, 64)
    assert sum(isinstance(layer, nn.Conv2d) for layer in network.modules()) == depth
    # Every stage halves; of 40 pixels 3 are left, of 512 maps.
    assert network.embedding.in_features == 512 * 3 * 3


def test_unshared_convolution_equals_a_plain_loop():
    torch.manual_seed(0)
    layer = Unshared(3, 5, (6, 4), 2).double()
    x = torch.randn(2, 3, 6, 4, dtype=torch.float64)
    found = layer(x)
    assert found.shape == (2, 5, 5, 3)
    for b in range(2):
        for i in range(5):
            for j in range(3):
                place = i * 3 + j
                patch = x[b, :, i : i + 2, j : j + 2].reshape(-1)
                wanted = patch @ layer.weight[place] + layer.bias[place, 0]
                torch.testing.assert_close(found[b, :, i, j], wanted)


def test_error_describes_images_that_are_too_small():
    with pytest.raises(InputError, match="deepid2 needs images of 33 x 33"):
        build_backbone("deepid2", 3, (32, 40), 64)
    with pytest.raises(InputError, match="sphere64 needs images of 17 x 17"):
        build_backbone("sphere64", 3, 16, 64)
    with pytest.raises(InputError, match="no backbone 'huge'"):
        build_backbone("huge", 3, 40, 64)


def test_resnet18_has_the_published_number_of_weights():
    # 11,689,512 with 1,000 outputs (torchvision's documentation); ours has 64.
    network = build_backbone("resnet18", 3, 64, 64)
    assert sum(p.numel() for p in network.parameters()) == 11_689_512 - 513 * 1000 + 513 * 64


def test_resnet32_has_the_published_number_of_weights():
    # 464,154 with 10 outputs (table 6 of the paper: 0.46 million); ours has 64.
    network = build_backbone("resnet32", 3, 32, 64)
    assert sum(p.numel() for p in network.parameters()) == 464_154 - 65 * 10 + 65 * 64
    x = torch.randn(2, 16, 6, 6)
    shortcut = network.features[8].shortcut(x)  # of the first block with 32 maps
    assert shortcut.shape == (2, 32, 3, 3)
    torch.testing.assert_close(shortcut[:, 8:24], x[:, :, ::2, ::2])
    assert not shortcut[:, :8].any()
    assert not shortcut[:, 24:].any()


def test_forty_heads_do_not_make_features_of_deepid2_collapse():
    """Their losses add up; without normalization all features would get the same direction."""
    rng = np.random.default_rng(0)
    labels = torch.from_numpy((rng.random((48, 40)) < 0.2).astype(np.int64))
    faces = rng.normal(size=(1, 3, 55, 47)) + 0.3 * rng.normal(size=(48, 3, 55, 47))
    torch.manual_seed(0)
    network = MultiNetwork("deepid2", 3, (55, 47), 64, 40)
    optimizer = torch.optim.SGD(network.parameters(), 0.05, 0.9)
    for _ in range(6):
        features, logits = network(torch.from_numpy(faces.astype(np.float32)))
        optimizer.zero_grad()
        (40 * F.cross_entropy(logits.flatten(0, 1), labels.flatten())).backward()
        optimizer.step()
    unit = F.normalize(features.detach(), dim=2)
    alike = torch.einsum("bad,cad->abc", unit, unit).mean(dim=(1, 2))
    assert alike.median() < 0.9
