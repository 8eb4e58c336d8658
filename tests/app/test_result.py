"""The result of a run on the page Train: threshold and cost, groups, probabilities, new images."""

import dataclasses
import io
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.widgets import threshold_cost
from app.widgets.export_model import packed
from app.widgets.new_images import less_probable, predictions
from clmle import load_model, metrics, studies
from clmle.presets import preset_config
from clmle.run_folder import create_run
from clmle.training import prepare_run, train

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A tiny run on dark and bright images of two cameras, with the scores of its images."""
    folder, root = tmp_path_factory.mktemp("images"), tmp_path_factory.mktemp("runs")
    rng = np.random.default_rng(0)
    lines = ["file,split,kind,camera"]
    for i in range(360):
        bright = i % 5 == 0
        pixels = rng.normal(130 if bright else 100, 30, (8, 8, 3)).clip(0, 255)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{i}.png")
        part = ("train", "val", "test")[i // 5 % 3]
        lines.append(f"{i}.png,{part},{'bright' if bright else 'dark'},{'xy'[i % 2]}")
    (folder / "labels.csv").write_text("\n".join(lines))
    config = preset_config("quick", "softmax", str(folder), "kind")
    small = {"iterations": 40, "rounds": 1, "batch_size": 16, "backbone": "tiny"}
    data = {"labels": str(folder / "labels.csv"), "image_size": 8}
    run = create_run(
        root,
        dataclasses.replace(
            config,
            data=dataclasses.replace(config.data, **data),
            train=dataclasses.replace(config.train, **small),
        ).to_dict(),
    )
    train(run)
    studies.score_images(run)
    return run


def page(trained, monkeypatch, view):
    monkeypatch.setenv("CLMLE_RUNS", str(trained.path.parent))
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=600)
    app.switch_page("views/train.py")
    app.query_params["result-view"] = view
    app.run()
    assert not app.exception
    assert not app.error
    return app


def shown(app):
    return {m.label: m.value for m in app.metric}


def test_the_slider_changes_the_counts_and_their_cost_at_once(trained, monkeypatch):
    app = page(trained, monkeypatch, "Threshold and cost")
    found = studies.image_probabilities(studies.stored_scores(trained))
    c = found.class_names.index("bright")
    best = metrics.threshold_for_cost(
        *found.validation.detection(c), false_negative=10, false_positive=1
    )
    slider = next(s for s in app.select_slider if s.label.startswith("Predict bright"))
    assert slider.value == pytest.approx(np.clip(best, 1e-4, 1 - 1e-4))
    before = found.test.counts(c, slider.value)
    assert shown(app)["Missed"] == str(before["false_negatives"])
    assert not any(m.delta for m in app.metric)
    slider.set_value(0.99966).run()
    after = found.test.counts(c, 0.99966)
    assert shown(app)["Missed"] == str(after["false_negatives"])
    assert shown(app)["False alarms"] == str(after["false_positives"])
    cost = 1000 * (10 * after["false_negatives"] + after["false_positives"]) / 120
    assert shown(app)["Cost per 1,000 images"] == f"{cost:,.1f}"
    deltas = {m.label: m.delta for m in app.metric}
    assert deltas["Missed"] == str(after["false_negatives"] - before["false_negatives"])


def test_another_cost_has_its_own_threshold(trained, monkeypatch):
    app = page(trained, monkeypatch, "Threshold and cost")
    next(n for n in app.number_input if n.label == "Cost of a miss").set_value(0.01).run()
    found = studies.image_probabilities(studies.stored_scores(trained))
    best = metrics.threshold_for_cost(
        *found.validation.detection(found.class_names.index("bright")),
        false_negative=0.01, false_positive=1,
    )  # fmt: skip
    slider = next(s for s in app.select_slider if s.label.startswith("Predict bright"))
    assert slider.value == pytest.approx(np.clip(best, 1e-4, 1 - 1e-4))


def test_groups_are_those_of_a_column_of_the_data(trained, monkeypatch):
    app = page(trained, monkeypatch, "Groups")
    by = next(s for s in app.selectbox if s.label == "Groups by")
    assert by.options == ["camera"]
    table = next(d.value for d in app.dataframe if "group" in d.value)
    found = studies.image_probabilities(studies.stored_scores(trained)).test
    assert table["group"].to_list() == ["x", "y", "all"]
    assert table["images"].to_list() == [60, 60, 120]
    dataset, _ = prepare_run(trained)
    camera = np.array(["x", "y"])[dataset.labels["camera"][found.indices]]
    right = found.labels == found.predicted
    expected = [right[camera == "x"].mean(), right[camera == "y"].mean(), right.mean()]
    assert table["accuracy"].to_list() == pytest.approx(expected, abs=1e-4)
    assert any("random groups" in c.value.lower() for c in app.caption)


def dropped(app, content):
    """Drops a table of groups, which a test has to do before every run of the page."""
    table = next(f for f in app.file_uploader if f.label == "Table of groups")
    return table.set_value(("sites.csv", content, "text/csv"))


def test_groups_may_be_those_of_a_dropped_table(trained, monkeypatch):
    rows = "".join(f"{i}.png,{'north' if i < 180 else 'south'}\n" for i in range(360))
    content = f"file,site\n{rows}".encode()
    app = page(trained, monkeypatch, "Groups")
    dropped(app, content).run()
    by = next(s for s in app.selectbox if s.label == "Groups by")
    assert by.options == ["camera", "site, sites.csv"]
    by.set_value("site, sites.csv")
    dropped(app, content).run()
    assert [e.value for e in app.error] == []
    found = next(d.value for d in app.dataframe if "group" in d.value)
    assert found["group"].to_list() == ["north", "south", "all"]
    assert found["images"].sum() == 240


def test_a_table_of_groups_needs_the_files_of_the_images(trained, monkeypatch):
    app = page(trained, monkeypatch, "Groups")
    dropped(app, b"picture,site\na,b\n").run()
    assert "lacks a column file" in app.error[0].value


def test_probabilities_are_shown_with_their_errors(trained, monkeypatch):
    app = page(trained, monkeypatch, "Probabilities")
    found = studies.image_probabilities(studies.stored_scores(trained))
    result = metrics.calibration_metrics(found.test.labels, found.test.probabilities)
    assert shown(app)["Brier score"] == f"{result['brier_score']:.4f}"
    assert shown(app)["Calibration error"] == f"{result['calibration_error']:.4f}"
    bins = next(d.value for d in app.dataframe if "mean probability" in d.value)
    assert bins["images"].sum() == 120


def test_new_images_are_a_table_with_the_probability_of_every_class():
    p = np.array([[0.9, 0.1], [0.3, 0.7]])
    table = predictions(["a.png", "b.png"], np.array([0, 1]), p, ("dark", "bright"))
    assert table.to_dict("list") == {
        "file": ["a.png", "b.png"], "class": ["dark", "bright"], "probability": [0.9, 0.7],
        "probability of dark": [0.9, 0.3], "probability of bright": [0.1, 0.7],
    }  # fmt: skip


def test_a_class_that_is_not_the_most_probable_one_is_explained():
    p = np.array([[0.9, 0.1], [0.3, 0.7]])
    assert less_probable(np.array([0, 1]), p) == ""
    assert less_probable(np.array([1, 1]), p).startswith("The class of 1 of 2 images is not")


def test_dropped_images_are_predicted_and_explained(trained, monkeypatch):
    explained = []

    def explain(predicted, probabilities):
        explained.append(probabilities[np.arange(len(predicted)), predicted])
        return "why"

    monkeypatch.setattr("app.widgets.new_images.less_probable", explain)
    folder = Path(trained.config()["data"]["dataset"])
    app = page(trained, monkeypatch, "New images")
    drop = next(f for f in app.file_uploader if f.label == "Images to predict")
    names = [f"{i}.png" for i in range(20)]
    drop.set_value([(n, (folder / n).read_bytes(), "image/png") for n in names]).run()
    table = next(d.value for d in app.dataframe if "probability of bright" in d.value)
    assert table["file"].to_list() == names
    assert table["probability"].to_list() == explained[-1].tolist()
    assert any(info.value == "why" for info in app.info)


def test_the_downloaded_model_is_loaded_by_the_code_that_is_shown(trained, monkeypatch, tmp_path):
    app = page(trained, monkeypatch, "Export")
    code = next(c.value for c in app.code if "from_pretrained" in c.value)
    name = f"{trained.name}-model"
    with zipfile.ZipFile(io.BytesIO(packed(load_model(trained), name))) as archive:
        archive.extractall(tmp_path)
    (tmp_path / "photos").mkdir()
    Image.new("RGB", (20, 20), "white").save(tmp_path / "photos" / "a.png")
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(code, names)
    table = names["table"]
    assert table["file"].to_list() == ["a.png"]
    p = load_model(trained).probabilities(np.full((1, 8, 8, 3), 255, dtype=np.uint8))[0]
    assert table["probability"].iloc[0] == pytest.approx(p.max(), abs=1e-5)


def test_a_threshold_is_offered_for_classes_with_images_in_both_splits():
    def found(validation, test):
        parts = [SimpleNamespace(labels=np.array(labels)) for labels in (validation, test)]
        return SimpleNamespace(validation=parts[0], test=parts[1])

    assert threshold_cost._detectable(found([0, 2, 3, -1], [2, 1, 3, 3])) == [2, 3]
    assert threshold_cost._detectable(found([2, 2, -1], [2, 1])) == []  # not against anything
    assert threshold_cost._detectable(found([0, 1], [2, 3])) == []
