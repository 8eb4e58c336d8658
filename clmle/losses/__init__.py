"""Losses, one a file."""

from clmle.losses.class_weights import inverse_frequency_weights
from clmle.losses.clmle import CLMLELoss, clmle_loss, cluster_loss

__all__ = ["CLMLELoss", "clmle_loss", "cluster_loss", "inverse_frequency_weights"]
