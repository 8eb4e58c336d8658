"""The paper's methods and variants as measured here: what may stand beside its tables."""

from __future__ import annotations

from typing import Any

from clmle.studies.statistics import (
    common_block,
    complete_variants,
    seed_means,
    t_interval,
    trials_frame,
    variant_table,
)
from tools.report.published import HERE
from tools.report.study import Study

# Rows of Table 7 and the variants of the study table7 that answer to them.
PARTS = {
    "CLMLE": "clmle",
    "uniform cluster sampling": "uniform query",
    "no cost-sensitive learning": "no cost weights",
    "k-NN classifier instead of Eq. 10": "k-nn rule",
}
METHODS = HERE


def measured(study: Study, names: dict[str, str]) -> Any:
    """Balanced accuracy of the variants in ``names`` (the paper's name -> ours), in per cent.

    A data frame: ``paper``, ``here``, ``balanced_accuracy``, ``low``, ``high`` (95 % interval over
    seeds, NaN for one), ``cells``, ``tasks``, ``seeds``. Names without a result are left out.
    """
    import pandas

    columns = ["paper", "here", "balanced_accuracy", "low", "high", "cells", "tasks", "seeds"]
    kept, _ = complete_variants(trials_frame(study.summaries))
    table = variant_table(kept)
    if table.empty:
        return pandas.DataFrame(columns=columns)
    means = seed_means(common_block(kept))
    rows = []
    for printed, name in names.items():
        if name not in table.index:
            continue
        r = table.loc[name]
        low, high = (None if v is None else 100 * v for v in t_interval(means.loc[name]))
        facts = (int(r["cells"]), int(r["tasks"]), int(r["seeds"]))
        rows.append((printed, name, 100 * r["balanced_accuracy"], low, high, *facts))
    return pandas.DataFrame(rows, columns=columns).astype({"low": float, "high": float})
