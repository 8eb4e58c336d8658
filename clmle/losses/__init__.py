"""Losses, one a file."""

from clmle.losses.clmle import CLMLELoss, clmle_loss, cluster_loss
from clmle.losses.weights import inverse_frequency_weights

__all__ = ["CLMLELoss", "clmle_loss", "cluster_loss", "inverse_frequency_weights"]
