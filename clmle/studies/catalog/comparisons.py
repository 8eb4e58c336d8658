"""Studies that compare methods, each on one kind of data."""

from clmle.methods import TUNED, method_names
from clmle.studies.spec import FACES, Study, methods, multi_label, neighborhood_batches, options

WITHOUT_REPLACEMENT = "sampling-without-replacement"

# The best of the study `screening`, and the two simplest.
LEADERS = (
    "clmle", "oversampling", "oversampling + threshold tuning", "center", "center-invariant",
    "contrastive", "softmax + threshold tuning", "softmax",
)  # fmt: skip

# Every method once, class weighting by each scheme, and four methods with threshold tuning.
ALL_METHODS = tuple(
    sorted(
        {
            *method_names(),
            *(f"class-weighting ({weights})" for weights in ("inverse", "relative", "median")),
            *(f"{n}{TUNED}" for n in ("softmax", "oversampling", "moon", WITHOUT_REPLACEMENT)),
        }
        - {"class-weighting", WITHOUT_REPLACEMENT}
    )
)

MULTI_LABEL = (
    "clmle", "softmax", "softmax + threshold tuning", "oversampling",
    "oversampling + threshold tuning", "undersampling", "class-weighting (inverse)", "moon",
    "moon + threshold tuning", "crl", "lmle", "triplet", "clmle-paper",
)  # fmt: skip

# The paper's Table 2 in its order, then two methods published later or commonly used.
RECOGNITION = (
    "softmax", "contrastive", "triplet", "l-softmax", "center", "sphereface", "cosface", "marginal",
    "noisy-softmax", "coco", "range", "minority-augmentation", "center-invariant",
    "feature-transfer", "lmle", "clmle", "clmle-paper", "arcface", "oversampling",
)  # fmt: skip

STUDIES = (
    Study(
        "leaderboard",
        "CLMLE and its strongest baselines on fourteen attributes",
        "Is CLMLE above every baseline over all attributes?",
        methods(*LEADERS),
        attributes=FACES,
        seeds=(0, 1, 2, 3, 4),
        ratios=(),
    ),
    Study(
        "attributes",
        "Fourteen attributes on one network (the paper's first task)",
        "Which attributes gain from which method if one network learns all of them?",
        multi_label(
            methods(*MULTI_LABEL)
            # A batch around clusters of one attribute has few minority images of another.
            | {
                "without Eq. 9": options(margin_weight=0.0),
                "softmax head loss": options(head_loss="softmax"),
                "class-balanced, hard batches": options(
                    class_power=0.0, query="hardest", logit_adjustment=True
                ),
                "one neighborhood, centroids of the batch": neighborhood_batches(query="hardest"),
                "one neighborhood, centroids of the index": options(
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
        "Network size, softmax with tuned thresholds",
        "What does the size of the network add by itself?",
        multi_label(
            {
                name: {
                    "method": "softmax",
                    "train": {"backbone": name, "calibration": "balanced-logistic"},
                }
                for name in ("tiny", "residual", "resnet18")
            }
        ),
        attributes=("all",),
        seeds=(0,),
        ratios=(),
    ),
    Study(
        "screening",
        "Every method on two attributes",
        "Which methods deserve five seeds on every attribute?",
        methods(*ALL_METHODS),
        attributes=("Bald", "Eyeglasses"),
        ratios=(),
    ),
    Study(
        "recognition",
        "Unseen identities (the paper's second task)",
        "Which method verifies and identifies unseen identities best?",
        methods(*RECOGNITION, size="quick")
        | {"linear head": {"options": {"head": "linear"}, "data": {"size": "quick"}}},
        attributes=(),
        seeds=(0, 1, 2),
        ratios=(),
        dataset="toonfaces-identities",
    ),
    Study(
        "solar-cells",
        "Photographs of solar cells, one defective to 20 sound ones",
        "Does the order of the methods hold on photographs?",
        # Every seed has its own training, validation and test modules.
        methods(*LEADERS, "sampling-without-replacement + threshold tuning", split=-1),
        attributes=("Defective",),
        seeds=(0, 1, 2, 3, 4),
        ratios=(20,),
        dataset="solar-cells",
    ),
    Study(
        "digits",
        "Every method on long-tailed digits",
        "How do all methods compare on data where a run takes seconds?",
        methods(*ALL_METHODS, split=-1),  # the data set itself has the ratio 20 : 1
        attributes=(),
        seeds=(0, 1, 2, 3, 4),
        ratios=(),
        dataset="digits",
    ),
)
