"""A study as the page knows it: its results, its question, its command, what its cells share."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clmle.config import flat
from clmle.errors import InputError, quoted
from clmle.studies.catalog import STUDIES
from clmle.studies.statistics import each_task
from clmle.studies.trials import read_results
from tools.report.markdown import counted

OURS = "clmle"
FAMILY = ("clmle", "clmle-paper")  # not rivals of one another
CONFIRMATIONS = ("confirmation-toonfaces", "confirmation-digits", "confirmation-solar-cells")
SCARCE = "confirmation-imbalance"
RANKINGS = ("leaderboard", "attributes", "screen", "digits", "solar-cells", *CONFIRMATIONS, SCARCE)
ABLATIONS = (
    "table7", "margins", "cluster-size", "clusters-per-batch", "samples-per-cluster",
    "neighbors", "rounds", "prior", "small-classes", "sampling-x-cost", "rule",
    "scale-x-denominator", "waiting", "hard-share", "embedding", "photographs",
)  # fmt: skip
TUNINGS = ("tuning", "tuning-digits")
KNOWN = (
    *RANKINGS,
    "recognition",
    *TUNINGS,
    "imbalance",
    "curves",
    "recipe",
    "network-size",
    *ABLATIONS,
)
TEXT, NUMBER = (str, "a text"), ((int, float), "a number")
LIST, TREE = (list, "a list"), (dict, "a table")
NEEDED: Mapping[str, tuple[Any, str]] = {
    "key": TEXT,
    "variant": TEXT,
    "method": TEXT,
    "task": TEXT,
    "seed": (int, "a whole number"),
    "class_counts": LIST,
    "test": TREE,
    "config": TREE,
    "seconds": NUMBER,
}
MACHINE = ("train.device", "train.threads", "train.precision")


@dataclass(frozen=True)
class Study:
    """One results file. ``path`` is how the page names it; ``summaries`` are as in cells.py.

    ``asked`` are the words after ``clmle ablate`` that made it, its name by default.
    """

    name: str
    path: str
    title: str
    question: str
    summaries: Sequence[Mapping[str, Any]]
    order: Sequence[str] = ()
    asked: str = ""

    @property
    def command(self) -> str:
        return f"python -m clmle ablate {self.asked or self.name} --results {self.path}"

    @property
    def variants(self) -> list[str]:
        """In the study's own order, those it does not know last, as they came."""
        have = dict.fromkeys(s["variant"] for s in self.summaries)
        return [n for n in dict.fromkeys([*self.order, *have]) if n in have]

    @property
    def tasks(self) -> list[str]:
        return sorted({t["task"] for s in self.summaries for t in each_task(s)})

    @property
    def seeds(self) -> list[int]:
        return sorted({s["seed"] for s in self.summaries})

    @property
    def dataset(self) -> str:
        """Name of the data; of a folder its last part."""
        names = {Path(s["config"]["data"]["dataset"]).name for s in self.summaries}
        return ", ".join(sorted(names))

    def values(self, name: str) -> list[Any]:
        """Values of a setting ("train.iterations") over all cells, each once, in order."""
        found = (flat(s["config"]).get(name) for s in self.summaries)
        return sorted(dict.fromkeys(found), key=lambda v: (str(type(v)), v))

    def budget(self) -> str:
        """What a cell costs: "backbone small, 160 iterations of 240 images, ..."."""
        size = f" ({_words(self.values('data.size'))})" if "toonfaces" in self.dataset else ""
        return (
            f"{self.dataset}{size}, {_words(self.values('data.image_size'))} pixels, backbone "
            f"{_words(self.values('train.backbone'))}, {_words(self.values('train.iterations'))} "
            f"iterations of {_words(self.values('train.batch_size'))} images, learning rate "
            f"{_words(self.values('train.learning_rate'))}"
        )

    def caption(self, what: str) -> str:
        """The caption of a figure: what is seen, command and settings."""
        trials = f"{counted(len(self.tasks), 'task')}, {counted(len(self.seeds), 'seed')}"
        return f"{what} `{self.command}`: {self.budget()}; {trials}."

    def factors(self) -> list[str]:
        """Settings that differ between variants, method first; not data, seed or machine."""
        first: dict[str, dict[str, Any]] = {}
        for s in self.summaries:
            first.setdefault(s["variant"], {"method": s["method"], **flat(s["config"])})
        trees = list(first.values())
        names = dict.fromkeys(n for tree in trees for n in tree)
        fixed = ("data.attribute", "data.ratio", "data.imbalance", "train.seed", *MACHINE)
        absent = object()
        return [
            n
            for n in names
            if n not in fixed and len({repr(tree.get(n, absent)) for tree in trees}) > 1
        ]


def read_studies(folder: str | os.PathLike[str]) -> list[Study]:
    """Studies of a folder of results files, in the page's order; empty files are left out.

    Raises
    ------
    InputError
        No such folder, or a line that is not a result.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError(
            f"There is no folder {root} of results; run a study first: "
            f"python -m clmle ablate leaderboard --results {root.as_posix()}/leaderboard.jsonl."
        )
    names = sorted((p.stem for p in root.glob("*.jsonl")), key=lambda n: (_place(n), n))
    studies = [read_study(n, root / f"{n}.jsonl") for n in names]
    return [s for s in studies if s.summaries]


def read_study(name: str, path: Path) -> Study:
    """One study from its file."""
    summaries = read_results(path)
    for s in summaries:
        wrong = next((w for key, kind in NEEDED.items() for w in _amiss(s, key, *kind)), None)
        wrong = wrong or next(_amiss(s["config"], "data", *TREE), None)
        wrong = wrong or next(_amiss({"machine": {}} | s, "machine", *TREE), None)
        if wrong:
            raise InputError(
                f"A result of {quoted(s['variant'])} in {path} {wrong}; "
                "remove its line and run that cell again."
            )
    title, question, order = described(name)
    return Study(name, path.as_posix(), title, question, latest(summaries), order)


def _amiss(tree: Mapping[str, Any], key: str, kind: Any, words: str) -> Iterator[str]:
    """What is wrong with a key, if anything is."""
    if key not in tree:
        yield f"lacks {key!r}"
    elif not isinstance(tree[key], kind):
        yield f"has {quoted(tree[key])} as its {key!r}, which must be {words}"


def latest(summaries: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """One summary for each variant, task, seed and ratio: the last, where defaults have changed."""
    found = {}
    for s in summaries:
        found[s["variant"], s["task"], s["seed"], s["config"]["data"].get("ratio")] = s
    return list(found.values())


def described(name: str) -> tuple[str, str, list[str]]:
    """Title, question and variants of a study; its name alone where nothing more is known."""
    known = STUDIES.get(name)
    if known is None:
        return name.replace("-", " ").capitalize(), "", []
    return known.title, known.question, list(known.variants)


def _place(name: str) -> int:
    return KNOWN.index(name) if name in KNOWN else len(KNOWN)


def _words(values: Sequence[Any]) -> str:
    """One value, or all that occur."""
    texts = [f"{v:g}" if isinstance(v, float) else str(v) for v in values]
    return texts[0] if len(texts) == 1 else f"{texts[0]} to {texts[-1]}"
