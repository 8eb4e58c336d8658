"""Runs of a visitor, started in the background."""

import os
from collections.abc import Iterable

from app.visitors import check_may_train, classroom, own_runs_dir
from app.widgets.runs import is_active
from clmle import Config, RunFolder, jobs, list_runs


def launched(configs: Iterable[Config], at_a_time: int) -> list[RunFolder]:
    """Start a run for each configuration in the visitor's folder, ``at_a_time`` at once.

    In a classroom all visitors share the cores, so that no visitor raises the number above theirs.
    """
    configs = list(configs)
    own = [run for run in list_runs(own_runs_dir()) if not run.damage() and is_active(run)]
    check_may_train(len(configs), len(own))
    if classroom():
        at_a_time = min(at_a_time, os.cpu_count() or 2)
    home = {"root": own_runs_dir()} if classroom() else {}
    return [jobs.launch(config, at_a_time=at_a_time, **home) for config in configs]
