"""Good settings for a problem, and why: each with a link to the study that it rests on."""

from collections.abc import Callable, Sequence

import streamlit as st

from app.widgets.literal import literal
from app.widgets.pages import link
from app.widgets.studies import shipped_study
from clmle import studies


def suggested_settings(
    counts: Sequence[int],
    validation: Sequence[int],
    *,
    features: bool = False,
    attributes: int = 1,
    choose: Callable[[studies.Suggestions], None] | None = None,
) -> None:
    """The suggestions for these counts; ``choose`` takes them over into the form."""
    if sum(n > 0 for n in counts) < 2:
        return
    found = studies.suggest(counts, validation, features=features, attributes=attributes)
    with st.expander("Good settings for this problem, and why", icon=":material/lightbulb:"):
        st.markdown(f"**{literal(found.problem)}.** The studies of this project suggest:")
        for one in found.settings:
            st.markdown(f"**{one.setting}: {literal(one.value)}.** {one.reason}")
            if one.study and shipped_study(one.study) is not None:
                link("ablations", f"Study {one.study}", study=f"{one.study} (shipped)")
        st.caption(
            "Suggestions are where to start, not results: other data can order the methods in "
            "another way. Train several seeds before you compare."
        )
        if choose is not None:
            st.button(
                "Choose these methods and their calibration", icon=":material/check:",
                on_click=choose, args=(found,), key="choose-suggested",
            )  # fmt: skip
