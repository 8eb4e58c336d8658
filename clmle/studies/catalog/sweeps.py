"""Methods along a dial: ever more imbalance, ever more steps."""

from __future__ import annotations

from clmle.studies.spec import Study, methods, rounds

ALONG = (
    Study(
        "imbalance",
        "The same faces, ever more imbalanced",
        "From which imbalance on is each remedy worth its trouble?",
        methods(
            "softmax",
            "oversampling",
            "oversampling + threshold tuning",
            "class-weighting (inverse)",
            "balanced-softmax",
            "lmle",
            "clmle-paper",
            "clmle",
        ),
        ratios=(1, 2, 5, 10, 20, 50, 100),
    ),
    Study(
        "curves",
        "Convergence (the paper's Fig. 3)",
        "How fast do triplets, quintuplets and clusters learn?",
        {name: {"method": name, "train": rounds(10)} for name in ("triplet", "lmle", "clmle")},
    ),
)
