"""Which trials used a reduced number format: trials of one table should share theirs."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from clmle.studies.study_results import OURS
from clmle.text import listed

MOST_NAMED = 5


def in_bfloat16(summaries: Iterable[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    """Trials in bfloat16 and all trials, of every variant that has any in bfloat16."""
    total: Counter[str] = Counter()
    reduced: Counter[str] = Counter()
    for summary in summaries:
        total[summary["variant"]] += 1
        reduced[summary["variant"]] += summary["config"]["train"].get("precision") == "bfloat16"
    return {name: (n, total[name]) for name, n in reduced.items() if n}


def description(summaries: Sequence[Mapping[str, Any]]) -> str:
    """The number format of a study's trials in words."""
    found = in_bfloat16(summaries)
    if not found:
        return "the same in all trials"
    if len(found) <= MOST_NAMED:
        parts = listed([f"{n} of {total} of {name}" for name, (n, total) in found.items()])
    else:
        n = sum(n for n, _ in found.values())
        parts = f"{n} of {len(summaries)}" + ("" if OURS in found else f", none of {OURS}")
    return f"float32, but bfloat16 in these trials: {parts}"
