"""Forms of the app as a visitor uses them."""

from contextlib import suppress

from playwright.sync_api import Locator, Page, TimeoutError, expect

AGAIN = 5_000  # milliseconds after which a click is repeated


def settled(page: Page) -> None:
    """Wait until the page is drawn: a rerun may replace what is clicked meanwhile."""
    page.locator("[data-test-script-state=notRunning]").wait_for()
    page.locator("[data-testid=stSkeleton]").first.wait_for(state="detached")


def visible(page: Page, text: str, exact: bool = False) -> Locator:
    """The first ``text`` that is seen; a table has hidden cells with the same texts."""
    return page.get_by_text(text, exact=exact).filter(visible=True).first


def data_of_new_runs(page: Page) -> Locator:
    """The choice of data on the page Train, whose form is closed where other runs exist."""
    settled(page)
    form = page.get_by_test_id("stExpander").filter(has_text="New runs").first
    form.wait_for()
    if form.locator("details").first.get_attribute("open") is None:
        form.get_by_text("New runs", exact=True).click()
    data = form.get_by_role("combobox", name="Data", exact=True)
    data.wait_for()
    return data


def choose(select: Locator, option: str) -> None:
    """Choose ``option`` in a select; again if a rerun of the page has closed its list."""
    shown = select.page.get_by_role("option", name=option, exact=True)
    while select.input_value() != option:
        with suppress(TimeoutError, AssertionError):
            if select.get_attribute("aria-expanded") != "true":
                select.click(timeout=AGAIN)
            shown.click(timeout=AGAIN)
            expect(select).to_have_value(option, timeout=AGAIN)
        settled(select.page)
