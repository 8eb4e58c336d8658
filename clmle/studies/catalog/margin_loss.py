"""Studies of Eq. 9 alone: same sampler, classifier and calibration with and without it.

The classes of most data have hidden sub-populations, whose labels only the evaluation uses.
"""

from functools import partial
from typing import Any

from clmle.studies.hidden_subpopulations import hidden_modes, hidden_styles, superclasses
from clmle.studies.margin_loss_variants import (
    FEATURES,
    FINE,
    NO_NOISE,
    ONE_CLUSTER,
    POINTS,
    WITHOUT,
    confirmation,
    doses,
    on_features,
    regime,
)
from clmle.studies.spec import Study, Tree

# Each an animal and one of the two vehicles of medium size.
LEFT_OUT = (("automobile", "deer"), ("ship", "frog"))


def each_change() -> dict[str, Tree]:
    """The configuration for features without noise, with one choice changed at a time.

    A change that also concerns training without Eq. 9 has its own control.
    """
    changes: dict[str, tuple[Tree, Tree]] = {
        WITHOUT: ({}, {"margin_weight": 0.0}),
        "clusters": ({}, {}),
        "one cluster": ({}, ONE_CLUSTER),
        "clusters of 200": ({}, {"cluster_size": 200, "min_clusters": 4}),
        "a1 a quarter of its bound": ({}, {"between_margin_fraction": 0.25}),
        "weight 1": ({}, {"margin_weight": 1.0}),
        "a2 0.1": ({}, {"within_margin": 0.1, "within_weight": 1.0}),
        "nearest centroids": ({}, {"centroids": "local"}),
    }
    for name, train, own in (
        ("noise", {"feature_noise": 1.0}, {}),
        ("hidden layer", {"backbone": "mlp"}, {}),
        ("linear head", {}, {"head": "linear"}),
        ("pretraining", {"pretrain_iterations": 100}, {}),
        ("hard clusters", {}, {"hard_fraction": 0.5}),
    ):
        changes[f"{name}, clusters"] = (train, own)
        changes[f"{name}, {WITHOUT}"] = (train, {**own, "margin_weight": 0.0})
    return on_features(
        {name: ({"feature_noise": 0.0, **train}, own) for name, (train, own) in changes.items()}
    )


def on_identities() -> dict[str, Tree]:
    """Doses chosen on seeds 0 to 2 of eq9-identities, and the best baseline of tuning-identities.

    With the paper's clusters of 200 every identity but one is one cluster.
    """
    own = {
        WITHOUT: {"margin_weight": 0.0},
        "one cluster": {"margin_weight": 0.2, "between_margin_fraction": 0.5, **ONE_CLUSTER},
        "clusters": {"margin_weight": 0.2, "between_margin_fraction": 0.125},
    }
    shared = {"data": {"split": -1}}
    train: dict[str, Any] = {**NO_NOISE, "margin_trials": 0, "calibration": "balanced-logistic"}
    found: dict[str, Tree] = {
        f"{start}{name}": {"options": {**FINE, **options}, "train": fields, **shared}
        for start, fields in (("", train), ("no calibration, ", {**train, "calibration": "none"}))
        for name, options in own.items()
        if name != "clusters" or not start
    }
    baseline = {"method": "logit-adjusted-cosine", "train": train, **shared}
    return {**found, "logit-adjusted cosine": baseline}


on_points = partial(Study, attributes=("mode",), ratios=(), dataset="hidden-modes")
on_pretrained = partial(Study, attributes=("label",), ratios=(), dataset="cifar10-features")
STUDIES = (
    on_points(
        "eq9-factorial",
        "Dose of Eq. 9 on hidden modes",
        "At equal sampling, classifier and calibration, what do the margin, its weight and the "
        "clusters change?",
        doses(POINTS, hidden_modes(300), (0.05, 0.2, 0.5), within=True),
        seeds=tuple(range(6)),
    ),
    on_points(
        "eq9-regime",
        "Eq. 9 against the number of minority points",
        "From how many minority points on does Eq. 9 help, and does augmentation change that?",
        regime("points", hidden_modes, (30, 102, 300, 1002, 3000), (0.0, 0.5), POINTS),
        seeds=tuple(range(10, 16)),
    ),
    on_points(
        "eq9-regime-majority",
        "Eq. 9 against the number of majority points",
        "With 300 minority points, does the effect of Eq. 9 depend on the size of the majority?",
        regime(
            "points",
            partial(hidden_modes, 300),
            (600, 1200, 3000, 6000, 12000),
            (0.0,),
            POINTS,
            of="majority",
        ),
        seeds=tuple(range(10, 16)),
    ),
    on_points(
        "eq9-regime-classes",
        "Eq. 9 against the number of classes",
        "With the same points, does the effect of Eq. 9 depend on how many classes they are "
        "divided into?",
        regime(
            "classes",
            lambda classes: hidden_modes(300, classes=classes),
            (2, 4, 6, 12),
            (0.0, 0.5),
            POINTS,
            of="point",
        ),
        seeds=tuple(range(10, 16)),
    ),
    on_pretrained(
        "eq9-features",
        "Eq. 9 on pretrained features of photographs, each choice changed in turn",
        "On features that the loss cannot memorize, what do the margin and the clusters change?",
        each_change(),
        seeds=tuple(range(4)),
    ),
    Study(
        "eq9-expressions",
        "Dose of Eq. 9 on expressions of photographed faces, pretrained features",
        "At equal sampling, classifier and calibration, what do the margin, its weight and the "
        "clusters change on photographs of faces?",
        doses(NO_NOISE, {"split": -1}, (0.05, 0.2, 0.5), True, FINE),
        attributes=("expression",),
        seeds=(0, 1, 2),
        ratios=(),
        dataset="expression-features",
    ),
    Study(
        "eq9-styles",
        "Dose of Eq. 9 on illustrated faces with hidden drawing styles, pretrained features",
        "At equal sampling, classifier and calibration, what do the margin, its weight and the "
        "clusters change where rare drawing styles are hidden in the minority?",
        doses(NO_NOISE, hidden_styles(), (0.05, 0.2, 0.5), True, FINE),
        attributes=("face",),
        seeds=tuple(range(6)),
        ratios=(),
        dataset="toonfaces-styles-features",
    ),
    Study(
        "eq9-long-tail",
        "Dose of Eq. 9 on long-tailed CIFAR-10, pretrained features",
        "At equal sampling, classifier and calibration, what do the margin, its weight and the "
        "clusters change on ten classes in a long tail?",
        doses(
            NO_NOISE,
            {"split": -1, "validation": "imbalanced", "validation_size": 2000},
            (0.05, 0.2, 0.5),
            True,
            FINE,
        ),
        attributes=("label",),
        seeds=(0, 1, 2),
        ratios=(100,),
        dataset="cifar10-features",
        imbalance="long-tail",
    ),
    Study(
        "eq9-identities",
        "Dose of Eq. 9 on 150 identities of LFW, pretrained features",
        "At equal sampling, classifier and calibration, what do the margin, its weight and the "
        "clusters change on many classes of few photographs each?",
        doses(NO_NOISE, {"split": -1}, (0.05, 0.2, 0.5), True, FINE),
        attributes=("label",),
        seeds=(0, 1, 2),
        ratios=(),
        dataset="lfw-identities-features",
    ),
    on_pretrained(
        "eq9-regime-features",
        "Eq. 9 against the number of minority photographs, on pretrained features",
        "From how many minority photographs on does Eq. 9 help where the network is pretrained?",
        regime(
            "photographs",
            superclasses,
            (36, 107, 356, 1068, 4272),
            (0.0, 1.0),
            FEATURES,
            FINE,
            FINE,
        ),
        seeds=tuple(range(10, 13)),
    ),
    on_pretrained(
        "eq9-preregistered-features",
        "Pre-registered: Eq. 9 on pretrained features of photographs",
        "Do clusters preserve the structure within the minority, as one cluster per class does "
        "not?",
        on_features(
            {
                f"{start}{name}": (train, own)
                for start, train in (("", {"feature_noise": 0.0}), ("noise, ", {}))
                for name, own in (
                    (WITHOUT, {"margin_weight": 0.0}),
                    ("clusters", {}),
                    ("one cluster", ONE_CLUSTER),
                )
            }
        ),
        seeds=tuple(range(100, 120)),
    ),
    Study(
        "eq9-preregistered-identities",
        "Pre-registered: Eq. 9 on 150 identities of LFW, pretrained features",
        "Does Eq. 9 raise the balanced accuracy on many classes of few photographs each?",
        on_identities(),
        attributes=("label",),
        seeds=tuple(range(100, 124)),
        ratios=(),
        dataset="lfw-identities-features",
    ),
    on_pretrained(
        "eq9-open-set",
        "Pre-registered: retrieval of classes left out, on pretrained features",
        "Are photographs of classes that were never trained on retrieved better with Eq. 9?",
        {
            f"{' and '.join(kinds)} left out, {name}": variant
            for kinds in LEFT_OUT
            for name, variant in on_features(
                {
                    WITHOUT: ({"feature_noise": 0.0}, {"margin_weight": 0.0}),
                    "clusters": ({"feature_noise": 0.0}, {}),
                    "one cluster": ({"feature_noise": 0.0}, ONE_CLUSTER),
                },
                kinds,
            ).items()
        },
        seeds=tuple(range(200, 210)),
    ),
    Study(
        "eq9-superclasses",
        "Dose of Eq. 9 on photographs",
        "Does Eq. 9 change the recall of rare sub-populations of photographs?",
        {
            name: variant
            for name, variant in doses({}, superclasses(), (0.05, 0.5), within=True).items()
            if "a1 0.25" not in name
        },
        attributes=("label",),
        seeds=tuple(range(4)),
        ratios=(),
        dataset="cifar10",
    ),
    on_points(
        "eq9-preregistered-points",
        "Pre-registered: Eq. 9 on hidden modes",
        "Does the configuration chosen on seeds 0 to 5 raise the recall of the worst mode on other "
        "seeds, and do clusters do what one cluster per class does not?",
        confirmation(POINTS, hidden_modes(300)),
        seeds=tuple(range(100, 124)),
    ),
    Study(
        "eq9-preregistered-photographs",
        "Pre-registered: Eq. 9 on photographs",
        "Does the same configuration raise the recall of the worst sub-population of photographs?",
        confirmation({}, superclasses()),
        attributes=("label",),
        seeds=tuple(range(100, 110)),
        ratios=(),
        dataset="cifar10",
    ),
)
