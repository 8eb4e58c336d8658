"""Buttons that work in the browser alone: save a figure as a picture, copy a text."""

from collections.abc import Mapping

from app.first_view import THEME
from app.widgets.media import STATUS, browser_part, text_of


def save_picture(name: str) -> None:
    """Buttons that save the figure of key "figure-``name``" as PNG or SVG."""
    buttons = "".join(
        f'<button type="button" data-format="{kind.lower()}">Figure as {kind}</button>'
        for kind in ("PNG", "SVG")
    )
    _buttons("save_picture", buttons, {"name": name}, f"save-{name}")


def copy_buttons(texts: Mapping[str, str | None], key: str) -> None:
    """A button for each label of ``texts`` that copies its text, or the page's address for None."""
    _buttons("copy_text", "", {"texts": texts}, f"copy-{key}")


def theme_switch() -> None:
    """A choice of light, dark or the system's theme, for all pages of this browser."""
    choices = "".join(
        f'<option value="{value}">{label}</option>'
        for value, label in (("", "as the system"), ("Light", "light"), ("Dark", "dark"))
    )
    row = f'<label class="row">Theme <select>{choices}</select></label>'
    browser_part("theme_switch", row, {"name": THEME}, "theme", css=text_of("actions.css"))


def _buttons(name: str, html: str, data: dict[str, object], key: str) -> None:
    row = f'<div class="row">{html}{STATUS}</div>'
    browser_part(name, row, data, key, css=text_of("actions.css"))
