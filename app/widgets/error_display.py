"""Errors on a page: one sentence in place, never a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st
from streamlit.runtime.scriptrunner_utils.exceptions import StopException

from app.widgets.literal import literal
from clmle import InputError


@contextmanager
def errors_in_place() -> Iterator[None]:
    """Show an error inside as a sentence; the rest of the page continues."""
    try:
        yield
    except InputError as error:
        st.error(literal(error), icon=":material/error:")
    except StopException:
        raise
    except Exception as error:
        if type(error).__module__.startswith("streamlit"):
            raise
        st.error("This part of the page failed; reload it, or look at the details.")
        with st.expander("Details"):
            st.code(f"{type(error).__name__}: {error}")
