"""Figures of people never seen, of every method of a study: frames, tables, what stands beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clmle.studies.statistics import common_block

# Column -> what it is; shares, larger is better but for eer.
FIGURES = {
    "accuracy": "accuracy of pairs",
    "eer": "equal error rate",
    "tar_2": "TAR at FAR 1e-2",
    "tar_3": "TAR at FAR 1e-3",
    "rank_one": "first among all distractors",
    "tail": "known people, tail",
    "head": "known people, head",
}
# The paper's names in its Tables 2 to 4 of methods that are here too.
HERE = {
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


def recognition_frame(summaries: Sequence[Mapping[str, Any]]) -> Any:
    """A row for each cell that was judged on unseen people: variant, method, task, seed, figures.

    Columns of FIGURES; NaN where a test set cannot say (too few pairs for a FAR, no distractors).
    """
    import pandas

    rows = []
    for s in summaries:
        found = s.get("recognition")
        if found is None:
            continue
        v, o = found["verification"], found["open_set"] or {}
        tar = {row["far"]: row["tar"] for row in (o or v)["tar_at_far"]}
        parts = {row["name"]: row["share"] for row in found["by_frequency"]}
        ranks = o.get("rank_one", [])
        rows.append({
            "variant": s["variant"], "method": s["method"], "task": s["task"], "seed": s["seed"],
            "ratio": float(s["config"]["data"]["ratio"]),
            "accuracy": v.get("accuracy"), "eer": v["eer"],
            "tar_2": tar.get(1e-2), "tar_3": tar.get(1e-3),
            "rank_one": ranks[-1]["share"] if ranks else None,
            "tail": parts.get("tail"), "head": parts.get("head"),
        })  # fmt: skip
    columns = ["variant", "method", "task", "seed", "ratio", *FIGURES]
    return pandas.DataFrame(rows, columns=columns).astype(dict.fromkeys(FIGURES, float))


def recognition_table(frame: Any) -> Any:
    """Means of every variant over the seeds that all have, best pairs first.

    Index: variant. Columns: those of FIGURES, ``spread`` (standard deviation of the accuracy of
    pairs over seeds) and ``seeds``.
    """
    block = common_block(frame)
    means = block.groupby("variant")[list(FIGURES)].mean()
    means["spread"] = block.groupby("variant")["accuracy"].std(ddof=1)
    means["seeds"] = block.groupby("variant")["seed"].nunique()
    return means.sort_values("accuracy", ascending=False, kind="stable")


def paper_comparison(frame: Any, number: int) -> Any:
    """The rows of Tables 2 to 4 that were measured here too, both apart.

    Columns: paper, the published columns (per cent) prefixed by "published: ", here, and ours
    (shares). Published figures are of photographs of other people and of large networks.
    """
    from clmle.paper import table

    printed = table(number).drop_duplicates("method", keep="last").set_index("method")
    ours = recognition_table(frame)
    kept = [(p, h) for p, h in HERE.items() if p in printed.index and h in ours.index]
    published = printed.loc[[p for p, _ in kept]].select_dtypes("number")
    published = published.drop(columns="n_nets", errors="ignore").add_prefix("published: ")
    measured = ours.loc[[h for _, h in kept]]
    published.index.name = measured.index.name = None
    found = published.reset_index(names="paper")
    return found.assign(**measured.reset_index(names="here"))
