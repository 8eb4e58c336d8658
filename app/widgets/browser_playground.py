"""The playground that trains in the visitor's browser: it learns as soon as the page is drawn."""

from app.first_view import FRAME, FRAME_TITLE
from app.widgets.media import browser_part, is_dark
from clmle import playground


def browser_playground() -> None:
    """One slider and three panels; nothing is trained on the server."""
    dark = is_dark()
    data = {
        "page": playground.playground_page(short=True, dark=dark),
        "theme": "dark" if dark else "light",
        "title": FRAME_TITLE,
    }
    place = '<div class="place"></div>'
    browser_part("browser_playground", place, data, "browser-playground", FRAME)
