"""Forms of the app as a visitor finds them."""

from contextlib import suppress

from playwright.sync_api import Locator, Page, TimeoutError


def data_of_new_runs(page: Page) -> Locator:
    """The choice of data on the page Train, whose form is closed where other runs exist."""
    data = page.get_by_test_id("stSelectbox").first
    with suppress(TimeoutError):
        data.wait_for(timeout=10_000)
    if not data.is_visible():
        page.get_by_text("New runs", exact=True).click()
    return data
