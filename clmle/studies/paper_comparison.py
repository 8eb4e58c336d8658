"""Rows of the paper's tables next to the variants measured here, and its gains of Fig. 9.

Published values are of photographs and large networks, those measured here of other data and small
networks: the order of rows may be compared, their values may not.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas

from clmle.errors import InputError
from clmle.paper import paper_attribute, table
from clmle.studies.open_set_table import open_set_table
from clmle.studies.statistics import (
    common_block,
    complete_variants,
    metric_interval,
    seed_means,
    variant_table,
)
from clmle.studies.study_results import StudyResults

# The paper's names of methods that exist here. In Tables 2 to 4:
RECOGNITION_METHODS = {
    "Softmax": "softmax",
    "Softmax+Contrastive": "contrastive",
    "Triplet": "triplet",
    "L-Softmax": "l-softmax",
    "Softmax+Center": "center",
    "SphereFace (A-Softmax)": "sphereface",
    "CosFace (LMCL)": "cosface",
    "Marginal loss": "marginal",
    "Noisy Softmax": "noisy-softmax",
    "CoCo loss": "coco",
    "Range loss": "range",
    "Augmentation": "minority-augmentation",
    "Center invariant loss": "center-invariant",
    "Feature transfer": "feature-transfer",
    "LMLE": "lmle",
    "CLMLE": "clmle",
}
# In Tables 5 and 6:
ATTRIBUTE_METHODS = {
    "Triplet-kNN": "triplet",
    "Over-sampling": "oversampling",
    "Down-sampling": "undersampling",
    "Cost-sensitive": "class-weighting (inverse)",
    "CRL-I": "crl",
    "LMLE": "lmle",
    "CLMLE": "clmle",
    "MOON": "moon",
}
# Rows of Table 7, and the variants of the study table7:
COMPONENTS = {
    "CLMLE": "clmle",
    "uniform cluster sampling": "uniform query clusters",
    "no cost-sensitive learning": "no class weights",
    "k-NN classifier instead of Eq. 10": "k-NN classifier",
}


def measured(study: StudyResults, names: Mapping[str, str]) -> Any:
    """Balanced accuracy, in per cent, of the variants in ``names`` (the paper's name -> ours)."""
    columns = ["paper", "here", "balanced_accuracy", "low", "high", "trials", "tasks", "seeds"]
    kept, _ = complete_variants(study.frame)
    found = variant_table(kept)
    if found.empty:
        return pandas.DataFrame(columns=columns)
    means = seed_means(common_block(kept))
    rows = []
    for printed, name in names.items():
        if name in found.index:
            r = found.loc[name]
            span = metric_interval(means.loc[name], "balanced_accuracy")
            ends = (None if v is None else 100 * v for v in span)
            counts = (int(r[n]) for n in columns[-3:])
            rows.append((printed, name, 100 * r["balanced_accuracy"], *ends, *counts))
    return pandas.DataFrame(rows, columns=columns).astype({"low": float, "high": float})


def paper_comparison(frame: Any, number: int) -> Any:
    """The rows of Table 2, 3 or 4 whose methods were measured here."""
    printed = table(number).drop_duplicates("method", keep="last").set_index("method")
    ours = open_set_table(frame)
    kept = [
        (p, h) for p, h in RECOGNITION_METHODS.items() if p in printed.index and h in ours.index
    ]
    published = printed.loc[[p for p, _ in kept]].select_dtypes("number")
    published = published.drop(columns="n_nets", errors="ignore").add_prefix("published: ")
    here = ours.loc[[h for _, h in kept]]
    published.index.name = here.index.name = None
    found = published.reset_index(names="paper")
    return found.assign(**here.reset_index(names="here"))


def published(attributes: Iterable[str]) -> Any:
    """Return Table 5 of the paper for some attributes, as fractions of 1."""
    found = table(5).set_index("attribute")
    wanted = list(attributes)
    rows = found.reindex([paper_attribute(name) or "" for name in wanted]).astype(float)
    rows.index = wanted
    level = rows.pop("imbalance_level")
    rows = rows / 100
    rows.insert(0, "level", level)
    return rows


def published_gains(baseline: str, method: str = "CLMLE") -> Any:
    """Return the gains of Fig. 9 of the paper, from its Table 5."""
    found = table(5).dropna(subset=["imbalance_level"])
    for name in (baseline, method):
        if name not in found.columns[2:]:
            raise InputError(
                f"Table 5 has no method {name!r}; choose among: {', '.join(found.columns[2:])}."
            )
    level = found["imbalance_level"].astype(float)
    gain = (found[method] - found[baseline]).astype(float) / 100
    frame = found[["attribute"]].rename(columns={"attribute": "task"})
    frame = frame.assign(
        minority=0.5 - level / 100, level=level, gain=gain, low=float("nan"), high=float("nan"),
        seeds=1,
    )  # fmt: skip
    return frame.dropna(subset=["gain"]).reset_index(drop=True)
