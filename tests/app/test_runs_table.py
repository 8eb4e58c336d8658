"""The table of runs on the page Train: filter, choice, names, tags, deletion and its undo."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.widgets import live_curves
from app.widgets.runs_table import matches
from clmle import open_run
from clmle.files import runs_dir
from clmle.presets import preset_config
from clmle.run_folder import create_run, list_runs

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def runs():
    """Stopped runs of three methods, the newest first."""
    for method in ("softmax", "focal", "clmle"):
        run = create_run(runs_dir(), preset_config("quick", method, "digits").to_dict())
        run.write_status(state="stopped", phase="", step=1, total=2, seconds=90.0, message="")
    runs = list_runs(runs_dir())
    return {run.config()["method"]: run for run in runs}


@pytest.fixture
def app(runs):
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=600)
    app.switch_page("views/train.py")
    return good(app)


def good(app):
    app.run()
    assert not app.exception
    assert not app.error
    return app


def table(app):
    return next(d for d in app.dataframe if "began" in d.value)


def choose(app, *rows):
    app.session_state[table(app).key] = {"selection": {"rows": list(rows), "columns": []}}
    return good(app)


def test_the_filter_finds_words_and_keeps_the_choice(app, runs):
    assert set(app.session_state["runs-picked"]) == {
        list_runs(runs_dir())[i].name for i in range(3)
    }
    runs["focal"].annotate(tags=["paper"])
    app.text_input(key="find").set_value("PAPER stopped").run()
    shown = table(app).value
    assert [row.split(",")[0] for row in shown["run"]] == ["focal"]
    assert shown["minutes"].to_list() == [1.5]
    choose(app, 0)
    assert app.session_state["runs-picked"][0] == runs["focal"].name
    assert any("hidden by the filter" in c.value for c in app.caption)
    app.text_input(key="find").set_value("nowhere").run()
    assert any("shorten the filter" in i.value for i in app.info)


def test_matching_needs_each_word_somewhere():
    row = {"run": "clmle, digits", "state": "done", "tags": ["first try"], "seed": 3, "mcc": None}
    assert matches(row, "")
    assert matches(row, "DIGITS try")
    assert not matches(row, "digits softmax")
    assert not matches(row, "none")


def test_a_name_is_shown_after_the_method_and_stays(app, runs):
    order = [run.name for run in list_runs(runs_dir())]
    choose(app, order.index(runs["clmle"].name))
    next(t for t in app.text_input if t.label == "Name").set_value("wide margins")
    next(t for t in app.text_area if t.label == "Note").set_value("look again")
    next(b for b in app.button if b.label == "Save").click()
    good(app)
    row = table(app).value.iloc[order.index(runs["clmle"].name)]
    assert (row["run"], row["note"]) == ("clmle: wide margins", "look again")
    assert runs["clmle"].annotation().title == "wide margins"


def test_several_runs_are_deleted_and_restored(app, runs):
    order = [run.name for run in list_runs(runs_dir())]
    choose(app, 0, 2)
    app.button(key="delete-chosen").click()
    good(app)
    assert [run.name for run in list_runs(runs_dir())] == [order[1]]
    app.button(key="undo").click()
    good(app)
    assert [run.name for run in list_runs(runs_dir())] == order
    assert not any(b.key == "undo" for b in app.button)


def test_the_address_holds_the_choice(app, runs):
    choose(app, 1)
    name = list_runs(runs_dir())[1].name
    assert app.query_params["runs"] == name
    again = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=600)
    again.switch_page("views/train.py")
    again.query_params["runs"] = [name]
    assert good(again).session_state["runs-picked"] == [name]


def test_the_table_follows_a_run_whose_state_changes_while_its_card_is_drawn(app, monkeypatch):
    def later(root, name):
        run = open_run(root, name)
        run.write_status(state="failed", phase="", step=1, total=2, seconds=90.0, message="Full.")
        return run

    assert set(table(app).value["state"]) == {"stopped"}
    monkeypatch.setattr(live_curves, "open_run", later)
    good(app)
    assert set(table(app).value["state"]) == {"failed"}


def test_suggestions_fill_the_form_and_tell_why():
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=600)
    app.switch_page("views/train.py")
    app.query_params["data"] = "digits"
    good(app)
    assert any(e.label == "Good settings for this problem, and why" for e in app.expander)
    app.button(key="choose-suggested").click()
    good(app)
    chosen = next(m for m in app.multiselect if m.label == "Methods").value
    calibration = next(s for s in app.selectbox if s.label == "Calibration").value
    assert (chosen, calibration) == (["softmax", "clmle"], "threshold")  # 4 images of a class
