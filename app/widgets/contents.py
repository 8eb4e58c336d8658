"""A list of the sections of a long page, as links."""

import re
from collections.abc import Sequence

import streamlit as st

from app.widgets.literal import literal


def contents(headings: Sequence[str]) -> None:
    """Links to the sections of the page that were given these headings."""
    links = [f"[{literal(heading)}](#{anchor(heading)})" for heading in headings]
    st.markdown(f"**On this page:** {' · '.join(links)}")


def anchor(heading: str) -> str:
    """The anchor that a section of this heading has."""
    return re.sub(r"[^a-z0-9]+", "-", heading.casefold()).strip("-")
