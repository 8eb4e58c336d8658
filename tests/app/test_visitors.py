"""A class on one server: own folders, shared runs, one queue; a server that changes nothing."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import visitor_cookie, visitors
from app.widgets.runs import all_runs
from clmle.errors import InputError
from clmle.files import runs_dir
from clmle.jobs import VISITORS, ahead
from clmle.presets import preset_config
from clmle.run_folder import create_run

ROOT = Path(__file__).resolve().parents[2]
CONFIG = preset_config("quick", "softmax", "digits").to_dict()


@pytest.fixture
def classroom(monkeypatch):
    monkeypatch.setenv("CLMLE_CLASSROOM", "1")

    def become(name):
        monkeypatch.setattr(visitors, "token", lambda: name)

    return become


def made(root, state="stopped"):
    run = create_run(root, CONFIG)
    run.write_status(state=state, phase="", step=1, total=2, seconds=1.0, message="")
    return run


def train_page(**query):
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=600)
    app.switch_page("views/train.py")
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def test_a_visitor_sees_own_and_shared_runs_and_deletes_only_own(classroom):
    shared = made(runs_dir())
    classroom("ann")
    anns = made(visitors.own_runs_dir())
    classroom("bob")
    bobs = made(visitors.own_runs_dir())
    assert anns.path.parent != bobs.path.parent
    app = train_page(runs=[shared.name, anns.name, bobs.name])
    # Runs of one second have one name in different folders; of one name the visitor's is shown.
    listed = {run.path for run in all_runs()}
    assert anns.path not in listed
    assert bobs.path in listed
    keys = [button.key for button in app.button if button.key]
    assert f"delete-{bobs.name}" in keys
    assert visitors.may_change(bobs)
    assert not visitors.may_change(anns)
    assert not visitors.may_change(shared)


def test_a_shared_run_has_no_button_that_changes_it(classroom):
    shared = made(runs_dir())
    classroom("ann")
    app = train_page(runs=[shared.name])
    keys = [button.key or "" for button in app.button]
    assert not any(key.startswith(("delete-", "resume-", "stop-")) for key in keys)
    assert any("Shared with all visitors" in c.value for c in app.caption)
    assert not any(t.label == "Name" for t in app.text_input)


def test_runs_start_in_the_visitor_s_folder_within_limits(classroom, monkeypatch):
    classroom("ann")
    started = []

    def launch(config, root, at_a_time):
        started.append((root, at_a_time))
        return create_run(root, config.to_dict())

    monkeypatch.setattr("clmle.jobs.launch", launch)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    app = train_page(data="digits")
    next(n for n in app.number_input if n.label == "Runs at a time").set_value(2).run()
    next(b for b in app.button if b.label == "Start").click().run()
    assert started == [(visitors.own_runs_dir(), 2)] * 3
    next(t for t in app.text_input if t.label == "Seeds").set_value("0,1,2").run()
    next(b for b in app.button if b.label == "Start").click().run()
    assert any("at most 6 at a time" in error.value for error in app.error)
    assert len(started) == 3


@pytest.mark.parametrize(("more", "active"), [(7, 0), (1, 6), (3, 4)])
def test_runs_that_wait_or_train_count_towards_the_limit(more, active, classroom):
    visitors.check_may_train(more - 1, active)
    with pytest.raises(InputError, match="at most 6 at a time"):
        visitors.check_may_train(more, active)


def test_the_runs_of_all_visitors_wait_in_one_queue(tmp_path):
    runs = [made(tmp_path / part, "running") for part in ("", f"{VISITORS}/a", f"{VISITORS}/b")]
    assert [ahead(run) for run in runs] == [2, 2, 2]
    runs[0].write_status(state="done", step=2, total=2)
    assert [ahead(run) for run in runs[1:]] == [1, 1]


def test_a_read_only_server_offers_nothing_that_changes_it(monkeypatch):
    made(runs_dir())
    monkeypatch.setenv("CLMLE_READ_ONLY", "1")
    app = train_page()
    labels = {button.label for button in app.button}
    assert not labels & {"Start", "Yes, delete it", "Delete these runs", "Resume", "Save"}
    with pytest.raises(InputError, match="read-only"):
        visitors.check_may_train(1, 0)
    for page in ("start", "ablations", "margins"):
        app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=600)
        app.switch_page(f"views/{page}.py")
        app.run()
        assert not app.exception
        offered = {button.label for button in app.button}
        assert not offered & {"Run the demonstration", "Start the study", "Start the search"}


def test_a_browser_keeps_its_cookie(monkeypatch):
    assert visitor_cookie.new_cookie("") == ""  # not a class
    monkeypatch.setenv("CLMLE_CLASSROOM", "1")
    first = visitor_cookie.new_cookie("")
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(first.split("; "))
    pair = first.split(";")[0]
    assert visitor_cookie.new_cookie(f"a=b; {pair}") == ""
    assert visitor_cookie.token_in(f"a=b; {pair}") == pair.split("=", 1)[1]
    assert visitor_cookie.new_cookie("")[:60] != first[:60]
    for wrong in ("clmle-visitor=../../x", "clmle-visitor=", "other=" + "x" * 32):
        assert visitor_cookie.token_in(wrong) == ""


def test_the_folder_s_name_does_not_give_the_cookie_away(classroom):
    classroom("secret-token")
    assert "secret" not in str(visitors.own_runs_dir())
    assert visitors.own_runs_dir() == visitors.own_runs_dir()
