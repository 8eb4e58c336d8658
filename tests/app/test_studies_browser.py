"""The page Ablations in a browser: start, stop, reload, resume, save."""

import pytest

from tests.app.forms import choose, settled

pytestmark = pytest.mark.browser


def opened(browser, **options):
    return browser.new_context(viewport={"width": 1280, "height": 900}, **options).new_page()


def test_a_grid_is_started_stopped_and_resumed(server, browser):
    """Two trials on digits; the page is reloaded while they run, and after they were stopped."""
    page = opened(browser)
    page.goto(f"{server}/ablations?starting=true&new=a+free+grid+of+methods+and+options")
    button = page.get_by_role("button", name="Start the study")
    button.wait_for()
    settled(page)
    choose(page.get_by_role("combobox", name="Data"), "digits")
    config = page.get_by_role("textbox", name="Options to vary, one per line")
    config.fill("train.iterations=6")
    config.press("Control+Enter")
    page.get_by_role("textbox", name="Seeds").fill("0")
    page.get_by_role("textbox", name="Seeds").press("Enter")
    page.get_by_text("2 trials").wait_for()
    button.click()
    page.get_by_role("button", name="Stop").wait_for()
    page.reload()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("stopped", exact=True).wait_for()
    page.goto(f"{server}/ablations")  # only what is on disk is kept
    page.get_by_role("button", name="Resume").click()
    page.get_by_text("done", exact=True).wait_for()
    page.get_by_text("2 of 2 trials have a result").wait_for()
    page.goto(f"{server}/ablations?study=grid+(mine)&figure=Heat+map")
    page.locator(".js-plotly-plot .heatmaplayer image").first.wait_for()
    assert page.get_by_text("Traceback").count() == 0


@pytest.mark.parametrize("kind", ["PNG", "SVG"])
def test_a_figure_is_saved_as_an_image_file(server, browser, kind):
    page = opened(browser)
    page.goto(f"{server}/ablations?study=classifier+(shipped)&figure=Differences")
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    page.get_by_role("button", name="Save", exact=True).first.click()
    with page.expect_download() as saved:
        page.get_by_role("button", name=f"Figure as {kind}").click()
    content = saved.value.path().read_bytes()
    assert content.startswith(b"\x89PNG") if kind == "PNG" else b"<svg" in content[:200]
    assert saved.value.suggested_filename.endswith(kind.lower())


def test_a_table_is_copied_as_latex(server, browser):
    page = opened(browser, permissions=["clipboard-read", "clipboard-write"])
    page.goto(f"{server}/paper?part=Tables&table=Table+6")
    page.get_by_role("button", name="Save table").first.click()
    page.get_by_role("button", name="Copy as LaTeX").click()
    page.get_by_text("Copied").wait_for()
    text = page.evaluate("navigator.clipboard.readText()")
    assert text.startswith("\\begin{tabular}")
    assert "CLMLE & 88.780" in text
