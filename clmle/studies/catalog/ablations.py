"""Ablations of CLMLE: its components, sampler, classifier and hyper-parameters."""

from clmle.studies.spec import FACES, Study, methods, neighborhood_batches, options, rounds

STUDIES = (
    Study(
        "table7",
        "Components in Table 7 of the paper",
        "What do hardest query clusters, class weights and the cluster classifier add?",
        {
            "clmle": {},
            "uniform query clusters": options(query="uniform"),
            "no class weights": options(class_weighting=False),
            "k-NN classifier": options(rule="k-nn"),
        },
    ),
    Study(
        "margins",
        "The two margins",
        "Which fractions of their bounds are best for a1 and a2, and does a2 help?",
        {
            f"a1 {between:g}, " + (f"a2 {within:g}" if within else "no a2"): {
                "options": {"between_margin_fraction": between}
                | ({"within_margin_fraction": within, "within_weight": 1.0} if within else {}),
                "train": {"margin_trials": 0},  # margin trials would choose a1
            }
            for between in (0.05, 0.125, 0.25, 0.5)
            for within in (0, 0.25)
        },
    ),
    Study(
        "cluster-size",
        "Samples per cluster, l",
        "How large should the clusters be?",
        {f"l = {n}": options(cluster_size=n) for n in (25, 50, 200, 800)},
    ),
    Study(
        "clusters-per-batch",
        "Clusters per batch, M",
        "How many clusters should the neighborhood of a batch have?",
        # M x 10 samples leave room in a batch of 240 for the class-balanced part.
        {
            f"M = {m}": neighborhood_batches(clusters_per_batch=m, same_class_clusters=m // 2)
            for m in (2, 6, 12, 20)
        },
    ),
    Study(
        "samples-per-cluster",
        "Samples of each cluster in a batch",
        "How many samples of each cluster should a batch have?",
        # 12 x 18 = 216 leave room in a batch of 240 for the class-balanced part.
        {f"{n} samples": neighborhood_batches(samples_per_cluster=n) for n in (2, 10, 18)},
    ),
    Study(
        "neighbors",
        "Clusters retrieved at test time, N",
        "How many nearest clusters should vote, and is N chosen on validation images as good?",
        {
            "N chosen": options(n_neighbors=0),
            **{f"N = {n}": options(n_neighbors=n) for n in (1, 3, 10, 50)},
        },
    ),
    Study(
        "rounds",
        "Refreshes of the clusters",
        "How often should the clusters be rebuilt from the latest features?",
        {f"{n} rounds": {"train": rounds(n)} for n in (1, 2, 4, 8)},
    ),
    Study(
        "pretraining",
        "Pretraining before Eq. 9",
        "With which method, and for how many of the 400 steps, should the network pretrain?",
        {
            f"{steps} steps, {how}": {
                "train": {"pretrain_iterations": steps, "pretrain_method": how}
            }
            for how in ("sampling-without-replacement", "softmax")
            for steps in (50, 100, 200, 300)  # the default: 100, without replacement
        },
        seeds=(0,),
    ),
    Study(
        "small-classes",
        "A class smaller than a cluster",
        "Into how many clusters should it be divided, and how much of it should a batch contain?",
        {"clmle": {}}  # 4 clusters or more, at most 0.4 of it in a batch
        | {f"{n} clusters or more": options(min_clusters=n) for n in (1, 12)}
        | {f"at most {m:g} of it in a batch": options(max_class_fraction=m) for m in (0.2, 1)},
        seeds=(0,),
    ),
    Study(
        "sampling-x-weighting",
        "Sampling and class weights",
        "Do hardest query clusters, class weights or both help, and what do simple methods reach?",
        methods("softmax", "class-weighting (inverse)", "oversampling")
        | {
            f"clmle, {query} query, {'class weights' if weights else 'no class weights'}": options(
                query=query, class_weighting=weights
            )
            for query in ("hardest", "uniform")
            for weights in (True, False)
        },
    ),
    Study(
        "classifier",
        "The classifier at test time (Eq. 10)",
        "Which correction of Eq. 10 classifies best?",
        {rule: options(rule=rule) for rule in ("printed", "mean", "per-class", "k-nn")},
    ),
    Study(
        "components",
        "Components of CLMLE, each removed in turn",
        "What does each component add?",
        {
            "clmle": {},
            "uniform query clusters": options(query="uniform"),
            "repeated images in a batch": options(without_replacement=False),
            "no limit on a class in a batch": options(max_class_fraction=1.0),
            "pretraining by oversampling": {"train": {"pretrain_method": "oversampling"}},
            "without Eq. 9": options(margin_weight=0.0),
            "Eq. 9 with ten times the weight": options(margin_weight=0.5),
            "centroids of the batch": options(centroids="batch"),
            "centroids of the index": options(centroids="memory"),
            "one neighborhood per batch": neighborhood_batches(),
            "cluster classifier alone": options(stack_head=False),
            "cluster classifier alone, uncalibrated": {
                **options(stack_head=False),
                "train": {"calibration": "none"},
            },
            "oversampling": {"method": "oversampling"},
            **methods("sampling-without-replacement + threshold tuning"),
            "clmle-paper": {"method": "clmle-paper"},
        },
    ),
    Study(
        "warmup",
        "Warm-up of Eq. 9",
        "Should Eq. 9 start only when the features separate the classes?",
        {"clmle": {}, "Eq. 9 without warm-up": options(warmup_until=0.0)},
        attributes=("Smiling", "Wearing_Earrings"),  # hardly learned within 400 steps
        seeds=(0, 1, 2, 3, 4),
        ratios=(),
    ),
    Study(
        "hard-fraction",
        "Fraction of a batch from hard clusters",
        "Should hard clusters fill all of a large class's samples in a batch, or half?",
        {"clmle": {}, "all samples from hard clusters": options(hard_fraction=1.0)},
        attributes=FACES,
        seeds=(0, 1, 2, 3, 4),
        ratios=(),
    ),
    Study(
        "margin-loss",
        "Eq. 9 in addition to the softmax loss",
        "What does Eq. 9 add to the softmax loss on the same batches, over all attributes?",
        {"clmle": {}, "without Eq. 9": options(margin_weight=0.0)},
        attributes=FACES,
        seeds=(0, 1, 2, 3, 4),
        ratios=(),
    ),
    Study(
        "solar-cells-sampling",
        "Sampling and Eq. 9 on photographs with about 37 minority images",
        "Do the sampler and Eq. 9 matter on so few minority images?",
        {
            "clmle": {"data": {"split": -1}},
            "natural sampling": {
                **options(class_power=1.0),
                "train": {"pretrain_method": "softmax"},
                "data": {"split": -1},
            },
            "without Eq. 9": {**options(margin_weight=0.0), "data": {"split": -1}},
            **methods(
                "sampling-without-replacement + threshold tuning",
                "softmax + threshold tuning",
                split=-1,
            ),
        },
        attributes=("Defective",),
        seeds=(*range(10, 20), *range(21, 29)),  # seeds that no other study uses
        ratios=(20,),
        dataset="solar-cells",
    ),
    Study(
        "scale-x-denominator",
        "Scale and denominator of Eq. 9",
        "Does a scale alone correct the printed sum, and how large should it be?",
        {
            f"{denominator}, s = {scale}": options(denominator=denominator, scale=scale)
            for denominator in ("sum", "mean")
            for scale in (1, 8, 32)
        },
    ),
)
