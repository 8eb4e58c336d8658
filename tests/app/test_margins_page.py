"""The page Margins: the package's numbers, class counts that are refused, links."""

import pytest

from tests.app.pages import linked, page


def test_margins_page_shows_the_package_s_numbers():
    from clmle import margin_bounds

    app = page("margins").run()
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
    app = page("margins").run()
    app.text_input[0].set_value(counts).run()
    assert "two classes or more" in app.error[0].value
    assert not app.metric


def test_no_feasible_margin_is_not_a_negative_one():
    app = page("margins").run()
    app.slider[0].set_value(30).run()  # log 30 is above the bound 2
    assert [m.value for m in app.metric][3] == "none"


def test_margins_of_a_run_of_several_attributes_are_those_of_one(several, monkeypatch):
    monkeypatch.setenv("CLMLE_RUNS", str(several))
    app = page("margins").run()
    app.selectbox[0].set_value(app.selectbox[0].options[1]).run()
    assert not app.exception
    assert app.selectbox[1].options == ["left", "right"]


def test_a_link_restores_the_page_margins():
    app = linked("margins", {"images": "900, 90, 9", "dim": "8", "others": "3", "scale": "32"})
    assert app.text_input[0].value == "900, 90, 9"
    assert (app.number_input[0].value, app.slider[0].value) == (8, 3)
    assert app.select_slider[0].value == 32
