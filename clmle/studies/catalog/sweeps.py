"""Methods along one quantity: the imbalance ratio, or the number of training steps."""

from clmle.studies.spec import Study, Tree, methods, rounds

METHODS = (
    "softmax", "oversampling", "oversampling + threshold tuning", "class-weighting (inverse)",
    "balanced-softmax", "lmle", "clmle-paper", "clmle",
)  # fmt: skip

# The optimizer of published results on CIFAR-10-LT (Cao and others, NeurIPS 2019) in 10 epochs
# instead of 200. Validation photographs are drawn from those that training leaves out.
RESNET32 = {
    "backbone": "resnet32",
    "batch_size": 128,
    "learning_rate": 0.1,
    "weight_decay": 0.0002,
    "schedule": "cosine",
    "iterations": 970,
    "pretrain_iterations": 242,
    "margin_trials": 0,
    "calibration": "none",
    **rounds(10),
}


def on_resnet32() -> dict[str, Tree]:
    """Methods with published results on CIFAR-10-LT, and CLMLE with and without Eq. 9."""
    data = {"validation": "balanced", "validation_size": 1000}
    found = methods("clmle", "softmax", "oversampling", "ldam-drw", "balanced-softmax", **data)
    found["without Eq. 9"] = {"options": {"margin_weight": 0.0}, "data": data}
    return {name: {**variant, "train": RESNET32} for name, variant in found.items()}


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
    Study(
        "resnet32",
        "Long-tailed CIFAR-10 with ResNet-32 from random weights",
        "How far do methods get on the network of published results in a twentieth of its epochs?",
        on_resnet32(),
        attributes=("label",),
        dataset="cifar10",
        imbalance="long-tail",
    ),
)
