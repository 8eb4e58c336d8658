"""Going through folders to the data, and what a server that others reach does not show."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.widgets.folder_browser import entries

SCRIPT = """
import streamlit as st
from app.widgets import folder_browser
st.popover = lambda *a, **k: st.container()  # open
st.delta_generator.DeltaGenerator.open = True

def choose(path):
    st.session_state["entered"] = path
folder_browser.folder_browser(st.session_state.get("entered", ""), choose)
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("photos/cats", "photos/dogs", "photos/.hidden", "secret"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "photos" / "a.png").touch()
    (tmp_path / "photos" / "table.csv").touch()
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    return tmp_path


def test_folders_and_tables_are_listed_and_images_counted(home):
    folders, files, text = entries(home / "photos")
    assert (folders, files) == (["cats", "dogs"], ["table.csv"])
    assert text == "Inside: folders 2, images 1, tables 1."
    assert entries(home / "photos" / "table.csv")[:2] == ([], [])


def browse():
    app = AppTest.from_string(SCRIPT, default_timeout=600).run()
    assert not app.exception
    return app


def go(app, name):
    app.selectbox[0].set_value(name).run()
    assert not app.exception


def test_a_visitor_goes_down_and_up_and_uses_a_folder(home):
    app = browse()
    assert app.selectbox[0].options == ["(the folder above)", "photos", "secret"]
    go(app, "photos")
    assert app.markdown[0].value.replace("\\", "") == f"**{home / 'photos'}**"
    go(app, "cats")
    go(app, "(the folder above)")
    app.button[0].click().run()
    assert app.session_state["entered"] == str(home / "photos")


def test_a_listed_folder_is_not_left(home, monkeypatch):
    monkeypatch.setenv("CLMLE_DATA", str(home / "photos"))
    (home / "photos" / "out").symlink_to(home / "secret")
    app = browse()
    assert "(the folder above)" not in app.selectbox[0].options
    go(app, "out")  # a link that leads out: the browser stays
    assert app.markdown[0].value.replace("\\", "") == f"**{home / 'photos'}**"
    app.session_state["browse-at"] = str(home / "secret")
    app.run()
    assert app.markdown[0].value.replace("\\", "") == f"**{home / 'photos'}**"


def test_without_a_listed_folder_there_is_no_browser(home, monkeypatch):
    monkeypatch.setenv("CLMLE_DATA", "")
    app = browse()
    assert not app.selectbox
    assert not app.button
