"""Names of version 0.1 and what they are called now: an old one is refused with the new one."""

# Old name of a method: name of the variant that it is now.
METHODS = {
    "clmle-printed": "clmle-paper",
    "over-sampling": "oversampling",
    "down-sampling": "undersampling",
    "over-sampling-threshold": "oversampling + threshold tuning",
    "threshold-moving": "softmax + threshold tuning",
    "moon-threshold": "moon + threshold tuning",
    "bounded-sampling": "sampling-without-replacement + threshold tuning",
    "class-balanced": "class-balanced-loss",
    "cost-sensitive": "class-weighting (inverse)",
    "cost-relative": "class-weighting (relative)",
    "cost-median": "class-weighting (median)",
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
    "share": "augmented_fraction",
}
TRAIN = {
    "prior_iterations": "pretrain_iterations",
    "prior_method": "pretrain_method",
    "prior": "init_from",
    "shown": "n_embedding_samples",
    "clip": "grad_clip_norm",
    "drops": "max_lr_drops",
}
VALUES = {
    "spread": "all-clusters",
    "neighbourhood": "cluster-neighborhood",
    "even": "class-balanced",
}
# Earlier values of options in stored runs and results, which are read as the present ones.
STORED = {("calibration", "offsets"): "balanced-logistic"}
COMMANDS = {
    "recognise": "clmle evaluate --open-set",
    "verify": "clmle evaluate-features",
    "project": "clmle embed",
    "results": "make results (a tool of the repository)",
}


def renamed_method(old: str) -> str | None:
    """What to use in place of the method ``old``; None if it never had another name.

    >>> renamed_method("threshold-moving")
    'softmax with calibration=balanced-logistic'
    """
    new = METHODS.get(old)
    if new is None:
        return None
    base, tuned, _ = new.partition(" + threshold tuning")
    method, _, weights = base.rstrip(")").partition(" (")
    settings = [f"weights={weights}"] * bool(weights) + ["calibration=balanced-logistic"] * bool(
        tuned
    )
    return f"{method} with {' and '.join(settings)}" if settings else method


def field(name: str) -> str | None:
    """Return the present name of a config field of version 0.1, or None.

    >>> field("emphasis")
    'hardness_power'
    """
    return (OPTIONS | TRAIN).get(name)


def option(flag: str) -> str | None:
    """Return the present option of the command line for one of version 0.1, or None.

    >>> option("--prior-iterations")
    '--pretrain-iterations'
    """
    new = field(flag.removeprefix("--").replace("-", "_"))
    return None if new is None else "--" + new.replace("_", "-")
