"""Sliders that stay on the screen of a phone above the figures that they change."""

from typing import Any

import streamlit as st

from app.widgets.media import is_dark

# A column is as high as the sliders in it. Where it has no box, its elements stay as long as
# the row of columns is visible.
STYLE = """<style>
@media (max-width: 640px) and (min-height: 600px) {
  .stColumn:has(.st-key-KEY), .stColumn > .stVerticalBlock:has(.st-key-KEY) {display: contents}
  .stHorizontalBlock:has(> .stColumn .st-key-KEY) {flex-direction: column; flex-wrap: nowrap}
  div:has(> .st-key-KEY) {position: sticky; top: 3.75rem; z-index: 9;
    background: PAPER; border-bottom: 1px solid rgba(128, 128, 128, .4); padding-bottom: .4rem}
  .st-key-KEY {display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr));
    gap: 0 1rem; align-items: end}
}
</style>"""


def sticky(key: str) -> Any:
    """A container for the sliders of a column, in two columns on a phone, where it stays."""
    paper = st.get_option(f"theme.{'dark' if is_dark() else 'light'}.backgroundColor")
    st.html(STYLE.replace("KEY", key).replace("PAPER", paper or "transparent"))
    return st.container(key=key)
