"""A dropped file in a real browser: shown, still there after a reload, offered for training."""

import io

import numpy as np
import pytest

from tests.app.forms import settled

pytestmark = pytest.mark.browser


def test_a_dropped_file_is_shown_survives_a_reload_and_can_be_trained_on(server, browser):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 300)
    buffer = io.BytesIO()
    values = (rng.normal(size=(300, 8)) + labels[:, None]).astype("f4")
    np.savez(buffer, features=values, label=labels)
    page = browser.new_page(viewport={"width": 1440, "height": 1500})
    page.goto(f"{server}/data?set=my+own+data")
    settled(page)
    page.locator(".st-key-own-file input[type=file]").set_input_files(
        [{"name": "backbone.npz", "mimeType": "application/zip", "buffer": buffer.getvalue()}]
    )
    page.get_by_text("300 rows of 8 features").wait_for()
    page.get_by_text("training features (PCA)").wait_for()
    page.reload()  # the address holds the file, and the server still has it
    page.get_by_text("300 rows of 8 features").wait_for()
    settled(page)
    page.get_by_role("link", name="Train on this").click()
    page.get_by_role("heading", name="Train", exact=True).wait_for()
    page.get_by_text("300 rows of 8 features").wait_for()
    page.get_by_role("button", name="Start", exact=True).wait_for()
    assert page.get_by_text("Traceback").count() == 0
    assert page.get_by_text("failed; reload it").count() == 0
