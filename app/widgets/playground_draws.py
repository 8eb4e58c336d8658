"""Balanced accuracy over five draws of points and initial weights: one draw is an example."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from app.widgets.error_display import errors_in_place
from app.widgets.figure import show_figure
from app.widgets.playground_jobs import playground_jobs
from clmle import figures, playground

DRAWS = 5
AT_A_TIME = 2  # so that views of other visitors do not wait for all draws of this one
# Seconds after the last change of a setting: training slows the sliders down.
REST = 3.0


def draws(keys: list[Any]) -> list[Any]:
    """The trajectories of ``keys`` with the next four seeds."""
    return [
        (replace(problem, seed=problem.seed + d), name, clusters, classifier, playground.STEPS)
        for d in range(1, DRAWS)
        for problem, name, clusters, classifier, _ in keys
    ]


def draws_panel(keys: list[Any], titles: Mapping[str, str], changed: float) -> None:
    """Means and ranges over the seed shown and the next four, trained after the view itself.

    ``changed`` is the monotonic time of the last change of a setting.
    """
    wanted = draws(keys)
    busy = len(playground_jobs().finished(wanted)) < len(wanted)

    @st.fragment(run_every=1.5 if busy else None)
    def part() -> None:
        with errors_in_place():
            done = playground_jobs().finished([*keys, *wanted])
            missing = [key for key in wanted if key not in done]
            if busy and not missing:
                st.rerun()  # stop refreshing
            rested = time.monotonic() - changed > REST
            for job in playground_jobs().want(missing[:AT_A_TIME] if rested else []):
                if job.error is not None:
                    raise job.error
            values = {
                titles[name]: [
                    float(t.balanced_accuracy[-1]) for key, t in done.items() if key[1] == name
                ]
                for _, name, *_ in keys
            }
            show_figure(figures.playground_draws(values), "draws")
            if missing:
                fraction = 1 - len(missing) / len(wanted)
                st.progress(fraction, text=f"{len(missing)} of {len(wanted)} training runs left")

    part()
