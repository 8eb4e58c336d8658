"""The glossary on the pages: a dialog with all terms, and a tooltip where a term is used."""

from collections.abc import Iterable
from typing import Any

import streamlit as st

from app.widgets.literal import literal
from clmle import figures


def glossary_button() -> None:
    """A button that opens all terms."""
    if st.button("Glossary", icon=":material/menu_book:", key="glossary"):
        _all_terms()


@st.dialog("Glossary", width="large")
def _all_terms() -> None:
    words = st.text_input("Find a term", key="glossary-find").casefold().split()
    found = {
        term: text
        for term, text in figures.glossary().items()
        if all(word in f"{term} {text}".casefold() for word in words)
    }
    if not found:
        st.caption("No term has these words.")
    for term, text in found.items():
        st.markdown(f"**{term}**: {literal(text)}")


def meaning(term: str) -> str | None:
    """Definition of a term for a tooltip; None of one that the glossary does not have.

    "minority recall" and "recall of 7" are explained by "recall".
    """
    terms = {name.casefold(): text for name, text in figures.glossary().items()}
    name = term.casefold().replace("_", " ").split(",")[0].strip()
    first, last = name.split(" ")[0], name.split(" ")[-1]
    for part in (name, name.split(" of ")[0], last, last[:-1], first):
        if part in terms:
            return terms[part]
    return None


def columns(names: Iterable[str]) -> dict[str, Any]:
    """Configuration of the columns of a table whose names are terms: a tooltip each."""
    explained = {str(name): meaning(str(name)) for name in names}
    return {
        name: st.column_config.Column(help=text)
        for name, text in explained.items()
        if text is not None
    }


def explained(names: Iterable[str]) -> str:
    """A tooltip with the definitions of several terms, those that the glossary has."""
    found = {str(name).replace("_", " "): meaning(str(name)) for name in names}
    return "\n\n".join(f"**{name}**: {text}" for name, text in found.items() if text)
