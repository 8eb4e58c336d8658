"""The first page before the app is loaded: networks learn while the browser fetches the rest.

The HTML document of the app holds the title, the text and the playground of the first page. When
the app has drawn its page, the frame of the playground is moved there; its training goes on.
"""

import html
import json
import re
from functools import cache
from pathlib import Path

import streamlit as st

TITLE = "Learning from imbalanced classes"
TEXT = (
    "When one class is rare, a network learns to ignore it: raise the **ratio** of the classes, "
    "and the recall of the rare class, the share of its points that are recognized, falls. "
    "Balanced accuracy is the mean of the recalls of both classes."
)
THEME = "clmle-theme"  # in the browser's storage: Light or Dark
FRAME_TITLE = "Three networks learn from imbalanced points"
# As high as the page within becomes, so that what follows does not move.
FRAME = """iframe {display: block; width: 100%; height: 600px; border: 0; color-scheme: normal}
@media (max-width: 560px) {iframe {height: 520px}}"""


@cache
def first_view(font: str = "") -> str:
    """HTML for the start of the body; ``font`` is the address of the app's font."""
    from clmle import playground

    face = f'@font-face {{font-family: "Source Sans"; src: url("{font}"); font-weight: 200 900}}'
    values = {
        "FONT": face if font else "",
        "FRAME": FRAME.replace("iframe", "#first-view iframe"),
        "LIGHT": str(st.get_option("theme.light.backgroundColor") or "#fff"),
        "DARK": str(st.get_option("theme.dark.backgroundColor") or "#000"),
        "TITLE": html.escape(TITLE),
        "TEXT": re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", html.escape(TEXT)),
        "NAME": html.escape(FRAME_TITLE),
        "KEY": THEME,
        # No "</script>" within a script.
        "PAGE": json.dumps(playground.playground_page(short=True)).replace("</", "<\\/"),
    }
    template = Path(__file__).with_suffix(".html").read_text(encoding="utf-8")
    return re.sub("%([A-Z]+)%", lambda match: values[match[1]], template)
