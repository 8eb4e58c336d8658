"""The first page: networks learn before the app is there; no heavy library is loaded for it."""

import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest

from app.document import Document
from app.first_view import FRAME_TITLE, TITLE
from app.widgets import preload
from tests.app.test_document import PAGE, answering, served

ROOT = Path(__file__).resolve().parents[2]
SLOW = ("torch", "pandas", "sklearn", "scipy")


def test_the_first_page_loads_none_of_the_heavy_libraries():
    code = (
        "import sys; sys.path.insert(0, '.');"
        "import streamlit.web.bootstrap;"
        "from app.widgets import browser_playground, demonstration, error_display, live_curves;"
        "from app.widgets import pages, preload, uploads;"
        "from app.widgets.runs import all_runs; all_runs();"
        f"print([name for name in {SLOW} if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert said.stdout.strip() == "[]", said.stderr


def test_heavy_libraries_are_imported_after_the_first_page(monkeypatch):
    loaded = []
    monkeypatch.setattr(preload, "PAUSE", 0)
    monkeypatch.setattr(preload, "FIRST_PAGE", 0)
    preload.load(threading.Event(), loaded.append, lambda: loaded.append("frozen"))
    assert loaded == [*preload.LIBRARIES, "frozen"]


def test_pages_do_not_end_with_a_garbage_collection():
    options = tomllib.loads((ROOT / "app" / ".streamlit" / "config.toml").read_text())
    assert options["runner"]["postScriptGC"] is False


VIEW = "document.getElementById('first-view')"
LEARNS = "/step [1-9]/.test(document.getElementById('where')?.textContent)"
FRAMES = "frames => frames.map(frame => [frame.title, frame.contentWindow.opened])"


def learning(page):
    """The frame of the playground, once its networks learn."""
    page.wait_for_selector(f"iframe[title='{FRAME_TITLE}']")
    (frame,) = page.frames[1:]
    frame.wait_for_function(LEARNS)
    return frame


def app_is_there(page):
    page.get_by_role("button", name="Run the demonstration").wait_for()
    page.wait_for_function(f"!{VIEW}")


def test_only_the_first_page_has_the_playground_before_the_app():
    def body(path):
        return served(Document(answering(b"text/html", [], (PAGE,))), path)[2]

    assert TITLE.encode() in body("/")
    assert b"iframe" not in body("/train")
    assert body("/").count(b"</script>") == 2  # none within the text of the playground's page


@pytest.mark.browser
def test_networks_learn_on_the_first_page_before_the_app_is_loaded(server, browser):
    with browser.new_page() as page:
        page.route("**/static/js/*", lambda route: route.abort())
        page.goto(server)
        learning(page)
        assert page.get_by_role("heading", name=TITLE).is_visible()
        assert not page.get_by_role("button", name="Run the demonstration").count()


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (768, "dark"), (390, "light")])
def test_the_app_takes_over_the_playground_where_it_stands(server, browser, width, scheme):
    """Neither begins again nor moves, and its colors stay."""
    where = "e => [e.getBoundingClientRect().x, e.getBoundingClientRect().y]"
    waiting = []
    with browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme) as page:
        page.route("**/static/js/index.*.js", lambda route: waiting.append(route))
        page.goto(server, wait_until="commit")
        frame = learning(page)
        frame.evaluate("window.opened = 'before the app'")
        color = frame.evaluate("getComputedStyle(document.body).color")
        page.evaluate("document.fonts.ready")
        before = page.locator(f"iframe[title='{FRAME_TITLE}']").evaluate(where)
        for route in waiting:
            route.continue_()
        app_is_there(page)
        assert page.locator("iframe").evaluate_all(FRAMES) == [[FRAME_TITLE, "before the app"]]
        after = page.locator(f"iframe[title='{FRAME_TITLE}']").evaluate(where)
        assert after == pytest.approx(before, abs=2)
        assert frame.evaluate("getComputedStyle(document.body).color") == color
        frame.get_by_role("slider", name="Ratio").press("ArrowRight")
        frame.get_by_text("40 to 1", exact=True).wait_for()


@pytest.mark.browser
def test_a_browser_that_cannot_move_a_frame_begins_again(server, browser):
    with browser.new_page() as page:
        page.add_init_script("delete Element.prototype.moveBefore")
        page.goto(server)
        app_is_there(page)
        assert page.locator("iframe").evaluate_all(FRAMES) == [[FRAME_TITLE, None]]
        learning(page)


@pytest.mark.browser
def test_the_first_view_covers_no_other_page(server, browser):
    with browser.new_page() as page:
        page.add_init_script(
            "addEventListener('DOMContentLoaded', () => history.pushState(null, '', '/train'))"
        )
        page.goto(server)
        page.wait_for_function(f"!{VIEW}")


@pytest.mark.browser
def test_the_first_view_covers_no_error(server, browser):
    with browser.new_page() as page:
        page.add_init_script(
            "addEventListener('DOMContentLoaded', () => document.body.insertAdjacentHTML("
            "'beforeend', '<div class=stException></div>'))"
        )
        page.route("**/static/js/*", lambda route: route.abort())
        page.goto(server)
        page.wait_for_function(f"!{VIEW}")


@pytest.mark.browser
def test_the_chosen_theme_holds_before_the_app(server, browser):
    with browser.new_page(color_scheme="light") as page:
        page.add_init_script("localStorage.setItem('clmle-theme', 'Dark')")
        page.route("**/static/js/*", lambda route: route.abort())
        page.goto(server)
        frame = learning(page)
        assert frame.evaluate("document.documentElement.dataset.theme") == "dark"
        dark = page.locator("#first-view").evaluate("e => getComputedStyle(e).backgroundColor")
        assert dark == "rgb(23, 22, 20)"
        around = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert around == dark  # next to it, where the side bar will be
