"""Pages show a table of features: its rows as gray squares, its runs as those of images."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from streamlit.testing.v1 import AppTest

from app.widgets.viewer import image_sheets, mosaic, pictures, sides
from clmle import create_run, preset_config, runs_dir, train

VIEWS = Path(__file__).resolve().parents[2] / "app" / "views"


@pytest.fixture
def table(tmp_path):
    digits = load_digits()
    np.savez(tmp_path / "table.npz", features=digits.data, label=digits.target)
    return str(tmp_path / "table.npz")


def test_features_are_shown_as_squares():
    features = np.linspace(-1, 3, 60).reshape(6, 10)
    assert sides(features) == (4, 4)
    shown = pictures(features)
    assert shown.shape == (6, 4, 4, 1)
    assert shown[0, 0, 0, 0] < shown[5, 2, 1, 0]
    assert not shown[:, 2, 2:].any()  # padding
    assert mosaic(features, 3).shape == (8, 12)
    picture = mosaic(features[:5], 3, transparent=True)
    assert (picture[..., :3] == mosaic(features[:5], 3)[..., None]).all()
    assert (picture[:4, :, 3] == 255).all()
    assert (picture[4:, 8:, 3] == 0).all()  # the place without an image
    assert len(image_sheets(features, np.arange(6))) == 1
    images = np.zeros((2, 4, 4, 3), np.uint8)
    assert pictures(images) is images


def test_pages_of_a_table_of_features_open(table):
    config = preset_config("quick", "clmle", table)
    config = replace(config, train=replace(config.train, iterations=12, rounds=1))
    train(create_run(runs_dir(), config.to_dict()))
    # From the first page, as the page Data links to the page Train.
    page = AppTest.from_file(str(VIEWS.parent / "main.py"), default_timeout=600)
    page.switch_page("views/data.py")
    page.query_params["folder"] = table
    page.session_state["wanted"] = (table, "")
    assert not page.run().exception
    assert not page.error
    assert "label" in page.selectbox(key="target").options
    page = AppTest.from_file(str(VIEWS / "embeddings.py"), default_timeout=600)
    page.query_params["by"] = "pca"
    assert not page.run().exception
    assert not page.error
