"""Figures of every attribute, of single runs, of runs of many attributes, and of studies alike.

A *learner* is a column of comparison: a method with its settings, whatever seeds and runs it has.
Only learners on the same *data* (set, size, thinning) are compared: their test images are the same.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from clmle.config import several
from clmle.data.registry import find_dataset
from clmle.errors import InputError
from clmle.paper import paper_attribute, table
from clmle.run_folder import RunFolder
from clmle.studies.statistics import gain_by_task, t_interval
from tools.report.study import FAMILY, OURS, Study

FIGURES = ("balanced_accuracy", "average_precision", "roc_auc", "mcc", "accuracy")
COLUMNS = (
    "data", "learner", "method", "attribute", "seed", "minority", *FIGURES, "confusion", "run",
)  # fmt: skip
MACHINE = ("device", "threads", "precision", "seed")


def study_rows(study: Study, origin: str = "") -> list[dict[str, Any]]:
    """A row for each cell of ``study`` on a binary target; its learners are called
    "variant (study)", with ``origin`` before the study's name."""
    rows = []
    for s in study.summaries:
        data = s["config"]["data"]
        if len(s["class_counts"]) != 2 or several(data["attribute"]) is not None:
            continue
        rows.append(
            {
                "data": _data(data),
                "learner": f"{s['variant']} ({' '.join([origin, study.name]).strip()})",
                "method": s["method"],
                "attribute": s["task"].rsplit("/", 1)[-1],
                "seed": s["seed"],
                "minority": _minority(s["class_counts"]),
                "run": "",
                **_figures(s["test"]),
            }
        )
    return rows


def run_rows(runs: Iterable[RunFolder]) -> tuple[list[dict[str, Any]], list[str]]:
    """A row for each attribute of each finished run, and a sentence for each run not readable.

    Runs whose settings differ in nothing but attribute and seed are one learner.
    """
    rows: list[dict[str, Any]] = []
    broken = []
    names: dict[str, str] = {}
    for run in runs:
        try:
            result = run.result()
            if result is None:
                continue
            config = run.config()
            label = _learner(config, run, names)
            rows += [row | {"learner": label} for row in _of_run(run, config, result)]
        except InputError as error:
            broken.append(str(error))
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            broken.append(f"Run {run.name} lacks or garbles {error}; delete it or train it again.")
    return rows, broken


def unjudged(runs: Iterable[RunFolder]) -> list[str]:
    """Attributes of these runs that are in no figure: nothing to learn from, or to judge by."""
    names: dict[str, None] = {}
    for run in runs:
        result = run.result() or {}
        left = result.get("test", {}).get("left_out", ())
        names |= dict.fromkeys([*result.get("no_training", ()), *left])
    return list(names)


def attribute_frame(rows: Sequence[Mapping[str, Any]]) -> Any:
    """The rows as a data frame; of the same learner, attribute and seed the first stays."""
    import pandas

    frame = pandas.DataFrame(rows, columns=list(COLUMNS))
    return frame.drop_duplicates(["data", "learner", "attribute", "seed"], ignore_index=True)


def compared(frame: Any, learners: Sequence[str], measure: str = "balanced_accuracy") -> Any:
    """Mean of ``measure`` over seeds: a row an attribute, best balanced first, a column a learner.

    Also ``minority`` (share of the rarer kind), ``level`` (50 less it in per cent, as in the
    paper) and, for each learner, "seeds of LEARNER".
    """
    mine = frame[frame["learner"].isin(learners)]
    groups = mine.groupby(["attribute", "learner"])[measure]
    means = groups.mean().unstack("learner").reindex(columns=list(learners))
    seeds = groups.count().unstack("learner").reindex(columns=list(learners)).fillna(0).astype(int)
    minority = mine.groupby("attribute")["minority"].mean()
    means.insert(0, "minority", minority)
    means.insert(1, "level", 50 - 100 * minority)
    table_ = means.join(seeds.add_prefix("seeds of ")).reset_index()
    return table_.sort_values(["level", "attribute"], kind="stable", ignore_index=True)


def default_pair(frame: Any) -> tuple[str, str]:
    """A learner of the method and its strongest rival, of those with most attributes.

    The rival shares an attribute and a seed with it, where any does. Cells that several studies
    share count as those of the study with most learners. The first two learners where there is no
    such; "" for want of a second.
    """
    sizes = frame.groupby("learner")["attribute"].nunique()
    means = frame.groupby("learner")["balanced_accuracy"].mean()
    methods = frame.groupby("learner")["method"].first()
    study = {n: n.rpartition(" (")[2] for n in sizes.index}
    beside = Counter(study.values())
    order = sorted(sizes.index, key=lambda n: (-sizes[n], -means[n], -beside[study[n]], n))
    ours = next((n for n in order if methods[n] == OURS), order[0])
    trials = {
        n: set(zip(c["attribute"], c["seed"], strict=True)) for n, c in frame.groupby("learner")
    }
    others = [n for n in order if n != ours]
    others = [n for n in others if trials[n] & trials[ours]] or others
    baseline = [n for n in others if methods[n] not in FAMILY]
    return ours, (baseline or others or [""])[0]


def gains(frame: Any, learner: str, baseline: str) -> Any:
    """Gain of one learner over another on every attribute both have, paired by seed.

    Columns as :func:`~clmle.studies.statistics.gain_by_task`, ``task`` being the attribute.
    """
    named = frame.rename(columns={"learner": "variant", "attribute": "task"}).assign(ratio=1.0)
    return gain_by_task(named, learner, baseline)


def mean_gain(gain: Any) -> tuple[float, float | None, float | None, int]:
    """Mean over attributes, its 95 % t-interval over attributes, and how many gain."""
    values = gain["gain"].to_numpy(dtype=float)
    return (float(values.mean()), *t_interval(values), int((values > 0).sum()))


def published(attributes: Iterable[str]) -> Any:
    """The paper's Table 5 for these attributes: index as given, shares instead of per cent.

    Columns are its methods and ``level``; a row is NaN where the paper has no such attribute or
    it could not be read.
    """
    found = table(5).set_index("attribute")
    wanted = list(attributes)
    rows = found.reindex([paper_attribute(name) or "" for name in wanted])
    rows.index = wanted
    rows = rows.rename(columns={"imbalance_level": "level"}).astype(float)
    methods = [c for c in rows.columns if c != "level"]
    rows[methods] = rows[methods] / 100
    return rows


def published_gains(baseline: str, method: str = "CLMLE") -> Any:
    """The paper's Fig. 9 from its Table 5: gain of ``method`` on every attribute that is legible.

    Columns as :func:`gains`; the paper gives no intervals.

    Raises
    ------
    InputError
        A method that Table 5 does not have.
    """
    found = table(5).dropna(subset=["imbalance_level"])
    for name in (baseline, method):
        if name not in found.columns[2:]:
            raise InputError(
                f"Table 5 has no method {name!r}; choose among: {', '.join(found.columns[2:])}."
            )
    gain = (found[method] - found[baseline]).astype(float) / 100
    level = found["imbalance_level"].astype(float)
    nothing = np.nan
    frame = found[["attribute"]].rename(columns={"attribute": "task"})
    frame = frame.assign(minority=0.5 - level / 100, level=level, gain=gain,
                         low=nothing, high=nothing, seeds=1)  # fmt: skip
    return frame.dropna(subset=["gain"]).reset_index(drop=True)


def confusion_of(frame: Any, learner: str, attribute: str) -> list[list[int]] | None:
    """Counts (true, judged) of test images, the sum over seeds; None where there are none."""
    rows = frame[(frame["learner"] == learner) & (frame["attribute"] == attribute)]
    if rows.empty:
        return None
    total = np.sum([np.asarray(c) for c in rows["confusion"]], axis=0)
    counts: list[list[int]] = total.astype(int).tolist()
    return counts


def _of_run(
    run: RunFolder, config: Mapping[str, Any], result: Mapping[str, Any]
) -> list[dict[str, Any]]:
    test, counts = result["test"], np.asarray(result["class_counts"])
    base = {
        "data": _data(config["data"]),
        "method": config["method"],
        "seed": config["train"]["seed"],
        "run": run.name,
    }
    if "attributes" not in test:
        if counts.shape != (2,):
            return []
        attribute = result["task"].rsplit("/", 1)[-1]
        return [base | {"attribute": attribute, "minority": _minority(counts), **_figures(test)}]
    each = test["attributes"]
    # Those left out of the figures have counts too; results of earlier versions do not name them.
    names = result.get("attributes", list(each))
    of = dict(zip(names, counts, strict=True)) if len(names) == len(counts) else {}
    rows = []
    for name, metrics in each.items():
        share = _minority(of.get(name, np.sum(metrics["confusion"], axis=1)))
        rows.append(base | {"attribute": name, "minority": share, **_figures(metrics)})
    return rows


def _learner(config: Mapping[str, Any], run: RunFolder, names: dict[str, str]) -> str:
    """What a run's learner is called; runs of other settings get a number or another."""
    data = {k: v for k, v in config["data"].items() if k != "attribute"}
    train = {k: v for k, v in config["train"].items() if k not in MACHINE}
    together = several(config["data"]["attribute"]) is not None
    facts = (config["method"], config["options"], data, train, together)
    key = json.dumps(facts, sort_keys=True)
    if key not in names:
        kind = "all together" if together else "one at a time"
        name = f"{config['method']} (runs, {kind})"
        taken = sum(n.startswith(name.removesuffix(")")) for n in names.values())
        stamp = run.name[:15]  # of its latest run: runs come newest first
        names[key] = name if not taken else f"{name.removesuffix(')')}, {stamp})"
    return names[key]


def _data(data: Mapping[str, Any]) -> str:
    """toonfaces quick, other faces for each seed, thinned to 20 : 1."""
    name = str(data["dataset"]).rstrip("/").rsplit("/", 1)[-1]
    info = find_dataset(name)
    rendered = info is not None and bool(info.sizes)
    size = f" {data['size']}" if rendered else ""
    split = data.get("split", 0)
    if rendered and split:  # results before there was a choice have none
        size += ", other faces for each seed" if split < 0 else f", faces {split}"
    thinned = "" if data["imbalance"] == "none" else f", thinned to {data['ratio']:g} : 1"
    return f"{name}{size}{thinned}"


def _figures(metrics: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **{f: np.nan if metrics[f] is None else float(metrics[f]) for f in FIGURES},
        "confusion": metrics["confusion"],
    }


def _minority(counts: Any) -> float:
    counts = np.asarray(counts)
    return float(counts.min() / max(1, counts.sum()))
