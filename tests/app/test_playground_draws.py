"""Further draws of the playground wait until the sliders rest, and end when one moves."""

import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.testing.v1 import AppTest

from app.widgets import playground_draws, playground_jobs

MAIN = str(Path(__file__).resolve().parents[2] / "app" / "main.py")


class Jobs:
    """Jobs that train nothing and record what a page asks of them."""

    def __init__(self):
        self.wanted, self.cancelled = [], []

    def open(self):
        pass

    def want(self, keys):
        self.wanted += keys
        return [
            SimpleNamespace(
                key=k, error=None, trajectory=None, ended=False, frames=[], progress=0.0
            )
            for k in keys
        ]

    def finished(self, keys):
        done = SimpleNamespace(balanced_accuracy=[0.8])
        return {key: done for key in keys if key[0].seed == 0}

    def cancel(self, keys):
        self.cancelled += keys


@pytest.fixture
def jobs(monkeypatch):
    jobs = Jobs()
    for module in (playground_draws, playground_jobs):
        monkeypatch.setattr(module, "playground_jobs", lambda: jobs)
    return jobs


def panel(changed):
    from app.widgets.playground_draws import draws_panel
    from clmle.playground import STEPS, PlaygroundProblem

    keys = [(PlaygroundProblem(), name, 12, "own", STEPS) for name in ("softmax", "clmle")]
    draws_panel(keys, {"softmax": "Softmax", "clmle": "CLMLE"}, changed)


@pytest.mark.parametrize(("seconds_ago", "trained"), [(0, 0), (60, playground_draws.AT_A_TIME)])
def test_draws_are_trained_once_the_sliders_rest(jobs, monkeypatch, seconds_ago, trained):
    monkeypatch.setattr(playground_draws, "REST", 30)
    app = AppTest.from_function(panel, args=(time.monotonic() - seconds_ago,), default_timeout=600)
    app.run()
    assert not app.exception
    assert len(jobs.wanted) == trained
    assert all(key[0].seed == 1 for key in jobs.wanted)


def test_a_slider_ends_the_training_of_the_earlier_setting(jobs):
    app = AppTest.from_file(MAIN, default_timeout=600).switch_page("views/imbalance.py")
    app.query_params["train"] = "on"
    app.query_params["method"] = ["softmax"]
    app.run()
    assert not jobs.cancelled
    app.run()
    assert not jobs.cancelled  # the same setting
    app.select_slider[0].set_value(40).run()
    assert not app.exception
    assert sorted(key[0].seed for key in jobs.cancelled) == [0, 1, 2, 3, 4]
    assert {key[0].ratio for key in jobs.cancelled} == {jobs.wanted[0][0].ratio}
