"""The form for name, tags and note of the chosen runs."""

import streamlit as st

from clmle import RunFolder


def annotation_form(runs: list[RunFolder], known: list[str]) -> None:
    """Name and note of one run, or the tags of several; ``known`` tags are offered."""
    one = runs[0] if len(runs) == 1 else None
    title = "Name, tags, note" if one else f"Tags of {len(runs)}"
    with st.popover(title, icon=":material/label:", key="annotation"):
        found = runs[0].annotation()
        common = [tag for tag in found.tags if all(tag in r.annotation().tags for r in runs[1:])]
        key = "-".join([runs[0].name, str(len(runs)), *common, found.title])
        with st.form(f"annotation-{key}", border=False):
            name = note = None
            if one:
                name = st.text_input(
                    "Name", found.title, max_chars=80, placeholder="target and time of the run"
                )
            tags = st.multiselect(
                "Tags" if one else "Tags that all of them have", sorted({*known, *common}), common,
                accept_new_options=True, placeholder="choose or write tags",
            )  # fmt: skip
            if one:
                note = st.text_area("Note", found.note, max_chars=2000)
            if st.form_submit_button("Save", type="primary"):
                for run in runs:
                    own = run.annotation().tags
                    kept = [tag for tag in own if tag not in common]
                    run.annotate(title=name, tags=[*kept, *tags], note=note)
                st.rerun()
