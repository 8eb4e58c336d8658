"""Estimated time of the trials that a study has not run yet."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from clmle.studies.runner import cores
from clmle.studies.trials import Trial, pending

Summaries = Sequence[Mapping[str, Any]]
SIMILAR = (
    ("data", "dataset"), ("data", "size"), ("data", "image_size"),
    ("train", "backbone"), ("train", "batch_size"),
)  # fmt: skip


@dataclass(frozen=True)
class Forecast:
    """Number of trials in all and ``done``; estimated ``seconds`` of the others, or None.

    ``basis`` says which finished trials the estimate comes from ("" without one).
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
    """Estimate the time of the trials that are left."""
    known = {summary["key"] for summary in siblings}
    left = [trial for trial in pending(trials, results) if trial.key not in known]
    jobs, total = jobs or cores(), len(pending(trials))
    facts = (total, total - len(left), jobs)
    if not left:
        return Forecast(*facts, 0.0, "")
    own = results or siblings
    if own:
        seconds = estimate_seconds(left, own, jobs)
        return Forecast(*facts, seconds, "from the duration of the finished trials")
    each = [_by_iterations(trial, elsewhere) for trial in left]
    if None in each:
        return Forecast(*facts, None, "")
    machines = sorted({str(s.get("machine", {}).get("device", "a machine")) for s in elsewhere})
    seconds = sum(s for s in each if s is not None) / jobs
    return Forecast(*facts, seconds, f"at the speed of {' or '.join(machines)}")


def estimate_seconds(trials: Iterable[Trial], results: Summaries, jobs: int = 1) -> float | None:
    """Seconds of ``trials``, ``jobs`` at a time; None without a finished trial to estimate from.

    Each is expected to take the mean of the finished trials of its variant, else of its method,
    else of all.
    """
    if not results:
        return None
    spent: dict[str, list[float]] = {}
    for r in results:
        for group in (f"variant {r['variant']}", f"method {r['method']}", "all"):
            spent.setdefault(group, []).append(r["seconds"])
    total = 0.0
    for trial in trials:
        groups = (f"variant {trial.variant}", f"method {trial.config.method}", "all")
        total += fmean(next(spent[group] for group in groups if group in spent))
    return total / jobs


def _by_iterations(trial: Trial, summaries: Summaries) -> float | None:
    """Seconds of a trial from similar ones: of its method, else of all methods."""
    tree = trial.config.to_dict()
    similar = [
        s for s in summaries if all(s["config"][p].get(n) == tree[p][n] for p, n in SIMILAR)
    ]  # fmt: skip
    similar = [s for s in similar if s["method"] == trial.config.method] or similar
    if not similar:
        return None
    per_step = [s["seconds"] / max(1, s["config"]["train"]["iterations"]) for s in similar]
    return fmean(per_step) * trial.config.train.iterations
