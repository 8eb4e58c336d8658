"""The app. Start with: streamlit run app/main.py"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

from app.widgets.pages import pages  # noqa: E402
from app.widgets.preload import preload  # noqa: E402
from app.widgets.uploads import limit_uploads  # noqa: E402

limit_uploads()
# A local file: the browser would fetch a named symbol from another server.
ICON = str(Path(__file__).with_name("icon.png"))
st.set_page_config(page_title="clmle", page_icon=ICON, layout="wide")
if getattr(st.context.theme, "type", "light") == "dark":
    # Streamlit writes white on the primary color and the primary color on a dark background; no
    # single color is readable in both cases.
    st.html(
        "<style>[data-variant='segmented_control'][aria-checked='true'] p, "
        "[data-testid='stSliderThumbValue'] p {color: #56B4E9}</style>"
    )
st.navigation(pages()).run()
preload()
