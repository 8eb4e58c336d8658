"""How the page was made: commands, settings, machines, compute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from clmle.config import flat
from tools.report.markdown import Page, counted, listed
from clmle.studies.study_results import KNOWN, Study, described

SETTINGS = (
    "data.size", "data.image_size", "train.backbone", "train.feature_dim", "train.iterations",
    "train.pretrain_iterations", "train.batch_size", "train.rounds", "train.learning_rate",
    "train.momentum", "train.weight_decay", "train.schedule", "train.patience", "train.drops",
    "train.augment", "train.mirror", "train.pretrain_method", "train.margin_trials",
)  # fmt: skip


def section(page: Page, studies: Sequence[Study]) -> None:
    """Commands of every file, what their cells share, and what has not been run."""
    page.heading("How it was made")
    page.text(
        "`make results` (`python -m clmle results`) writes this page and its figures from the "
        "files of results alone. Each file is made by one command, which runs only what is "
        "missing:"
    )
    if studies:
        _commands(page, studies)
        _settings(page, studies)
        _machines(page, studies)
    missing = [n for n in KNOWN if n not in {s.name for s in studies}]
    page.heading("Not run yet", 3)
    if missing:
        page.items([f"{n}: {described(n)[0]}" for n in missing])
    else:
        page.text("Every study of this page has been run.")


def _commands(page: Page, studies: Sequence[Study]) -> None:
    page.blocks.append("```sh\n" + "\n".join(s.command for s in studies) + "\n```")
    rows = [
        [
            s.name,
            s.dataset,
            f"{len(s.summaries):,}",
            str(len(s.variants)),
            str(len(s.tasks)),
            listed(s.seeds),
            f"{sum(c['seconds'] for c in s.summaries) / 3600:.2f}",
        ]
        for s in studies
    ]
    page.table(["study", "data", "cells", "variants", "tasks", "seeds", "hours of runs"], rows)
    total = sum(c["seconds"] for s in studies for c in s.summaries)
    trials = sum(len(s.summaries) for s in studies)
    page.text(f"In all {counted(trials, 'cell')} and {total / 3600:.1f} hours of runs.")


def _settings(page: Page, studies: Sequence[Study]) -> None:
    """The value of most cells, and the studies that differ from it or vary it."""
    page.heading("Settings of the cells", 3)
    trees = [(s.name, flat(c["config"])) for s in studies for c in s.summaries]
    rows = []
    for name in SETTINGS:
        counts = Counter(repr(tree[name]) for _, tree in trees if name in tree)
        if not counts:
            continue
        usual = min(counts, key=lambda v: (-counts[v], v))
        others: dict[str, set[Any]] = {}
        for study, tree in trees:
            if name in tree and repr(tree[name]) != usual:
                others.setdefault(study, set()).add(tree[name])
        rows.append(
            [
                name.rsplit(".", 1)[-1].replace("_", " "),
                usual.strip("'"),
                "; ".join(f"{s}: {listed(sorted(v, key=str))}" for s, v in others.items()),
            ]
        )
    page.table(["setting", "most cells", "elsewhere"], rows)


def _machines(page: Page, studies: Sequence[Study]) -> None:
    found = Counter(_machine(c.get("machine")) for s in studies for c in s.summaries)
    page.heading("Machines", 3)
    page.items([f"{name}: {counted(n, 'cell')}" for name, n in sorted(found.items())])
    page.text(
        "Seconds are of one run; several may have run beside it on the same machine. In a table "
        "they are those of one machine and number format, the one that most of its rows ran on."
    )


def _machine(facts: Any) -> str:
    if not facts:
        return "not recorded"
    return (
        f"{facts.get('device', 'unknown')}, {counted(facts.get('threads', 1), 'thread')} a run, "
        f"PyTorch {facts.get('torch', 'unknown')}, Python {facts.get('python', 'unknown')}"
    )
