"""Every page without a browser: without data, with runs, with invalid input."""

import dataclasses
import re
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.widgets.runs import label
from clmle.files import runs_dir
from clmle.presets import preset_config
from clmle.projection import project_run
from clmle.run_folder import RunFolder, create_run, list_runs
from clmle.training import train

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "app" / "views").glob("*.py"))


@pytest.fixture(scope="module")
def several(tmp_path_factory):
    """One tiny run of two attributes at once, projected by PCA."""
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    lines = ["file,split,left,right"]
    for i in range(60):
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(folder / f"{i}.png")
        lines.append(f"{i}.png,{('train', 'val', 'test')[i % 3]},{i // 3 % 2},{i // 6 % 2}")
    (folder / "labels.csv").write_text("\n".join(lines))
    config = preset_config("quick", "clmle", str(folder))
    data = {"attribute": "all", "labels": str(folder / "labels.csv"), "image_size": 8}
    small = {"iterations": 6, "pretrain_iterations": 2, "rounds": 1, "batch_size": 20}
    config = dataclasses.replace(
        config,
        data=dataclasses.replace(config.data, **data),
        train=dataclasses.replace(config.train, **small),
    )
    root = tmp_path_factory.mktemp("runs")
    run = create_run(root, config.to_dict())
    train(run)
    project_run(run, "pca")
    return root


def page(path):
    """The app, opened at one of its pages."""
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=600)
    return app.switch_page(str(path.relative_to(ROOT / "app")))


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_pages_open_without_data(path):
    app = page(path).run()
    assert not app.exception
    assert not app.error
    assert app.title


@pytest.mark.parametrize("runs", ["finished", "several"])
@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_pages_open_with_a_run_of_one_target_or_many(path, runs, request, monkeypatch):
    monkeypatch.setenv("CLMLE_RUNS", str(request.getfixturevalue(runs)))
    app = page(path)
    if path.stem == "embeddings":
        app.run()
        app.button_group[0].set_value("pca")
    app.run()
    assert not app.exception
    assert not app.error


def test_margins_page_shows_the_package_s_numbers():
    from clmle import margin_bounds

    app = page(ROOT / "app/views/margins.py").run()
    app.text_input[0].set_value("900, 90, 10").run()
    bounds = margin_bounds([900, 90, 10], 64)
    shown = [m.value for m in app.metric]
    assert shown[0] == f"{bounds.between:.4g}"
    assert shown[1] == f"{bounds.between_sphere:.4g}"
    app.text_input[0].set_value("many").run()
    assert "many" in app.error[0].value
    assert not app.exception


@pytest.mark.parametrize("counts", ["100", "100, 0", "", "-3, 5", "0.5, 9", "inf, 1"])
def test_margins_of_fewer_than_two_classes_with_images_are_refused(counts):
    app = page(ROOT / "app/views/margins.py").run()
    app.text_input[0].set_value(counts).run()
    assert "two classes or more" in app.error[0].value
    assert not app.metric


def test_no_feasible_margin_is_not_a_negative_one():
    app = page(ROOT / "app/views/margins.py").run()
    app.slider[0].set_value(30).run()  # log 30 is above the bound 2
    assert [m.value for m in app.metric][3] == "none"


def test_the_demonstration_compares_with_oversampling_that_is_calibrated_the_same(monkeypatch):
    started = []

    def launch(config, at_a_time):
        started.append(config)
        return create_run(runs_dir(), config.to_dict())

    monkeypatch.setattr("clmle.jobs.launch", launch)
    app = page(ROOT / "app/views/start.py").run()
    app.button[0].click().run()
    assert not app.exception
    calibration = {config.method: config.train.calibration for config in started}
    assert list(calibration) == ["clmle", "oversampling", "softmax"]
    assert calibration["oversampling"] == calibration["clmle"] != calibration["softmax"]
    assert {config.data.dataset for config in started} == {"digits"}  # nothing to prepare
    words = [caption.value for caption in app.caption]
    assert any("89, 64, 46, 33, 24, 17, 12, 9, 6, 4" in text for text in words)


def test_a_result_shows_the_precision_of_the_rare_class_and_the_confusion_matrix(
    finished, monkeypatch
):
    monkeypatch.setenv("CLMLE_RUNS", str(finished))
    app = page(ROOT / "app/views/train.py").run()
    result = list_runs(finished)[0].result()
    rare = int(np.argmin(result["class_counts"]))
    confusion = np.array(result["test"]["confusion"])
    wanted = confusion[rare, rare] / max(1, confusion[:, rare].sum())
    table = next(d.value for d in app.dataframe if "balanced accuracy" in d.value.index)
    name = f"precision of {result['class_names'][rare]}"
    if confusion[:, rare].any():
        assert float(table.loc[name].iloc[0]) == pytest.approx(wanted, abs=6e-4)
    assert any(e.label == "Confusion matrices" for e in app.expander)


def test_data_page_opens_with_data_that_need_no_preparation(tmp_path, monkeypatch):
    monkeypatch.setenv("CLMLE_CACHE", str(tmp_path))  # nothing has been rendered
    app = page(ROOT / "app/views/data.py").run()
    assert not app.exception
    assert app.selectbox[0].value == "digits"
    assert any(s.value == "Class counts" for s in app.subheader)


def test_data_page_names_a_wrong_folder():
    app = page(ROOT / "app/views/data.py").run()
    app.selectbox[0].set_value("my own data").run()
    app.text_input[0].set_value("/no/such/place").run()
    assert "/no/such/place" in app.error[0].value
    assert not app.exception


def test_data_page_reads_celeba_with_progress_and_its_link_restores_it(tmp_path, monkeypatch):
    monkeypatch.setenv("CLMLE_CACHE", str(tmp_path / "cache"))
    home = tmp_path / "CelebA"
    (home / "img_align_celeba").mkdir(parents=True)
    names = [f"{i + 1:06d}.jpg" for i in range(30)]
    for i, name in enumerate(names):
        Image.new("RGB", (178, 218), (8 * i, 0, 0)).save(home / "img_align_celeba" / name)
    rows = [f"{name} {1 if i % 3 else -1}" for i, name in enumerate(names)]
    (home / "list_attr_celeba.txt").write_text("\n".join(["30", "Bald", *rows]) + "\n")
    parts = [f"{name} {0 if i < 20 else 2}" for i, name in enumerate(names)]
    (home / "list_eval_partition.txt").write_text("\n".join(parts) + "\n")
    reported = []
    monkeypatch.setattr("streamlit.progress", lambda v, text: reported.append((v, text)))
    app = page(ROOT / "app/views/data.py").run()
    reported.clear()  # of the data that the page opens with
    app.selectbox[0].set_value("my own data").run()
    app.text_input[0].set_value(str(home)).run()
    assert not app.exception
    assert not app.error
    assert [text for _, text in reported[:2]] == ["Starting: images read", "0 of 30 images read"]
    assert reported[-1][0] == 1.0
    again = page(ROOT / "app/views/data.py")
    again.query_params["folder"] = str(home)
    again.run()
    assert not again.exception
    assert again.text_input[0].value == str(home)
    # The server holds the data: a reload shows them again, without a question and without reading.
    assert any("Bald" in box.options for box in again.selectbox)
    # Read again, the decoded images come from the cache.
    next(b for b in again.button if b.label == "Read again").click().run()
    assert not again.exception
    assert not again.error
    assert reported[-1][1] == "Starting: images read"


def test_margins_of_a_run_of_several_attributes_are_those_of_one(several, monkeypatch):
    monkeypatch.setenv("CLMLE_RUNS", str(several))
    app = page(ROOT / "app/views/margins.py").run()
    app.selectbox[0].set_value(app.selectbox[0].options[1]).run()
    assert not app.exception
    assert app.selectbox[1].options == ["left", "right"]


def test_train_page_starts_one_run_for_each_method(monkeypatch):
    started = []
    monkeypatch.setattr(
        "clmle.jobs.launch",
        lambda config, at_a_time: (
            started.append(config) or create_run(runs_dir(), config.to_dict())
        ),
    )
    app = page(ROOT / "app/views/train.py").run()
    app.selectbox[0].set_value("digits").run()
    next(b for b in app.button if b.label == "Start").click().run()
    assert not app.exception
    assert [s.method for s in started] == ["clmle", "oversampling", "softmax"]
    assert started[0].data.dataset == "digits"
    assert started[0].data == started[1].data
    without = [dataclasses.replace(s.train, calibration="none") for s in started]
    assert without[0] == without[1]


def test_seeds_and_methods_are_queued_and_their_time_estimated(monkeypatch):
    started = []
    monkeypatch.setattr(
        "clmle.jobs.launch",
        lambda config, at_a_time: (
            started.append((config, at_a_time)) or create_run(runs_dir(), config.to_dict())
        ),
    )
    app = page(ROOT / "app/views/train.py").run()
    app.selectbox[0].set_value("digits").run()
    next(t for t in app.text_input if t.label == "Seeds").set_value("0, 3").run()
    next(n for n in app.number_input if n.label == "Runs at a time").set_value(1).run()
    assert any("6 runs, 1 at a time" in c.value for c in app.caption)
    next(b for b in app.button if b.label == "Start").click().run()
    assert [(s.method, s.train.seed, n) for s, n in started] == [
        (method, seed, 1) for seed in (0, 3) for method in ("clmle", "oversampling", "softmax")
    ]  # fmt: skip
    next(t for t in app.text_input if t.label == "Seeds").set_value("zero").run()
    assert "Seeds are 'zero'" in app.error[0].value


def test_a_run_can_be_repeated_with_changes_and_differences_are_listed(monkeypatch):
    config = preset_config("quick", "arcface", "digits")
    changed = dataclasses.replace(config.train, iterations=77)
    create_run(runs_dir(), dataclasses.replace(config, train=changed).to_dict())
    create_run(runs_dir(), config.to_dict())
    name = list_runs(runs_dir())[-1].name
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=600)
    app.switch_page("views/train.py")
    app.query_params["like"] = name
    app.run()
    assert not app.exception
    assert next(n for n in app.number_input if n.label == "iterations").value == 77
    assert app.multiselect[0].value == ["arcface"]
    table = next(d.value for d in app.dataframe if "option" in d.value)
    assert table["option"].to_list() == ["train.iterations"]
    next(b for b in app.button if b.label == "Start from a preset").click().run()
    assert "like" not in app.query_params


def test_margins_in_a_link_are_set_in_the_form_if_they_are_numbers():
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=600)
    app.switch_page("views/train.py")
    app.query_params["between_margin_fraction"], app.query_params["within_margin_fraction"] = (
        "0.3",
        "0.05",
    )
    app.run()
    values = {t.label: t.value for t in app.text_input}
    assert (values["between margin fraction"], values["within margin fraction"]) == ("0.3", "0.05")
    assert values["within weight"] == "1.0"  # a2 has an effect only then
    trials = next(n for n in app.number_input if n.label == "margin trials")
    assert trials.value == 0  # they would choose a1 again
    app.query_params["between_margin_fraction"] = "much"
    app.run()
    assert "are not numbers" in app.error[0].value


def test_a_link_restores_methods_seeds_and_options_of_new_runs():
    """The browser keeps the value of every field in the address, under the field's key."""
    app = linked("train", {"data": "digits"})
    keys = {field.label: field.key for field in (*app.text_input, *app.number_input)}
    chosen = {"Seeds": "3, 4", "within weight": "0.5", "iterations": "77"}
    methods = ["CLMLE (clmle)", "ArcFace (arcface), margins and cosines"]
    query = {keys[label]: value for label, value in chosen.items()} | {"methods": methods}
    again = linked("train", {"data": "digits"} | query)
    assert again.multiselect[0].value == ["clmle", "arcface"]
    values = {field.label: str(field.value) for field in (*again.text_input, *again.number_input)}
    assert {label: values[label] for label in chosen} == chosen


@pytest.mark.parametrize("preset", ["quick", "reference"])
def test_options_follow_the_chosen_data(preset, monkeypatch):
    started = []
    monkeypatch.setattr(
        "clmle.jobs.launch",
        lambda config, at_a_time: (
            started.append(config) or create_run(runs_dir(), config.to_dict())
        ),
    )
    app = page(ROOT / "app/views/train.py").run()  # faces come first
    app.button_group[0].set_value(preset).run()
    for dataset in ("digits", "toonfaces"):
        app.selectbox[0].set_value(dataset).run()
        next(b for b in app.button if b.label == "Start").click().run()
        wanted = preset_config(preset, "clmle", dataset, "Bald" if dataset == "toonfaces" else "")
        assert started[-2].data == dataclasses.replace(
            wanted.data, attribute=started[-2].data.attribute
        )
        assert started[-2].train.mirror == wanted.train.mirror


def linked(page, query):
    """The page as a link with this query opens it."""
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=600)
    app.switch_page(f"views/{page}.py")
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


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


def test_a_link_sets_data_and_attribute_of_the_form():
    app = page(ROOT / "app/views/train.py")
    app.query_params["data"] = "toonfaces"
    app.query_params["attribute"] = "Bald"
    app.run()
    chosen = {s.label: s.value for s in app.selectbox}
    assert (chosen["Data"], chosen["Attribute"]) == ("toonfaces", "Bald")
    app.query_params["data"] = app.query_params["attribute"] = "/etc"  # no link names a folder
    app.run()
    assert next(s for s in app.selectbox if s.label == "Data").value != "/etc"
    assert not app.exception


def test_the_embedding_of_a_finished_run_is_the_default(finished, monkeypatch, tmp_path):
    done = list_runs(finished)[0]
    shutil.copytree(done.path, tmp_path / done.name)
    later = RunFolder(Path(shutil.copytree(done.path, tmp_path / f"9{done.name[1:]}")))
    later.write_status(state="running", phase="round 1", step=1, total=2, seconds=1.0, message="")
    monkeypatch.setenv("CLMLE_RUNS", str(tmp_path))
    app = page(ROOT / "app/views/embeddings.py")
    app.query_params["by"] = "pca"
    app.run()
    assert app.selectbox[0].value == done.name
    app.selectbox[0].set_value(later.name).run()
    assert "still training" in app.info[0].value
    assert not app.exception


def test_a_link_restores_the_page_data():
    app = linked("data", {"set": "digits", "split": "test", "imbalance": "step", "ratio": "50"})
    assert [s.value for s in app.selectbox][:2] == ["digits", "label"]
    assert next(s for s in app.selectbox if s.label == "Split").value == "test"
    assert app.select_slider[0].value == 50
    assert not app.select_slider[0].disabled
    next(b for b in app.button_group if b.label == "Thin the classes").set_value("none").run()
    assert app.select_slider[0].disabled  # it would have no effect


def test_a_link_restores_the_page_margins():
    app = linked("margins", {"images": "900, 90, 9", "dim": "8", "others": "3", "scale": "32"})
    assert app.text_input[0].value == "900, 90, 9"
    assert (app.number_input[0].value, app.slider[0].value) == (8, 3)
    assert app.select_slider[0].value == 32


def test_the_table_of_test_metrics_has_names_in_words(finished, monkeypatch):
    monkeypatch.setenv("CLMLE_RUNS", str(finished))
    app = page(ROOT / "app/views/train.py").run()
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
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=600)
    app.switch_page("views/train.py")
    app.run()
    assert not app.exception
    assert any("version 0.1" in warning.value for warning in app.warning)
