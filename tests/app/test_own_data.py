"""Data that people bring to the pages Data and Train, without a browser."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.widgets import own_data
from app.widgets.data_facts import TOO_FEW
from app.widgets.path_access import uploads_dir
from clmle.data import registered_datasets
from clmle.errors import InputError
from clmle.files import runs_dir
from clmle.run_folder import create_run

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def scans(tmp_path):
    """100 images with two targets, a group and a damaged file; class c is rare."""
    home = tmp_path / "scans"
    home.mkdir()
    lines = ["file,kind,bright,split,camera"]
    for i in range(100):
        pixels = np.random.default_rng(i).integers(0, 256, (12, 12, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(home / f"{i}.png")
        kind = "c" if i % 20 == 0 or i % 20 == 9 else "ab"[i % 2]
        part = ("train", "val", "test")[i % 5 // 2 if i % 5 < 4 else 2]
        lines.append(f"{i}.png,{kind},{i % 2},{part},{'xy'[i // 50]}")
    (home / "7.png").write_bytes(b"damaged")
    (home / "labels.csv").write_text("\n".join(lines))
    return home


@pytest.fixture
def features(tmp_path):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 300)
    path = tmp_path / "backbone.npz"
    np.savez(
        path, features=(rng.normal(size=(300, 8)) + labels[:, None]).astype("f4"), label=labels
    )
    return path


def opened(view, path, **query):
    """A page on which the visitor has entered this path."""
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=600)
    app.switch_page(f"views/{view}.py")
    for name, value in {"folder": str(path), **query}.items():
        app.query_params[name] = value
    app.run()
    next(b for b in app.button if b.label == "Read it").click().run()
    assert not app.exception
    return app


def texts(elements):
    return " ".join(e.value for e in elements).replace("\\", "")


def test_data_page_shows_how_a_folder_was_read_and_what_is_left_out(scans):
    app = opened("data", scans, target="kind")
    assert not app.error
    assert "99 images, read with 40 x 40 pixels. Read as: table labels.csv" in texts(app.markdown)
    warned = texts(app.warning)
    assert "7.png (not an image)" in warned
    assert "fewer than 10 validation or test images: " in warned
    assert "c (" in warned
    frames = [d.value for d in app.dataframe]
    left_out = next(f for f in frames if list(f.columns) == ["file", "reason"])
    assert left_out.to_dict("records") == [{"file": "7.png", "reason": "not an image"}]
    counted = next(f for f in frames if TOO_FEW in f)
    assert set(counted["target"]) == {"kind", "bright", "camera"}
    assert counted.set_index("class").loc["c", TOO_FEW] == "validation, test"
    assert {"a: 15 images", "c: 5 images"} <= {c.value for c in app.caption}


def test_data_page_divides_classes_by_another_column_and_merges_them(scans):
    app = opened("data", scans, target="kind", by="bright")
    divided = next(d.value for d in app.dataframe if "not bright" in d.value)
    assert divided.set_index("class").loc["a", "not bright"] == 15
    next(t for t in app.text_input if t.label == "Classes to merge").set_value("ac=a+c").run()
    parts = next(d.value for d in app.dataframe if "sub-population" in d.value)
    assert parts["class"].to_list() == ["ac", "b", "ac"]
    next(t for t in app.text_input if t.label == "Classes to merge").set_value("x=nine").run()
    assert any("'nine'" in e.value for e in app.error)
    assert len(app.dataframe) > 0  # the rest of the page stays


def test_data_page_projects_features(features):
    app = opened("data", features)
    assert not app.error
    assert "300 rows of 8 features. Read as: a table of 8 features" in texts(app.markdown)
    assert not [c for c in app.caption if c.value.endswith(" images")]


def test_data_page_lists_every_data_set_and_format(tmp_path, monkeypatch):
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    (tmp_path / "olivetti_py3.pkz").touch()
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=600)
    app.switch_page("views/data.py").run()
    table = next(d.value for d in app.dataframe if "state" in d.value)
    assert table["name"].to_list() == [info.name for info in registered_datasets()]
    state = dict(zip(table["name"], table["state"], strict=True))
    assert state["toonfaces"].startswith("to be rendered: ")
    assert state["cifar10"] == state["lfw"] == "needs a download"
    assert state["digits"] == state["olivetti"] == "ready"
    assert state["image folder"] == "by path"


def test_a_data_set_is_downloaded_only_on_request(monkeypatch):
    asked = []
    monkeypatch.setattr("clmle.training.load_data", lambda *a, **k: asked.append(a))
    for view, key in (("data", "set"), ("train", "data")):
        app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=600)
        app.switch_page(f"views/{view}.py")
        app.query_params[key] = "cifar100"
        app.run()
        assert not app.exception
        assert app.selectbox[0].value == "cifar100"
    assert not asked


def test_train_page_offers_the_targets_of_own_data_and_their_imbalance(scans, monkeypatch):
    started = []
    monkeypatch.setattr(
        "clmle.jobs.launch",
        lambda config, at_a_time: (
            started.append(config) or create_run(runs_dir(), config.to_dict())
        ),
    )
    app = opened(
        "train", scans, attribute="kind", imbalance="given", counts="a=6;b=9", merge="ac=a+c"
    )
    assert not app.error
    assert "Read as: table labels.csv" in texts(app.markdown)
    assert "fewer than 10 validation or test images" in texts(app.warning)
    assert next(s for s in app.selectbox if s.label == "Attribute").value == "kind"
    next(s for s in app.selectbox if s.label == "validation").set_value("balanced").run()
    next(n for n in app.number_input if n.label == "validation size").set_value(9).run()
    next(b for b in app.button if b.label == "Start").click().run()
    assert not app.error
    made = started[0].data
    assert (made.dataset, made.attribute) == (str(scans), "kind")
    assert (made.imbalance, made.counts, made.merge) == ("given", "a=6;b=9", "ac=a+c")
    assert (made.validation, made.validation_size) == ("balanced", 9)


def test_train_page_refuses_impossible_counts_before_a_run_exists(scans):
    app = opened("train", scans, attribute="kind", imbalance="given", counts="a=6000")
    next(b for b in app.button if b.label == "Start").click().run()
    assert any("counts gives class 'a' 6000 training images" in e.value for e in app.error)
    assert not app.exception
    assert not runs_dir().exists()


def test_a_dropped_file_is_stored_once_under_a_safe_name(monkeypatch):
    path = own_data.stored("../../My faces (1).parquet", b"12345")
    assert path == own_data.stored("../../My faces (1).parquet", b"12345")
    assert path.read_bytes() == b"12345"
    assert path.parent.parent == uploads_dir()
    assert path.name == "My-faces-1-.parquet"
    with pytest.raises(InputError, match="cannot be dropped here"):
        own_data.stored("run.sh", b"")
    monkeypatch.setattr(own_data, "MAX_STORED", 8)
    with pytest.raises(InputError, match="enter the path of the file"):
        own_data.stored("more.npz", b"6789")
