"""Metrics of every attribute, from single runs, multi-label runs and studies alike.

A *learner* is a column of comparison: a method with its hyper-parameters, whatever its seeds and
runs. Learners are comparable on the same *data* (set, size, imbalance) only, where they share the
test images.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas

from clmle.config import several
from clmle.data.registry import find_dataset
from clmle.errors import InputError
from clmle.run_folder import RunFolder
from clmle.studies.statistics import METRICS, gain_by_task, t_interval
from clmle.studies.study_results import FAMILY, OURS, StudyResults

ATTRIBUTE_METRICS = METRICS[:5]
COLUMNS = (
    "data", "learner", "method", "attribute", "seed", "minority", *ATTRIBUTE_METRICS, "confusion",
    "run",
)  # fmt: skip
MACHINE = ("device", "threads", "precision", "seed")


def study_rows(study: StudyResults, origin: str = "") -> list[dict[str, Any]]:
    """One row for each trial of a study with a binary target.

    Learners are called "variant (study)", with ``origin`` before the study's name.
    """
    rows = []
    for s in study.summaries:
        data, counts = s["config"]["data"], s["class_counts"]
        if len(counts) == 2 and several(data["attribute"]) is None:
            rows.append(
                {
                    "data": _data_label(data),
                    "learner": f"{s['variant']} ({f'{origin} {study.name}'.strip()})",
                    "method": s["method"],
                    "seed": s["seed"],
                    "run": "",
                    **_attribute(s["task"].rsplit("/", 1)[-1], counts, s["test"]),
                }
            )
    return rows


def run_rows(runs: Iterable[RunFolder]) -> tuple[list[dict[str, Any]], list[str]]:
    """Make one row per attribute of every finished run."""
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


def without_metrics(runs: Iterable[RunFolder]) -> list[str]:
    """List the attributes of runs without metrics (a class has no training or no test image)."""
    names: dict[str, None] = {}
    for run in runs:
        result = run.result() or {}
        left = result.get("test", {}).get("left_out", ())
        names |= dict.fromkeys([*result.get("no_training", ()), *left])
    return list(names)


def attribute_frame(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Make a data frame of rows, the first of each learner, attribute and seed."""
    frame = pandas.DataFrame(rows, columns=list(COLUMNS))
    return frame.drop_duplicates(["data", "learner", "attribute", "seed"], ignore_index=True)


def compared(frame: Any, learners: Sequence[str], metric: str = "balanced_accuracy") -> Any:
    """Mean of a metric over seeds, the most balanced attribute first."""
    mine = frame[frame["learner"].isin(learners)]
    groups = mine.groupby(["attribute", "learner"])[metric]
    means = groups.mean().unstack("learner").reindex(columns=list(learners))
    seeds = groups.count().unstack("learner").reindex(columns=list(learners)).fillna(0).astype(int)
    minority = mine.groupby("attribute")["minority"].mean()
    means.insert(0, "minority", minority)
    means.insert(1, "level", 50 - 100 * minority)
    table = means.join(seeds.add_prefix("seeds of ")).reset_index()
    return table.sort_values(["level", "attribute"], kind="stable", ignore_index=True)


def default_pair(frame: Any) -> tuple[str, str]:
    """CLMLE's learner with most attributes, and its strongest baseline among those with most.

    The baseline shares an attribute and a seed with it, if any does. Trials that several studies
    share count for the study with most learners. Without such a pair: the first two learners, ""
    for a missing second.
    """
    sizes = frame.groupby("learner")["attribute"].nunique()
    means = frame.groupby("learner")["balanced_accuracy"].mean()
    methods = frame.groupby("learner")["method"].first()
    study = {n: n.rpartition(" (")[2] for n in sizes.index}
    siblings = Counter(study.values())
    order = sorted(sizes.index, key=lambda n: (-sizes[n], -means[n], -siblings[study[n]], n))
    ours = next((n for n in order if methods[n] == OURS), order[0])
    trials = {
        n: set(zip(c["attribute"], c["seed"], strict=True)) for n, c in frame.groupby("learner")
    }
    others = [n for n in order if n != ours]
    others = [n for n in others if trials[n] & trials[ours]] or others
    baseline = [n for n in others if methods[n] not in FAMILY]
    return ours, (baseline or others or [""])[0]


def gains(frame: Any, learner: str, baseline: str) -> Any:
    """Gain of one learner over another on every attribute that both have, paired by seed."""
    named = frame.rename(columns={"learner": "variant", "attribute": "task"}).assign(ratio=1.0)
    return gain_by_task(named, learner, baseline)


def mean_gain(gain: Any) -> tuple[float, float | None, float | None, int]:
    """Mean gain over attributes with its interval."""
    values = gain["gain"].to_numpy(dtype=float)
    return (float(values.mean()), *t_interval(values), int((values > 0).sum()))


def confusion_of(frame: Any, learner: str, attribute: str) -> list[list[int]] | None:
    """Sum the confusion matrices of test images over seeds."""
    rows = frame[(frame["learner"] == learner) & (frame["attribute"] == attribute)]
    if rows.empty:
        return None
    counts: list[list[int]] = np.sum(list(rows["confusion"]), axis=0).astype(int).tolist()
    return counts


def _of_run(
    run: RunFolder, config: Mapping[str, Any], result: Mapping[str, Any]
) -> list[dict[str, Any]]:
    test, counts = result["test"], result["class_counts"]
    base = {
        "data": _data_label(config["data"]),
        "method": config["method"],
        "seed": config["train"]["seed"],
        "run": run.name,
    }
    if "attributes" in test:  # attributes without metrics have counts, too
        of = dict(zip(result["attributes"], counts, strict=True))
        return [base | _attribute(n, of[n], metrics) for n, metrics in test["attributes"].items()]
    if len(counts) != 2:
        return []
    return [base | _attribute(result["task"].rsplit("/", 1)[-1], counts, test)]


def _learner(config: Mapping[str, Any], run: RunFolder, names: dict[str, str]) -> str:
    """Name of a run's learner; other hyper-parameters of the same method add the run's time."""
    data = config["data"] | {"attribute": ""}
    train = {k: v for k, v in config["train"].items() if k not in MACHINE}
    together = several(config["data"]["attribute"]) is not None
    key = json.dumps((config["method"], config["options"], data, train, together), sort_keys=True)
    if key not in names:
        kind = "multi-label" if together else "single-label"
        stem = f"{config['method']} (runs, {kind}"
        taken = any(n.startswith(stem) for n in names.values())
        names[key] = f"{stem}, {run.name[:15]})" if taken else f"{stem})"  # newest run's time
    return names[key]


def _data_label(data: Mapping[str, Any]) -> str:
    """For example "toonfaces quick, other faces for each seed, thinned to 20 : 1"."""
    name = str(data["dataset"]).rstrip("/").rsplit("/", 1)[-1]
    info = find_dataset(name)
    rendered = info is not None and bool(info.sizes)
    size = f" {data['size']}" if rendered else ""
    split = data.get("split", 0)
    if rendered and split:
        size += ", other faces for each seed" if split < 0 else f", faces {split}"
    thinned = "" if data["imbalance"] == "none" else f", thinned to {data['ratio']:g} : 1"
    return f"{name}{size}{thinned}"


def _attribute(name: str, counts: Sequence[int], metrics: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "attribute": name,
        "minority": min(counts) / max(1, sum(counts)),
        **{m: np.nan if metrics[m] is None else float(metrics[m]) for m in ATTRIBUTE_METRICS},
        "confusion": metrics["confusion"],
    }
