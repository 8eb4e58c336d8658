"""How many cells a sweep has, how many are done, and how long the others will take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from clmle.studies.runner import cores
from clmle.studies.trials import Trial, estimate_seconds, waiting

Summaries = Sequence[Mapping[str, Any]]
ALIKE = (
    ("data", "dataset"), ("data", "size"), ("data", "image_size"),
    ("train", "backbone"), ("train", "batch_size"),
)  # fmt: skip


@dataclass(frozen=True)
class Forecast:
    """``cells`` in all, ``done`` of them; ``seconds`` for the others, None where nobody knows.

    ``basis`` says from which finished cells the seconds are told, "" where they are not.
    """

    trials: int
    done: int
    jobs: int
    seconds: float | None
    basis: str

    @property
    def left(self) -> int:
        return self.trials - self.done


def forecast(
    trials: Sequence[Trial],
    results: Summaries,
    siblings: Summaries = (),
    elsewhere: Summaries = (),
    jobs: int = 0,
) -> Forecast:
    """What is ahead of a sweep of ``cells``, ``jobs`` at a time (0: one a core).

    ``results`` are the sweep's own, ``siblings`` those of the same folder, which count as done
    too. ``elsewhere``, where neither tells anything, are results of any machine: cells on the
    same data, backbone and batch size, in proportion to their iterations.
    """
    known = {summary["key"] for summary in siblings}
    left = [trial for trial in waiting(trials, results) if trial.key not in known]
    jobs = jobs or cores()
    facts = (len(waiting(trials, [])), len(waiting(trials, [])) - len(left), jobs)
    if not left:
        return Forecast(*facts, 0.0, "")
    own = results or siblings
    if own:
        return Forecast(*facts, estimate_seconds(left, own, jobs), "as long as the finished took")
    each = [_by_iterations(trial, elsewhere) for trial in left]
    if not each or None in each:
        return Forecast(*facts, None, "")
    total = sum(seconds for seconds in each if seconds is not None)
    machines = sorted({str(s.get("machine", {}).get("device", "a machine")) for s in elsewhere})
    return Forecast(*facts, total / jobs, f"at the pace of {' or '.join(machines)}")


def _by_iterations(trial: Trial, summaries: Summaries) -> float | None:
    """Seconds of a cell from finished ones alike: of its method, else of all."""
    tree = trial.config.to_dict()
    alike = [
        s for s in summaries if all(s["config"][p].get(n) == tree[p][n] for p, n in ALIKE)
    ]  # fmt: skip
    alike = [s for s in alike if s["method"] == trial.config.method] or alike
    if not alike:
        return None
    paces = [s["seconds"] / max(1, s["config"]["train"]["iterations"]) for s in alike]
    return fmean(paces) * trial.config.train.iterations
