"""The app in a real browser, with a real server and real runs."""

import io
import re
from contextlib import suppress

import pytest
from PIL import Image
from playwright.sync_api import TimeoutError, expect

from tests.app.forms import choose, data_of_new_runs, settled, visible

pytestmark = pytest.mark.browser
PAGES = (
    "", "imbalance", "data", "train", "embeddings?by=pca", "ablations", "attributes", "recognition",
    "margins", "paper",
)  # fmt: skip
FIRST_ROUND = re.compile("^(start|pretrained features)$")


def no_traceback(page):
    assert page.get_by_text("Traceback").count() == 0
    assert page.get_by_text("failed; reload it").count() == 0


def test_a_deep_link_works_before_any_other_page(new_server, browser):
    """The first page that a server delivers need not be the start page."""
    page = browser.new_page()
    page.goto(f"{new_server}/margins")
    page.get_by_role("heading", name="Margins").wait_for()
    no_traceback(page)


def test_the_link_of_a_view_is_copied(server, browser):
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{server}/margins?images=900,90,9")
    page.get_by_role("button", name="Copy link to this view").click()
    page.get_by_text("Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.url
    assert "images=900" in copied


def test_train_reload_and_explore_the_embedding(server, browser):
    """Start two methods on digits, reload while they run, then explore the embedding."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(f"{server}/train?train-quick-digits-iterations=80")  # half of the preset
    choose(data_of_new_runs(page), "digits")
    page.get_by_role("button", name="Start", exact=True).click()
    visible(page, "clmle, digits").wait_for()
    visible(page, "running").wait_for()
    page.reload()
    for run in ("softmax, digits", "clmle, digits"):  # the address holds the runs
        visible(page, run).wait_for()
    page.get_by_text("Test images (bar: 95 % interval)").wait_for()
    expect(page.get_by_text("Balanced accuracy 0")).to_have_count(3)
    no_traceback(page)

    page.goto(f"{server}/embeddings?by=pca")  # t-SNE, the default, takes the time of a training
    settled(page)
    expect(page.get_by_role("radio", name="PCA")).to_be_checked()
    frame = page.frame_locator("iframe").first
    frame.locator(".plot-container").wait_for()
    frame.locator("#plot").focus()
    page.keyboard.press("ArrowRight")
    expect(frame.locator("#face span")).to_contain_text("image")
    page.keyboard.press("Enter")
    frame.locator("#why").get_by_text("score").first.wait_for()  # the explanation
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 1440, "height": 1500})
    frame.get_by_role("button", name="Select with a lasso").click()
    frame.locator("#sheet").hover(position={"x": 2, "y": 2})  # when it no longer moves
    box = frame.locator("#plot").bounding_box()
    left, right = box["x"] + 2, box["x"] + box["width"] - 2
    top, low = box["y"] + 2, box["y"] + box["height"] - 2
    page.mouse.move(left, top)
    page.mouse.down()
    for x, y in ((right, top), (right, low), (left, low), (left, top)):
        page.mouse.move(x, y, steps=4)
    page.mouse.up()
    every = frame.locator("#some strong").inner_text().removesuffix(" points")
    expect(frame.locator("#plot .gtitle")).to_contain_text(f"{every} images")
    expect(frame.locator("#some canvas")).to_have_count(80)
    frame.get_by_role("button", name="Select with a lasso").click()
    slider = frame.get_by_role("slider", name="Round")
    slider.focus()
    page.keyboard.press("Home")
    expect(frame.locator("#title")).to_have_text(FIRST_ROUND)
    page.reload()  # the address holds the round and the point
    frame.locator("#why").get_by_text("score").first.wait_for()
    expect(frame.locator("#title")).to_have_text(FIRST_ROUND)

    # Of a thousand images the browser sends only those that are used.
    settled(page)
    page.get_by_text("Add your own images").click()
    picture = io.BytesIO()
    Image.new("RGB", (30, 30), "teal").save(picture, "PNG")
    thousand = [(f"{i}.png", picture.getvalue()) for i in range(1000)]
    box = page.locator(".st-key-own-images input[type=file]")
    box.set_input_files([{"name": n, "mimeType": "image/png", "buffer": b} for n, b in thousand])
    page.get_by_text("1,000 images were selected; the first 24 are used.").wait_for()
    more = f"{int(every.replace(',', '')) + 24:,} images"
    frame.locator("#plot .gtitle").get_by_text(more).wait_for()
    no_traceback(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_and_fits_the_screen(server, browser, scheme):
    """No page is wider than a desktop's or a phone's screen, and axe-core finds no serious or
    critical problem."""
    from axe_playwright_python.sync_playwright import Axe

    desktop, phone = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
    page = browser.new_context(color_scheme=scheme, viewport=desktop).new_page()
    found, wide = [], []
    for name in PAGES:
        page.goto(f"{server}/{name}")
        page.locator(".stMain h1").wait_for()
        page.locator("#first-view").wait_for(state="detached")
        settled(page)
        expect(page.get_by_label("Theme")).to_be_visible()  # also where the page stops early
        # Formulas change their width with their fonts, which load on first use.
        page.wait_for_function("document.fonts.status === 'loaded'")
        for problem in Axe().run(page).response["violations"]:
            if problem["impact"] in ("serious", "critical"):
                where = problem["nodes"][0]["html"][:120]
                found.append(f"{name or 'start'}: {problem['id']}, {where}")
        for size in (desktop, phone):
            page.set_viewport_size(size)
            page.wait_for_timeout(700)
            with suppress(TimeoutError):  # figures change their width later
                page.wait_for_function(
                    "document.documentElement.scrollWidth <= innerWidth", timeout=60_000
                )
                continue
            wide.append(f"{name or 'start'} on {size['width']}")
        page.set_viewport_size(desktop)
        no_traceback(page)
    assert not found
    assert not wide
