"""Metrics on unseen identities, of every variant of a study."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas

from clmle.studies.statistics import common_block

# Column -> label; fractions of 1, larger is better except for eer.
OPEN_SET_METRICS = {
    "accuracy": "pair accuracy",
    "eer": "equal error rate",
    "tar_2": "TAR at FAR 1e-2",
    "tar_3": "TAR at FAR 1e-3",
    "rank_one": "rank-1 identification",
    "tail": "known identities, tail",
    "head": "known identities, head",
}


def open_set_frame(summaries: Sequence[Mapping[str, Any]]) -> Any:
    """A data frame with one row for each trial that was evaluated on unseen identities."""
    rows = []
    for s in summaries:
        found = s.get("recognition")
        if found is None:
            continue
        v, o = found["verification"], found["open_set"] or {}
        tar = {row["far"]: row["tar"] for row in (o or v)["tar_at_far"]}
        parts = {row["name"]: row["accuracy"] for row in found["by_frequency"]}
        ranks = o.get("rank_one", [])
        rows.append({
            "variant": s["variant"], "method": s["method"], "task": s["task"], "seed": s["seed"],
            "ratio": float(s["config"]["data"]["ratio"]),
            "accuracy": v.get("accuracy"), "eer": v["eer"],
            "tar_2": tar.get(1e-2), "tar_3": tar.get(1e-3),
            "rank_one": ranks[-1]["rate"] if ranks else None,
            "tail": parts.get("tail"), "head": parts.get("head"),
        })  # fmt: skip
    columns = ["variant", "method", "task", "seed", "ratio", *OPEN_SET_METRICS]
    return pandas.DataFrame(rows, columns=columns).astype(dict.fromkeys(OPEN_SET_METRICS, float))


def open_set_table(frame: Any) -> Any:
    """Means of every variant over the seeds that all have, best pair accuracy first."""
    block = common_block(frame)
    means = block.groupby("variant")[list(OPEN_SET_METRICS)].mean()
    means["spread"] = block.groupby("variant")["accuracy"].std(ddof=1)
    means["seeds"] = block.groupby("variant")["seed"].nunique()
    return means.sort_values("accuracy", ascending=False, kind="stable")
