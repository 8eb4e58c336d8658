"""A results file together with the study that it belongs to."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from clmle.config import flat, leaf
from clmle.data.registry import find_dataset
from clmle.errors import InputError
from clmle.methods import get_method
from clmle.studies.catalog import STUDIES
from clmle.studies.results import intact_results
from clmle.studies.statistics import each_task, trials_frame
from clmle.text import counted

OURS = "clmle"
FAMILY = ("clmle", "clmle-paper")  # not baselines of each other
FIXED = ("data.attribute", "data.ratio", "data.imbalance", "train.seed", "train.device",
         "train.threads", "train.precision")  # fmt: skip


@dataclass(frozen=True, eq=False)
class StudyResults:
    """The results of a study."""

    name: str
    path: str  # of the results file, as it is displayed
    title: str
    question: str
    summaries: Sequence[Mapping[str, Any]]  # one for each trial, see :func:`read_results`
    order: Sequence[str] = ()  # variants in the study's own order
    asked: str = ""  # arguments of ``clmle ablate`` that produced it; the name by default
    damaged: tuple[str, ...] = ()  # sentences about lines that are left out

    @cached_property
    def frame(self) -> Any:
        """The data frame of its test metrics (:func:`trials_frame`)."""
        return trials_frame(self.summaries)

    @property
    def command(self) -> str:
        """The command that runs the missing trials."""
        return f"python -m clmle ablate {self.asked or self.name} --results {self.path}"

    @property
    def variants(self) -> list[str]:
        """Variants with results, in the study's own order; unknown ones last."""
        have = dict.fromkeys(s["variant"] for s in self.summaries)
        return [n for n in dict.fromkeys([*self.order, *have]) if n in have]

    @property
    def tasks(self) -> list[str]:
        """Names of the tasks."""
        return sorted({t["task"] for s in self.summaries for t in each_task(s)})

    @property
    def seeds(self) -> list[int]:
        """Seeds of the trials."""
        return sorted({s["seed"] for s in self.summaries})

    @property
    def dataset(self) -> str:
        """Name of the data set; of a folder, the last part of its path."""
        names = {Path(s["config"]["data"]["dataset"]).name for s in self.summaries}
        return ", ".join(sorted(names))

    @property
    def reference(self) -> str:
        """The variant that others are compared with: CLMLE with its defaults, else the first."""
        if OURS in self.variants:
            return OURS
        default = asdict(get_method(OURS).Options())
        # Options that came after a trial had their default in it.
        own = [s for s in self.summaries if s["method"] == OURS]
        options = {s["variant"]: s["config"]["options"] for s in own}
        plain = {name for name, given in options.items() if {**default, **given} == default}
        return plain.pop() if len(plain) == 1 else self.variants[0]

    def only(self, variants: Collection[str]) -> StudyResults:
        """The results of these variants alone."""
        kept = [s for s in self.summaries if s["variant"] in variants]
        return replace(self, summaries=kept)

    def values(self, name: str) -> list[Any]:
        """Distinct values of a field, such as "train.iterations", over all trials, in order."""
        found = (leaf(s["config"], name) for s in self.summaries)
        return sorted(dict.fromkeys(found), key=lambda v: (str(type(v)), v))

    def budget(self) -> str:
        """Data, network and training budget of a trial in words."""
        infos = [find_dataset(name) for name in self.values("data.dataset")]
        sized = any(info is not None and info.sizes for info in infos)
        size = f" ({_range(self.values('data.size'))})" if sized else ""
        if any(info is None or info.feature_dim is None for info in infos):
            size += f", {_range(self.values('data.image_size'))} pixels"
        return (
            f"{self.dataset}{size}, backbone "
            f"{_range(self.values('train.backbone'))}, {_range(self.values('train.iterations'))} "
            f"iterations of {_range(self.values('train.batch_size'))} images, learning rate "
            f"{_range(self.values('train.learning_rate'))}"
        )

    def caption(self, what: str) -> str:
        """The caption of a figure: what it shows, command, budget, tasks and seeds."""
        trials = f"{counted(len(self.tasks), 'task')}, {counted(len(self.seeds), 'seed')}"
        return f"{what} `{self.command}`: {self.budget()}; {trials}."

    def numeric_factor(self) -> tuple[str, dict[str, float]] | None:
        """The numeric field that distinguishes all variants, and the value of each variant.

        Of several (M grows as n falls, say) the one that the study is named after, else the first.
        None if there is none, or if there are fewer than three variants.
        """
        first: dict[str, dict[str, Any]] = {}
        for s in self.summaries:
            first.setdefault(s["variant"], flat(s["config"]))
        fit = {}
        for name in dict.fromkeys(name for config in first.values() for name in config):
            values = {n: float(c[name]) for n, c in first.items() if _is_number(c.get(name))}
            numbers = set(values.values())
            distinct = name not in FIXED and len(numbers) == len(first) > 2
            # A 0 among hundreds means something else ("chosen"); it has no place on the axis.
            if distinct and (min(numbers) > 0 or max(numbers) < 10):
                fit[name] = values
        wanted = self.name.replace("-", "_")
        chosen = next((n for n in fit if wanted in n), next(iter(fit), ""))
        return (chosen, fit[chosen]) if chosen else None

    def grid(self) -> tuple[list[str], list[str]] | None:
        """Rows and columns of variants called "row, column" that fill a grid; else None."""
        parts = [n.split(", ") for n in self.variants]
        if any(len(p) != 2 for p in parts):
            return None
        rows, columns = (list(dict.fromkeys(p[i] for p in parts)) for i in (0, 1))
        full = len(rows) > 1 and len(columns) > 1 and len(parts) == len(rows) * len(columns)
        return (rows, columns) if full else None


def read_studies(folder: str | os.PathLike[str]) -> list[StudyResults]:
    """The studies of a folder of results files, in the catalog's order; without empty files."""
    root = Path(folder)
    if not root.is_dir():
        raise InputError(
            f"There is no folder {root} of results; run a study first: "
            f"python -m clmle ablate leaderboard --results {root.as_posix()}/leaderboard.jsonl."
        )
    known = list(STUDIES)
    names = sorted(
        (p.stem for p in root.glob("*.jsonl")),
        key=lambda n: (known.index(n) if n in known else len(known), n),
    )
    studies = [read_study(n, root / f"{n}.jsonl") for n in names]
    return [s for s in studies if s.summaries]


def read_study(name: str, path: Path) -> StudyResults:
    """Read the results of one file; its damaged lines are left out and named."""
    summaries, damaged = intact_results(path)
    if damaged and not summaries:
        raise InputError(damaged[0])
    title, question, order = described(name)
    return StudyResults(name, path.as_posix(), title, question, latest(summaries), order,
                        damaged=damaged)  # fmt: skip


def latest(summaries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The last summary of each variant, task, seed and ratio (defaults may have changed)."""
    found = {}
    for s in summaries:
        found[s["variant"], s["task"], s["seed"], s["config"]["data"].get("ratio")] = s
    return list(found.values())


def described(name: str) -> tuple[str, str, list[str]]:
    """Return title, question and variants of a study."""
    known = STUDIES.get(name)
    if known is None:
        return name.replace("-", " ").capitalize(), "", []
    return known.title, known.question, list(known.variants)


def task_label(task: str) -> str:
    """Return the label of a task, such as "Pale Skin" for "toonfaces/Pale_Skin"."""
    return task.rsplit("/", 1)[-1].replace("_", " ")


def field_label(name: str) -> str:
    """options.cluster_size as "cluster size"."""
    return name.rsplit(".", 1)[-1].replace("_", " ")


def _range(values: Sequence[Any]) -> str:
    """The value, or the first and the last."""
    texts = [f"{v:g}" if isinstance(v, float) else str(v) for v in values]
    return texts[0] if len(texts) == 1 else f"{texts[0]} to {texts[-1]}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
