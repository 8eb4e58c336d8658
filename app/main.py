"""The app. Start with: streamlit run app/main.py"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

# A local file: the browser would fetch a named symbol from another server.
ICON = str(Path(__file__).with_name("icon.png"))
# Less empty space above the title of a page, and a title in one or two lines.
PHONE = """<style>@media (max-width: 640px) {
.stMainBlockContainer {padding-top: 4rem} h1 {font-size: 2rem !important}}</style>"""


def page() -> None:
    """Draw the page that a visitor asks for."""
    from app.widgets.pages import pages
    from app.widgets.preload import libraries_loaded, preload
    from app.widgets.uploads import limit_uploads

    limit_uploads()
    st.set_page_config(page_title="clmle", page_icon=ICON, layout="wide")
    st.html(PHONE)
    if getattr(st.context.theme, "type", "light") == "dark":
        # Streamlit writes white on the primary color and the primary color on a dark background;
        # no single color is readable in both cases.
        st.html(
            "<style>[data-variant='segmented_control'][aria-checked='true'] p, "
            "[data-testid='stSliderThumbValue'] p {color: #56B4E9}</style>"
        )
    chosen = st.navigation(pages())
    if chosen.url_path:  # the first page needs no library
        libraries_loaded()
        from app.widgets.actions import copy_buttons, theme_switch
        from app.widgets.terms import glossary_button

        with st.sidebar:  # before the page, which may stop
            copy_buttons({"Copy link to this view": None}, "link")
            glossary_button()
            theme_switch()
    chosen.run()
    if not chosen.url_path:
        from app.widgets.actions import theme_switch

        with st.sidebar:
            theme_switch()
    preload()


if __name__ == "__main__":
    page()
elif __name__ != "__mp_main__":  # imported by streamlit run, which serves this object; it runs this
    # file for every page. A process that a page starts imports it by the other name.
    from app.guard import closing_left_sessions, guards

    app = st.App(__file__, middleware=guards(), lifespan=closing_left_sessions)
