"""Recognition as a script: empty, a run that was judged, one that is to be, a test that is none."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from clmle.files import runs_dir
from clmle.run_folder import RunFolder
from clmle.studies.open_set import evaluate_open_set, file_of

ROOT = Path(__file__).resolve().parents[2]


def page():
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=90)
    app.switch_page("views/recognition.py")
    app.run()
    assert not app.exception
    return app


@pytest.fixture
def run(identity_run):
    """The run in the folder that the page looks into."""
    found = RunFolder(
        Path(shutil.copytree(identity_run[0].path, runs_dir() / identity_run[0].name))
    )
    evaluate_open_set(identity_run[0])
    shutil.copy2(file_of(identity_run[0]), file_of(found))
    return found


def test_without_a_run_on_identities_the_page_says_how_to_get_one():
    app = page()
    assert "No run has learned identities yet" in app.info[0].value


def test_a_judged_run_is_shown_with_the_library_s_figures(run):
    app = page()
    assert not app.error
    figures = evaluate_open_set(run).metrics
    table = app.dataframe[0].value
    assert table["run"].to_list() == ["clmle"]
    assert table["accuracy of pairs"][0] == pytest.approx(figures["verification"]["accuracy"])
    assert table["first of 50"][0] == figures["open_set"]["rank_one"][-1]["rate"]
    said = " ".join(c.value for c in app.caption)
    assert f"{figures['images']:,} images of people never seen" in said
    assert {"Pairs", "Known people, from tail to head", "Two faces of your own"} <= {
        h.value for h in app.header
    }


def test_a_run_that_was_not_judged_yet_offers_it(run):
    file_of(run).unlink()
    app = page()
    assert [b.label for b in app.button if b.label.startswith("Judge")]
    assert not app.dataframe


def test_a_test_set_that_is_none_is_told_and_its_path_is_in_no_link(run):
    app = page()
    app.radio[0].set_value("A test set on this computer").run()
    assert "Name the file or folder." in app.info[0].value
    app.text_input[0].set_value("/nowhere/at/all.bin").run()
    assert not app.exception
    assert not any("nowhere" in str(v) for v in app.query_params.values())
    assert [b.label for b in app.button if b.label.startswith("Judge")]
