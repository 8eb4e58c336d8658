"""Ablations of single parts of CLMLE: its repairs, its batches, its rule, its numbers."""

from __future__ import annotations

from clmle.methods import method_variant
from clmle.studies.spec import FACES, Study, methods, options, printed_batches, rounds

PARTS_OF_CLMLE = (
    Study(
        "table7",
        "Parts of CLMLE (the paper's Table 7)",
        "What does each part add: hardest query clusters, cost weights, the cluster rule?",
        {
            "clmle": {},
            "uniform query": options(query="uniform"),
            "no cost weights": options(class_weighting=False),
            "k-nn rule": options(rule="k-nn"),
        },
    ),
    Study(
        "margins",
        "The two margins",
        "Which shares of their bounds should a1 and a2 have, and is a2 worth having?",
        {
            f"a1 {between:g}, " + (f"a2 {within:g}" if within else "no a2"): {
                "options": {"between_margin_fraction": between}
                | ({"within_margin_fraction": within, "within_weight": 1.0} if within else {}),
                "train": {"margin_trials": 0},  # trials would choose a1 themselves
            }
            for between in (0.05, 0.125, 0.25, 0.5)
            for within in (0, 0.25)
        },
    ),
    Study(
        "cluster-size",
        "Samples a cluster, l",
        "How fine should the clusters be?",
        {f"l = {n}": options(cluster_size=n) for n in (25, 50, 200, 800)},
    ),
    Study(
        "clusters-per-batch",
        "Clusters a batch, M",
        "How wide a neighborhood should a batch show?",
        # M x 10 samples leave room in a batch of 240 for the evenly drawn part.
        {
            f"M = {m}": printed_batches(clusters_per_batch=m, same_class_clusters=m // 2)
            for m in (2, 6, 12, 20)
        },
    ),
    Study(
        "samples-per-cluster",
        "Samples of each cluster in a batch",
        "How many samples of a cluster are worth their place in a batch?",
        # 12 x 18 = 216 leave room in a batch of 240 for the evenly drawn part.
        {f"{n} samples": printed_batches(samples_per_cluster=n) for n in (2, 10, 18)},
    ),
    Study(
        "neighbors",
        "Clusters retrieved at test time, N",
        "How many nearest clusters should judge, and is choosing N on validation data good enough?",
        {
            "N chosen": options(n_neighbors=0),
            **{f"N = {n}": options(n_neighbors=n) for n in (1, 3, 10, 50)},
        },
    ),
    Study(
        "rounds",
        "Refreshes of the clusters",
        "How often should the clusters be renewed from the latest features?",
        {f"{n} rounds": {"train": rounds(n)} for n in (1, 2, 4, 8)},
    ),
    Study(
        "prior",
        "Prior features, and when to begin",
        "How, and for how many of the 400 steps, should the network learn before Eq. 9 sets in?",
        {
            f"{steps} steps, {how}": {
                "train": {"pretrain_iterations": steps, "pretrain_method": how}
            }
            for how in ("sampling-without-replacement", "softmax")
            for steps in (50, 100, 200, 300)  # 100 by bounded sampling: the recipe
        },
        seeds=(0,),
    ),
    Study(
        "small-classes",
        "A class smaller than a cluster",
        "Into how many clusters should it be divided, and how much of it may one batch show?",
        {"clmle": {}}  # 4 clusters or more, at most 0.4 of it in a batch
        | {f"{n} clusters or more": options(min_clusters=n) for n in (1, 12)}
        | {f"at most {m:g} of it in a batch": options(max_class_fraction=m) for m in (0.2, 1)},
        seeds=(0,),
    ),
    Study(
        "sampling-x-cost",
        "Sampling and costs",
        "Is it the query, the costs or both, and what do the plain remedies reach?",
        methods("softmax", "class-weighting (inverse)", "oversampling")
        | {
            f"clmle, {query} query, {'costs' if costs else 'no costs'}": options(
                query=query, class_weighting=costs
            )
            for query in ("hardest", "uniform")
            for costs in (True, False)
        },
    ),
    Study(
        "rule",
        "The rule at test time",
        "Which repair of Eq. 10 judges best?",
        {rule: options(rule=rule) for rule in ("printed", "mean", "per-class", "k-nn")},
    ),
    Study(
        "recipe",
        "Repairs of CLMLE, one left out at a time",
        "What is each repair worth?",
        {
            "clmle": {},
            "no hard clusters": options(query="uniform"),
            "rare images twice in a batch": options(without_replacement=False),
            "small classes whole in a batch": options(max_class_fraction=1.0),
            "prior features by oversampling": {"train": {"pretrain_method": "oversampling"}},
            "no Eq. 9": options(margin_weight=0.0),
            "Eq. 9 ten times heavier": options(margin_weight=0.5),
            "mu of the batch": options(centroids="batch"),
            "mu of the index": options(centroids="memory"),
            "one neighborhood a batch": printed_batches(),
            "clusters judge alone": options(stack_head=False),
            "no offsets": {
                **options(stack_head=False),
                "train": {"calibration": "none"},
            },
            "oversampling": {"method": "oversampling"},
            "its batches without clusters": method_variant(
                "sampling-without-replacement + threshold tuning"
            ),
            "clmle-paper": {"method": "clmle-paper"},
        },
    ),
    Study(
        "waiting",
        "Eq. 9 where nothing is learned yet",
        "Should Eq. 9 wait until features tell the classes?",
        {"clmle": {}, "Eq. 9 never waits": options(warmup_until=0.0)},
        attributes=("Smiling", "Wearing_Earrings"),  # which 400 steps hardly begin to tell
        seeds=(0, 1, 2, 3, 4),
        ratios=(),
    ),
    Study(
        "hard-share",
        "How many places go by loss",
        "Should all places of a large class go to its hard clusters, or half of them?",
        {"clmle": {}, "all places by loss": options(hard_fraction=1.0)},
        attributes=FACES,
        seeds=(0, 1, 2, 3, 4),
        ratios=(),
    ),
    Study(
        "embedding",
        "Eq. 9 beside the softmax",
        "What does Eq. 9 itself add to the softmax on the same batches, over all attributes?",
        {"clmle": {}, "no Eq. 9": options(margin_weight=0.0)},
        attributes=FACES,
        seeds=(0, 1, 2, 3, 4),
        ratios=(),
    ),
    Study(
        "photographs",
        "Photographs: what do batches change where the rarer class has about 37 images?",
        "Does it matter there how batches are drawn, or whether Eq. 9 stands beside the softmax?",
        {
            "clmle": {"data": {"split": -1}},
            "batches as the data come": {
                **options(class_power=1.0),
                "train": {"pretrain_method": "softmax"},
                "data": {"split": -1},
            },
            "no Eq. 9": {**options(margin_weight=0.0), "data": {"split": -1}},
            **methods(
                "sampling-without-replacement + threshold tuning",
                "softmax + threshold tuning",
                split=-1,
            ),
        },
        attributes=("Defective",),
        seeds=(*range(10, 20), *range(21, 29)),  # not those of other studies
        ratios=(20,),
        dataset="solar-cells",
    ),
    Study(
        "scale-x-denominator",
        "Scale and denominator of Eq. 9",
        "Does a scale alone repair the printed sum, and how large should it be?",
        {
            f"{denominator}, s = {scale}": options(denominator=denominator, scale=scale)
            for denominator in ("sum", "mean")
            for scale in (1, 8, 32)
        },
    ),
)
