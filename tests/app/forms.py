"""Forms of the app as a visitor finds them."""

from playwright.sync_api import Locator, Page


def data_of_new_runs(page: Page) -> Locator:
    """The choice of data on the page Train, whose form is closed where other runs exist."""
    form = page.get_by_test_id("stExpander").filter(has_text="New runs").first
    form.wait_for()
    if form.locator("details").first.get_attribute("open") is None:
        form.get_by_text("New runs", exact=True).click()
    data = page.get_by_test_id("stSelectbox").first
    data.wait_for()
    return data
