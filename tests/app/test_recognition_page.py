"""The page Recognition without a browser: no run, an evaluated run, an invalid test set."""

import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from clmle.files import runs_dir
from clmle.run_folder import RunFolder
from clmle.studies.open_set import evaluate_open_set, file_of

ROOT = Path(__file__).resolve().parents[2]


def page():
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=600)
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


def test_without_a_run_on_identities_the_page_explains_how_to_get_one():
    app = page()
    assert "No run was trained on identities yet" in app.info[0].value


def test_an_evaluated_run_is_shown_with_the_package_s_metrics(run):
    app = page()
    assert not app.error
    figures = evaluate_open_set(run).metrics
    table = app.dataframe[0].value
    assert table["run"].to_list() == ["clmle"]
    assert table["accuracy of pairs"][0] == pytest.approx(figures["verification"]["accuracy"])
    assert table["rank 1, 50 distractors"][0] == figures["open_set"]["rank_one"][-1]["rate"]
    said = " ".join(c.value for c in app.caption)
    assert f"{figures['images']:,} images of identities not in the training set" in said
    assert {"Pairs", "Training identities, from tail to head", "Two faces of your own"} <= {
        h.value for h in app.header
    }


def test_a_run_without_evaluation_offers_a_button(run):
    file_of(run).unlink()
    app = page()
    assert [b.label for b in app.button if b.label.startswith("Evaluate")]
    assert not app.dataframe


def test_an_invalid_test_set_is_reported_and_its_path_is_in_no_link(run):
    app = page()
    app.radio[0].set_value("A test set on this computer").run()
    assert "Enter the file or folder." in app.info[0].value
    app.text_input[0].set_value("/nowhere/at/all.bin").run()
    assert not app.exception
    assert not any("nowhere" in str(v) for v in app.query_params.values())
    assert [b.label for b in app.button if b.label.startswith("Evaluate")]
