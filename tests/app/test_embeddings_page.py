"""The page Embeddings with two runs: same colors, one scale, one channel for selections."""

import dataclasses
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from clmle.presets import preset_config
from clmle.projection import project_run
from clmle.run_folder import create_run
from clmle.training import train

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A tiny run of digits with a copy, and another with a thinned class."""
    root = tmp_path_factory.mktemp("runs")
    names = []
    for ratio in (1, 20):
        config = preset_config("quick", "softmax", "digits")
        config = dataclasses.replace(
            config,
            train=dataclasses.replace(config.train, iterations=6, rounds=1),
            data=dataclasses.replace(
                config.data, ratio=ratio, imbalance="step" if ratio > 1 else "none"
            ),
        )
        run = create_run(root, config.to_dict())
        train(run)
        project_run(run, "pca")
        names.append(run.name)
    copy = "20990101-000000-copy"
    shutil.copytree(root / names[0], root / copy)
    return root, names[0], copy, names[1]


def viewers(root, monkeypatch, **query):
    """The facts that each plot of the page was given."""
    monkeypatch.setenv("CLMLE_RUNS", str(root))
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=600)
    app.switch_page("views/embeddings.py")
    for name, value in ({"by": "pca"} | query).items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    assert not app.error
    pages = [frame.proto.srcdoc for frame in app.get("iframe")]
    return [
        json.loads(re.search(r"const facts=(\{.*?\}), layout=", page, re.S)[1]) for page in pages
    ]


def inks(facts):
    return {t["name"]: t["marker"]["color"] for t in facts["figure"]["data"]}


def test_two_runs_of_the_same_data_share_colors_and_selections(pair, monkeypatch):
    root, one, copy, _ = pair
    first, second = viewers(root, monkeypatch, run=one, other=copy)
    assert inks(first) == inks(second)
    assert len(inks(first)) == 10
    assert first["channel"] == second["channel"] != ""
    assert first["images"] == second["images"] != ""
    assert first["noted"] != second["noted"]


def test_runs_on_different_data_share_colors_but_no_selection(pair, monkeypatch):
    root, one, _, thinned = pair
    first, second = viewers(root, monkeypatch, run=one, other=thinned, color="class")
    assert inks(first) == inks(second)
    assert first["channel"] == second["channel"] == ""


def test_numbers_of_two_runs_have_one_color_scale(pair, monkeypatch):
    root, one, _, thinned = pair
    plots = viewers(root, monkeypatch, run=one, other=thinned, color="loss")
    markers = [facts["figure"]["data"][0]["marker"] for facts in plots]
    limits = {(m["cmin"], m["cmax"]) for m in markers}
    assert len(limits) == 1
    (low, high) = limits.pop()
    assert low <= high
    assert np.isfinite([low, high]).all()


def test_a_single_run_is_shown_alone(pair, monkeypatch):
    root, one, *_ = pair
    (only,) = viewers(root, monkeypatch, run=one, other="no-such-run")
    assert only["channel"] == ""
