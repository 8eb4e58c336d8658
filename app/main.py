"""The laboratory's pages. Start with: streamlit run app/main.py"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

from app.widgets.preload import warm  # noqa: E402
from app.widgets.uploads import bound_uploads  # noqa: E402

# Not "pages": Streamlit would serve that folder by itself, past this file.
PAGES = Path(__file__).parent / "views"

bound_uploads()
# A file of our own: the browser would fetch a named symbol from elsewhere.
ICON = str(Path(__file__).with_name("icon.png"))
st.set_page_config(page_title="clmle", page_icon=ICON, layout="wide")
if getattr(st.context.theme, "type", "light") == "dark":
    # Streamlit writes white on the primary color and the primary color on a dark ground; no one
    # color can be read both ways.
    st.html(
        "<style>[data-variant='segmented_control'][aria-checked='true'] p, "
        "[data-testid='stSliderThumbValue'] p {color: #56B4E9}</style>"
    )
st.navigation(
    [
        st.Page(PAGES / "start.py", title="Start", icon=":material/play_circle:", default=True),
        st.Page(
            PAGES / "imbalance.py",
            title="What imbalance does",
            icon=":material/school:",
            url_path="imbalance",
        ),
        st.Page(PAGES / "data.py", title="Data", icon=":material/grid_view:"),
        st.Page(PAGES / "train.py", title="Train", icon=":material/model_training:"),
        st.Page(PAGES / "embeddings.py", title="Embeddings", icon=":material/scatter_plot:"),
        st.Page(PAGES / "ablations.py", title="Ablations", icon=":material/science:"),
        st.Page(PAGES / "attributes.py", title="Attributes", icon=":material/face:"),
        st.Page(PAGES / "recognition.py", title="Recognition", icon=":material/person_search:"),
        st.Page(PAGES / "margins.py", title="Margins", icon=":material/straighten:"),
        st.Page(PAGES / "paper.py", title="Paper", icon=":material/article:"),
    ]
).run()
warm()
