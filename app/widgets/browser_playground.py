"""The playground that trains in the visitor's browser: it learns as soon as the page is drawn."""

import html

import streamlit as st

from app.widgets.media import is_dark
from clmle import playground

# As high as the page within becomes, so that what follows does not move.
FRAME = """iframe {display:block; width:100%; height:600px; border:0; color-scheme:normal}
@media (max-width: 560px) {iframe {height:520px}}"""


def browser_playground() -> None:
    """One slider and three panels; nothing is trained on the server."""
    page = html.escape(playground.playground_page(short=True, dark=is_dark()))
    frame = f'<iframe title="Three networks learn from imbalanced points" srcdoc="{page}"></iframe>'
    name = f"browser_playground_{'dark' if is_dark() else 'light'}"
    st.components.v2.component(name, html=frame, css=FRAME)(key="browser-playground")
