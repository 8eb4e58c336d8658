"""Losses and class weights, one loss per file."""

from typing import TYPE_CHECKING

from clmle._lazy import load_lazily

if TYPE_CHECKING:
    from clmle.losses.adaface import adaface_logits
    from clmle.losses.balanced_contrastive import balanced_contrastive_loss
    from clmle.losses.center import center_invariant_loss, center_loss
    from clmle.losses.class_weights import inverse_frequency_weights
    from clmle.losses.clmle import clmle_loss, cluster_loss
    from clmle.losses.clmle_module import CLMLELoss
    from clmle.losses.coco import coco_loss
    from clmle.losses.crl import crl_loss
    from clmle.losses.gpaco import gpaco_loss
    from clmle.losses.ldam import ldam_loss
    from clmle.losses.lmle import lmle_loss
    from clmle.losses.magnet import magnet_loss
    from clmle.losses.marginal import marginal_loss
    from clmle.losses.noisy import noisy_logits
    from clmle.losses.pml import ClusterMarginLoss
    from clmle.losses.proco import proco_logits
    from clmle.losses.range import range_loss
    from clmle.losses.sbcl import sbcl_loss

load_lazily(__name__)
