"""Studies that rank methods, each on one kind of data."""

from __future__ import annotations

from clmle.methods import TUNED, method_names
from clmle.studies.spec import (
    FACES,
    Study,
    methods,
    options,
    printed_batches,
    together,
)

# What the study `screen` left at the top, and the two plainest.
LEADERS = (
    "clmle",
    "oversampling",
    "oversampling + threshold tuning",
    "center",
    "center-invariant",
    "contrastive",
    "softmax + threshold tuning",
    "softmax",
)

# Every method once, class weighting by each scheme, and four methods with threshold tuning.
ALL_METHODS = tuple(
    sorted(
        (
            *(set(method_names()) - {"class-weighting", "sampling-without-replacement"}),
            *(f"class-weighting ({weights})" for weights in ("inverse", "relative", "median")),
            *(
                name + TUNED
                for name in ("softmax", "oversampling", "moon", "sampling-without-replacement")
            ),
        )
    )
)

# The paper's Table 2, in its order, and two that a reader of today asks for.
RECOGNITION = (
    "softmax",
    "contrastive",
    "triplet",
    "l-softmax",
    "center",
    "sphereface",
    "cosface",
    "marginal",
    "noisy-softmax",
    "coco",
    "range",
    "minority-augmentation",
    "center-invariant",
    "feature-transfer",
    "lmle",
    "clmle",
    "clmle-paper",
    "arcface",
    "oversampling",
)

RANKINGS = (
    Study(
        "leaderboard",
        "CLMLE and its strongest rivals",
        "Is CLMLE above every rival over all attributes?",
        methods(*LEADERS),
        attributes=FACES,
        seeds=(0, 1, 2, 3, 4),
        ratios=(),
    ),
    Study(
        "attributes",
        "Fourteen attributes on one network (the paper's first task)",
        "Who gains what where all attributes are learned together?",
        together(
            methods(
                "clmle",
                "softmax",
                "softmax + threshold tuning",
                "oversampling",
                "oversampling + threshold tuning",
                "undersampling",
                "class-weighting (inverse)",
                "moon",
                "moon + threshold tuning",
                "crl",
                "lmle",
                "triplet",
                "clmle-paper",
            )
            # A batch around clusters of one attribute shows another's with an image or two.
            | {
                "no Eq. 9": options(margin_weight=0.0),
                "a softmax beside Eq. 9": options(head_loss="softmax"),
                "even, hard batches": options(
                    class_power=0.0, query="hardest", logit_adjustment=True
                ),
                "one neighborhood, mu of the batch": printed_batches(query="hardest"),
                "one neighborhood, mu of the index": options(
                    sampler="cluster-neighborhood", centroids="memory", query="hardest"
                ),
            }
        ),
        attributes=("all",),
        seeds=(0, 1, 2),
        ratios=(),
    ),
    Study(
        "network-size",
        "A larger plain network",
        "What does size alone bring, with thresholds moved on validation images?",
        together(
            {
                name: {
                    "method": "softmax",
                    "train": {"backbone": name, "calibration": "offsets"},
                }
                for name in ("tiny", "residual", "resnet18")
            }
        ),
        attributes=("all",),
        seeds=(0,),
        ratios=(),
    ),
    Study(
        "screen",
        "Every method on two attributes",
        "Which methods are worth five seeds on every attribute?",
        methods(*ALL_METHODS),
        attributes=("Bald", "Eyeglasses"),
        ratios=(),
    ),
    Study(
        "recognition",
        "People never seen (the paper's second task)",
        "Who tells strangers apart best, after learning a long tail of identities?",
        methods(*RECOGNITION, size="quick")
        | {"linear head": {"options": {"head": "linear"}, "data": {"size": "quick"}}},
        attributes=(),
        seeds=(0, 1, 2),
        ratios=(),
        dataset="toonfaces-identities",
    ),
    Study(
        "solar-cells",
        "Photographs: defective solar cells, 20 sound ones to a defective one",
        "Does the order of the methods hold on real images?",
        # Every seed its own training, validation and test modules. (Attributes of faces have more
        # images than bounded sampling holds back: there it is oversampling with thresholds.)
        methods(*LEADERS, "sampling-without-replacement + threshold tuning", split=-1),
        attributes=("Defective",),
        seeds=(0, 1, 2, 3, 4),
        ratios=(20,),
        dataset="solar-cells",
    ),
    Study(
        "digits",
        "Every method on long-tailed digits",
        "How do all the methods compare where a run takes seconds?",
        methods(*ALL_METHODS, split=-1),  # the set is at ratio 20 by itself
        attributes=(),
        seeds=(0, 1, 2, 3, 4),
        ratios=(),
        dataset="digits",
    ),
)
