"""Every page without a browser: without data, with runs, with invalid input."""

import re
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.widgets.runs import label
from clmle.files import runs_dir
from clmle.presets import preset_config
from clmle.run_folder import RunFolder, create_run, list_runs
from tests.app.pages import page

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path.stem for path in (ROOT / "app" / "views").glob("*.py"))


@pytest.mark.parametrize("name", PAGES)
def test_pages_open_without_data(name):
    app = page(name).run()
    assert not app.exception
    assert not app.error
    assert app.title


@pytest.mark.parametrize("runs", ["finished", "several"])
@pytest.mark.parametrize("name", PAGES)
def test_pages_open_with_a_run_of_one_target_or_many(name, runs, request, monkeypatch):
    monkeypatch.setenv("CLMLE_RUNS", str(request.getfixturevalue(runs)))
    app = page(name)
    if name == "embeddings":
        app.run()
        app.button_group[0].set_value("pca")
    app.run()
    assert not app.exception
    assert not app.error


def test_the_demonstration_compares_with_oversampling_that_is_calibrated_the_same(monkeypatch):
    started = []

    def launch(config, at_a_time):
        started.append(config)
        return create_run(runs_dir(), config.to_dict())

    monkeypatch.setattr("clmle.jobs.launch", launch)
    app = page("start").run()
    app.button[0].click().run()
    assert not app.exception
    calibration = {config.method: config.train.calibration for config in started}
    assert list(calibration) == ["clmle", "oversampling", "softmax"]
    assert calibration["oversampling"] == calibration["clmle"] != calibration["softmax"]
    assert {config.data.dataset for config in started} == {"digits"}  # nothing to prepare
    words = [caption.value for caption in app.caption]
    assert any("89, 64, 46, 33, 24, 17, 12, 9, 6, 4" in text for text in words)


@pytest.mark.parametrize(("dataset", "again"), [("digits", " again"), ("solar-cells", "")])
def test_only_runs_on_its_data_are_runs_of_the_demonstration(dataset, again):
    create_run(runs_dir(), preset_config("quick", "softmax", dataset).to_dict())
    assert page("start").run().button[0].label == f"Run the demonstration{again}"


def test_a_result_shows_the_precision_of_the_rare_class_and_the_confusion_matrix(
    finished, monkeypatch
):
    monkeypatch.setenv("CLMLE_RUNS", str(finished))
    app = page("train").run()
    result = list_runs(finished)[0].result()
    rare = int(np.argmin(result["class_counts"]))
    confusion = np.array(result["test"]["confusion"])
    wanted = confusion[rare, rare] / max(1, confusion[:, rare].sum())
    table = next(d.value for d in app.dataframe if "balanced accuracy" in d.value.index)
    name = f"precision of {result['class_names'][rare]}"
    if confusion[:, rare].any():
        assert float(table.loc[name].iloc[0]) == pytest.approx(wanted, abs=6e-4)
    assert any(e.label == "Confusion matrices" for e in app.expander)


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="cannot change the time zone")
def test_labels_of_runs_hold_local_time_and_day(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    config = preset_config("quick", "clmle", "digits").to_dict()
    made = create_run(tmp_path, config)
    assert re.fullmatch(r"clmle, digits, \d\d:\d\d:\d\d", label(made))
    old = RunFolder(made.path.rename(tmp_path / "20260131-220000-digits"))
    assert label(old) == "clmle, digits, 2026-02-01 07:00:00"
    assert label(RunFolder(old.path.rename(tmp_path / "mine"))) == "clmle, digits, mine"
    monkeypatch.undo()
    time.tzset()


def test_the_embedding_of_a_finished_run_is_the_default(finished, monkeypatch, tmp_path):
    done = list_runs(finished)[0]
    shutil.copytree(done.path, tmp_path / done.name)
    later = RunFolder(Path(shutil.copytree(done.path, tmp_path / f"9{done.name[1:]}")))
    later.write_status(state="running", phase="round 1", step=1, total=2, seconds=1.0, message="")
    monkeypatch.setenv("CLMLE_RUNS", str(tmp_path))
    app = page("embeddings")
    app.query_params["by"] = "pca"
    app.run()
    assert app.selectbox[0].value == done.name
    app.selectbox[0].set_value(later.name).run()
    assert "still training" in app.info[0].value
    assert not app.exception


def test_the_table_of_test_metrics_has_names_in_words(finished, monkeypatch):
    monkeypatch.setenv("CLMLE_RUNS", str(finished))
    app = page("train").run()
    table = next(d.value for d in app.dataframe if "balanced accuracy" in d.value.index)
    test = list_runs(finished)[0].result()["test"]
    assert table.iloc[0, 0] == f"{test['balanced_accuracy']:.3f}"
    assert "recall of 7" in table.index


def test_a_page_is_one_file(tmp_path, monkeypatch):
    """The page of docs/guide/own-page.md is found and shows the counts of its data set."""
    from app.widgets import pages
    from clmle import load_dataset

    views = Path(shutil.copytree(ROOT / "app" / "views", tmp_path / "views"))
    text = (ROOT / "docs" / "guide" / "own-page.md").read_text("utf-8")
    code = re.search(r"^```python\n(.*?)^```", text, re.S | re.M).group(1)
    (views / "class_sizes.py").write_text(code)
    monkeypatch.setattr(pages, "VIEWS", views)
    monkeypatch.syspath_prepend(str(ROOT))
    titles = [facts["title"] for _, facts in pages.declarations()]
    assert titles.index("Class sizes") == titles.index("Data") + 1
    app = AppTest.from_file(str(views / "class_sizes.py"), default_timeout=600).run()
    assert not app.exception
    assert not app.error
    assert app.dataframe[0].value["images"].to_list() == list(
        load_dataset("digits").task().class_counts()
    )


def test_the_train_page_names_run_folders_of_version_0_1():
    folder = runs_dir() / "20250101-000000-first-clmle"
    folder.mkdir(parents=True)
    (folder / "settings.json").write_text("{}")
    app = page("train")
    app.run()
    assert not app.exception
    assert any("version 0.1" in warning.value for warning in app.warning)
