"""Methods along one quantity: the imbalance ratio, or the number of training steps."""

from clmle.studies.spec import Study, methods, rounds

METHODS = (
    "softmax", "oversampling", "oversampling + threshold tuning", "class-weighting (inverse)",
    "balanced-softmax", "lmle", "clmle-paper", "clmle",
)  # fmt: skip

STUDIES = (
    Study(
        "imbalance",
        "The same faces at seven imbalance ratios",
        "From which imbalance ratio on does each method pay off?",
        methods(*METHODS),
        ratios=(1, 2, 5, 10, 20, 50, 100),
    ),
    Study(
        "convergence",
        "Convergence (Fig. 3 of the paper)",
        "How fast do triplets, quintuplets and clusters learn?",
        {name: {"method": name, "train": rounds(10)} for name in ("triplet", "lmle", "clmle")},
    ),
)
