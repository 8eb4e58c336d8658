"""The network of feature tables: noise is added in training only."""

import torch

from clmle.models.feature_network import FeatureNetwork


def test_noise_is_added_to_standardized_features_in_training_only():
    torch.manual_seed(0)
    network = FeatureNetwork(3, (1, 1), 3)
    features = torch.randn(2000, 3) * torch.tensor([1.0, 10.0, 100.0])
    network.standardize(features.numpy())
    torch.nn.init.eye_(network.layers[-1].weight)
    torch.nn.init.zeros_(network.layers[-1].bias)
    plain = network(features)
    network.noise = 0.5
    noisy = network(features) - plain
    assert torch.allclose(noisy.std(dim=0), torch.full((3,), 0.5), atol=0.05)
    network.eval()
    assert torch.equal(network(features), plain)
