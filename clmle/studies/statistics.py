"""Statistics over seeds and tasks: tables of metrics, paired differences, gain by imbalance.

Comparisons use the trials that all compared variants have, restricted to a full block of tasks and
seeds; trials left out are always counted. Metrics are averaged over tasks first, then over seeds:
standard deviations and intervals are those over seeds.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas
import scipy

from clmle.errors import InputError

if TYPE_CHECKING:
    from clmle.studies.study_results import StudyResults

FEWEST = 3  # seeds of an interval: that of two is often wider than the range of the metric
METRICS = (
    "balanced_accuracy", "average_precision", "roc_auc", "mcc", "accuracy",
    "recall_rarest", "recall_commonest", "seconds",
)  # fmt: skip


def trials_frame(summaries: Sequence[Mapping[str, Any]], split: str = "test") -> Any:
    """A data frame with one row for each trial; a multi-label trial has one for each attribute."""
    rows = []
    for s in itertools.chain.from_iterable(each_task(s, split) for s in summaries):
        try:
            counts, found = np.asarray(s["class_counts"]), s[split]
            recall = found["recall"]
            rows.append(
                {
                    **{name: s[name] for name in ("variant", "method", "task", "seed")},
                    "ratio": float(s["config"]["data"]["ratio"]),
                    "minority": counts.min() / counts.sum(),
                    **{name: _number(found[name]) for name in METRICS[:5]},
                    "recall_rarest": _number(recall[int(counts.argmin())]),
                    "recall_commonest": _number(recall[int(counts.argmax())]),
                    "seconds": float(s["seconds"]),
                    "pace": pace(s),
                }
            )
        except (KeyError, TypeError, IndexError, ValueError) as error:
            raise InputError(
                f"The result of {s.get('variant', 'a trial')!r} lacks or garbles {error}; "
                "remove its line and run that trial again."
            ) from error
    columns = ["variant", "method", "task", "seed", "ratio", "minority", *METRICS, "pace"]
    return pandas.DataFrame(rows, columns=columns)


def each_task(summary: Mapping[str, Any], split: str = "test") -> list[Mapping[str, Any]]:
    """Split the summary of a multi-label trial into one per attribute."""
    attributes = summary.get("attributes")
    if not attributes:
        return [summary]
    dataset = summary["task"].rsplit("/", 1)[0]
    return [
        {**summary, "task": f"{dataset}/{name}", **own}
        for name, own in attributes.items()
        if split in own
    ]


def pace(summary: Mapping[str, Any]) -> str:
    """Machine, threads and number format of a trial in words: what its seconds depend on."""
    machine, train = summary.get("machine", {}), summary["config"].get("train", {})
    words = [machine.get("device", "a machine"), f"{machine.get('threads', '?')} threads"]
    return ", ".join([*words, train.get("precision", "auto").replace("auto", "default precision")])


def complete_variants(frame: Any, fraction: float = 0.8) -> tuple[Any, dict[str, int]]:
    """Rows of the variants with at least a fraction of the trials of the most complete one."""
    sizes = frame.groupby("variant").size()
    few = sizes[sizes < fraction * sizes.max()]
    return frame[~frame["variant"].isin(few.index)], {str(k): int(v) for k, v in few.items()}


def common_block(frame: Any) -> Any:
    """Rows of the trials that all variants have: every task with every seed."""
    return frame if frame.empty else frame[_in_common_block(*_keys(frame))]


def _keys(frame: Any) -> tuple[Any, list[tuple[str, float]], Any]:
    """Variant, (task, ratio) and seed of every row; arrays are much faster than data frames."""
    tasks, ratios = frame["task"].to_list(), frame["ratio"].to_list()
    return (
        frame["variant"].to_numpy(dtype=object),
        list(zip(tasks, ratios, strict=True)),
        frame["seed"].to_numpy(),
    )


def _in_common_block(variants: Any, places: Sequence[tuple[str, float]], seeds: Any) -> Any:
    """Which rows (n,) belong to the block of places and seeds that all variants have."""
    kinds, of = np.unique(variants, return_inverse=True)
    _, row = np.unique([f"{task} {ratio}" for task, ratio in places], return_inverse=True)
    _, column = np.unique(seeds, return_inverse=True)
    have = np.zeros((len(kinds), row.max() + 1, column.max() + 1), dtype=bool)
    have[of, row, column] = True
    grid = have.all(axis=0)
    rows, columns = np.arange(grid.shape[0]), np.arange(grid.shape[1])
    while grid.size and not grid.all():
        of_row, of_column = grid.mean(axis=1), grid.mean(axis=0)
        if of_column.min() < of_row.min() or of_row.min() > 0.5:
            dropped = np.flatnonzero(of_column == of_column.min())[-1]
            grid, columns = np.delete(grid, dropped, axis=1), np.delete(columns, dropped)
        else:
            dropped = np.flatnonzero(of_row == of_row.min())[-1]
            grid, rows = np.delete(grid, dropped, axis=0), np.delete(rows, dropped)
    return np.isin(row, rows) & np.isin(column, columns)


def seed_means(frame: Any, metric: str = "balanced_accuracy") -> Any:
    """Mean of a metric over tasks and ratios."""
    return frame.groupby(["variant", "seed"])[metric].mean().unstack("seed")


def variant_table(frame: Any) -> Any:
    """Metrics of every variant on the common block, best balanced accuracy first."""
    block = common_block(frame)
    had = frame.groupby("variant").size()
    per_seed = block.groupby(["variant", "seed"])[list(METRICS)].mean()
    table = per_seed.groupby("variant").mean()
    table["seconds"] = comparable_seconds(block)
    table["spread"] = per_seed["balanced_accuracy"].groupby("variant").std(ddof=1)
    table["tasks"] = block.groupby("variant")["task"].nunique()
    table["seeds"] = block.groupby("variant")["seed"].nunique()
    table["trials"] = block.groupby("variant").size()
    table["left_out"] = had.reindex(table.index) - table["trials"]
    table = table.reset_index().sort_values(
        ["balanced_accuracy", "variant"], ascending=[False, True], kind="stable"
    )
    return table.set_index("variant")


def comparable_seconds(block: Any) -> Any:
    """Mean seconds of each variant on the machine of most variants, then of most trials."""
    return block[block["pace"] == widest_pace(block)].groupby("variant")["seconds"].mean()


def widest_pace(block: Any) -> str:
    """The pace (machine, threads, format) of most variants, then of most trials; "" of none."""
    if block.empty:
        return ""
    kinds = block.groupby("pace")
    return str((kinds["variant"].nunique() + kinds.size() / (len(block) + 1)).idxmax())


@dataclass(frozen=True)
class Difference:
    """Metric of variant ``first`` minus that of ``second``, on the trials that both have."""

    first: str
    second: str
    mean: float  # over tasks, then over seeds
    low: float | None  # 95 % interval over seeds, see :func:`t_interval`
    high: float | None
    bootstrap: tuple[float, float] | None  # 95 % interval with tasks and seeds resampled
    won: int  # trials in which ``first`` is better
    trials: int
    left_out: int  # trials of either that the other lacks
    tasks: int
    seeds: int


def paired_difference(
    frame: Any,
    first: str,
    second: str,
    metric: str = "balanced_accuracy",
    *,
    n_bootstrap: int = 2000,
    seed: int = 0,
) -> Difference | None:
    """Paired difference of two variants."""
    variants, places, seeds = _keys(frame)
    two = np.flatnonzero((variants == first) | (variants == second))
    variants, places, seeds = variants[two], [places[i] for i in two], seeds[two]
    if len(set(variants)) < 2:
        return None
    inside = _in_common_block(variants, places, seeds)
    if not inside.any():
        return None
    kept = np.flatnonzero(inside)
    row = {place: i for i, place in enumerate(sorted({places[i] for i in kept}))}
    column = {one: j for j, one in enumerate(np.unique(seeds[kept]))}
    matrix = np.zeros((len(row), len(column)))
    if len(kept) != 2 * matrix.size:
        raise InputError(f"A trial of {first!r} or {second!r} has two results; keep one of them.")
    for i, value in zip(kept, frame[metric].to_numpy(dtype=np.float64)[two[kept]], strict=True):
        matrix[row[places[i]], column[seeds[i]]] += value if variants[i] == first else -value
    per_seed = matrix.mean(axis=0)
    low, high = t_interval(per_seed, (-2.0, 2.0) if metric == "mcc" else (-1.0, 1.0))
    return Difference(
        first,
        second,
        float(per_seed.mean()),
        low,
        high,
        _bootstrap(matrix, n_bootstrap, seed),
        int((matrix > 0).sum()),
        matrix.size,
        len(set(zip(variants, places, seeds, strict=True))) - 2 * matrix.size,
        matrix.shape[0],
        matrix.shape[1],
    )


def differences(
    frame: Any, variants: Sequence[str], base: str, metric: str = "balanced_accuracy"
) -> dict[str, Difference]:
    """Each variant minus ``base``, of those that share a task and a seed with it."""
    found = {n: paired_difference(frame, n, base, metric, n_bootstrap=0) for n in variants}
    return {name: d for name, d in found.items() if d is not None}


def reference_difference(
    study: StudyResults, variant: str, metric: str = "balanced_accuracy"
) -> Difference | None:
    """Metric of the reference of a study minus that of a variant that lacks one component."""
    base = study.reference if study.summaries else ""
    if not {base, variant} <= set(study.variants) or base == variant:
        return None
    return paired_difference(study.frame, base, variant, metric, n_bootstrap=0)


def t_interval(
    values: Sequence[float] | np.ndarray, bounds: tuple[float, float] = (-1.0, 1.0)
) -> tuple[float | None, float | None]:
    """95 % interval of a mean by Student's t, cut at the ``bounds`` of the values.

    None for fewer than three values, and for equal ones: they do not show how much values vary.
    """
    x = np.asarray(values, dtype=np.float64)
    if len(x) < FEWEST or np.ptp(x) == 0:
        return None, None
    half = scipy.stats.t.ppf(0.975, len(x) - 1) * x.std(ddof=1) / np.sqrt(len(x))
    low, high = np.clip([x.mean() - half, x.mean() + half], *bounds)
    return float(low), float(high)


def metric_interval(values: Any, metric: str) -> tuple[float | None, float | None]:
    """:func:`t_interval` of the values of a metric; only the correlation can be below 0."""
    return t_interval(values, (-1.0 if metric == "mcc" else 0.0, 1.0))


def gain_by_task(frame: Any, variant: str, baseline: str) -> Any:
    """Gain of one variant over another on every task, the most balanced task first."""
    two = frame[frame["variant"].isin([variant, baseline])]
    rows = []
    for task, group in two.groupby("task"):
        values = group.set_index(["variant", "ratio", "seed"])["balanced_accuracy"]
        if group["variant"].nunique() < 2:
            continue
        gains = (values.loc[variant] - values.loc[baseline]).dropna().groupby("seed").mean()
        if gains.empty:
            continue
        low, high = t_interval(gains.to_numpy())
        minority = float(group["minority"].mean())
        rows.append((task, minority, 50 - 100 * minority, gains.mean(), low, high, len(gains)))
    names = ["task", "minority", "level", "gain", "low", "high", "seeds"]
    table = pandas.DataFrame(rows, columns=names).astype({"low": float, "high": float})
    return table.sort_values(["level", "task"], kind="stable").reset_index(drop=True)


def rank_correlation(x: Sequence[float], y: Sequence[float]) -> tuple[float, float] | None:
    """Spearman's rank correlation."""
    if len(x) < 3 or len(set(x)) == 1 or len(set(y)) == 1:
        return None
    found = scipy.stats.spearmanr(x, y)
    return float(found.statistic), float(found.pvalue)


def _bootstrap(matrix: np.ndarray, n: int, seed: int) -> tuple[float, float] | None:
    """95 % interval of the mean of a (tasks, seeds) matrix, both resampled independently."""
    if matrix.shape[1] < FEWEST or n < 1:
        return None
    rng = np.random.default_rng(seed)
    n_tasks, n_seeds = matrix.shape
    tasks = rng.multinomial(n_tasks, np.full(n_tasks, 1 / n_tasks), size=n) / n_tasks
    seeds = rng.multinomial(n_seeds, np.full(n_seeds, 1 / n_seeds), size=n) / n_seeds
    low, high = np.quantile(((tasks @ matrix) * seeds).sum(axis=1), [0.025, 0.975])
    return float(low), float(high)


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
