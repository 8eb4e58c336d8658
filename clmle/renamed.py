"""Names of version 0.1 and what they are called now: an old one is refused with the new one."""

from __future__ import annotations

METHODS = {
    "clmle-printed": "clmle-paper",
    "over-sampling": "oversampling",
    "down-sampling": "undersampling",
    "over-sampling-threshold": "oversampling-threshold",
    "bounded-sampling": "sampling-without-replacement",
    "class-balanced": "class-balanced-loss",
}
OPTIONS = {
    "emphasis": "hardness_power",
    "hard_share": "hard_fraction",
    "most_of_class": "max_class_fraction",
    "distinct": "without_replacement",
    "readiness": "warmup_until",
    "corrected": "logit_adjustment",
    "costs": "class_weighting",
    "joint": "stack_head",
    "offset": "calibration",
    "n_others": "n_negative_clusters",
    "embedding_weight": "margin_weight",
    "batches": "sampler",
    "between_share": "between_margin_fraction",
    "within_share": "within_margin_fraction",
}
TRAIN = {
    "prior_iterations": "pretrain_iterations",
    "prior_method": "pretrain_method",
    "prior": "init_from",
    "shown": "n_embedding_samples",
    "clip": "grad_clip_norm",
    "drops": "max_lr_drops",
}
VALUES = {"spread": "all-clusters", "neighbourhood": "cluster-neighborhood"}
COMMANDS = {
    "recognise": "evaluate --open-set",
    "verify": "evaluate-features",
    "project": "embed",
    "results": "make results (a tool of the repository)",
}
