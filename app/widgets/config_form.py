"""Forms made from the settings' dataclasses: every field with its one-line explanation."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any

import streamlit as st

from clmle.config import override

EXACT = 2**53 - 1  # the largest whole number that a browser tells from its neighbors


def config_form(value: Any, title: str, key: str, skip: tuple[str, ...] = ()) -> Any:
    """``value`` (a dataclass) with what the person changed, checked."""
    hints = typing.get_type_hints(type(value))
    changed: dict[str, Any] = {}
    fields = [f for f in dataclasses.fields(value) if f.name not in skip]
    for i, f in enumerate(fields):
        if i % 3 == 0:  # row by row: on a phone columns stand on each other
            columns = st.columns(3)
        with columns[i % 3]:
            changed[f.name] = _field(f, hints[f.name], getattr(value, f.name), f"{key}-{f.name}")
    return override(value, changed, title)


def _field(f: Any, hint: Any, value: Any, key: str) -> Any:
    name, text = f.name.replace("_", " "), f.metadata.get("help", "")
    choices = f.metadata.get("choices", ())
    if choices:
        return st.selectbox(name, choices, index=choices.index(value), help=text, key=key)
    if hint is bool:
        return st.checkbox(name, value=value, help=text, key=key)
    if hint is int:
        least, most = f.metadata.get("bounds") or (None, None)
        most = None if most is None else min(most, EXACT)
        return st.number_input(name, least, most, value, step=1, help=text, key=key)
    # Numbers as text: a number field cannot be empty, or show 0.0005.
    shown = "" if value is None else str(value)
    return st.text_input(name, value=shown, help=text, key=key, placeholder="not set")
