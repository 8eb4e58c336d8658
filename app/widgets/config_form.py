"""Forms made from configuration dataclasses: every field with its one-line description."""

import dataclasses
import math
import typing
from collections.abc import Collection
from itertools import groupby
from typing import Any

import streamlit as st

from clmle import training

MAX_INTEGER = 2**53 - 1  # the largest whole number that a browser represents exactly


def config_form(value: Any, title: str, key: str, skip: Collection[str] = ()) -> Any:
    """``value`` (a dataclass) with the values that the visitor entered, checked.

    Fields are listed under the headings of their ``group``; those marked ``expert`` are in a
    section that is closed at first. ``skip`` leaves fields out.
    """
    shown = [f for f in dataclasses.fields(value) if f.name not in skip]
    hints = typing.get_type_hints(type(value))
    changed: dict[str, Any] = {}

    def draw(fields: list[Any]) -> None:
        groups = groupby(fields, lambda f: f.metadata.get("group", ""))
        for group, members in groups:
            if group:
                st.caption(f"**{group.capitalize()}**")
            for i, f in enumerate(members):
                if i % 3 == 0:  # row by row: columns are stacked on a phone
                    columns = st.columns(3)
                with columns[i % 3]:
                    current = getattr(value, f.name)
                    changed[f.name] = _field(f, hints[f.name], current, f"{key}-{f.name}")

    draw([f for f in shown if not f.metadata.get("expert")])
    expert = [f for f in shown if f.metadata.get("expert")]
    if expert:
        with st.expander(f"Expert options of {title} ({len(expert)})"):
            draw(expert)
    return training.override(value, changed, title)


def _field(f: Any, hint: Any, value: Any, key: str) -> Any:
    """The widget of a field; the address holds a changed value, so that a reload keeps it."""
    shared: Any = {"key": key, "bind": "query-params"}
    name, text = f.name.replace("_", " "), f.metadata.get("help", "")
    choices = f.metadata.get("choices", ())
    if choices:
        return st.selectbox(name, choices, index=choices.index(value), help=text, **shared)
    if hint is bool:
        return st.checkbox(name, value=value, help=text, **shared)
    if hint is int:
        low, high = f.metadata.get("bounds") or (None, None)
        low = None if low is None else int(low) + int(f.metadata.get("above", False))
        high = None if high in (None, math.inf) else min(int(high), MAX_INTEGER)
        return st.number_input(name, low, high, value, step=1, help=text, **shared)
    # Numbers as text: a number field cannot be empty, or show 0.0005.
    shown = "" if value is None else str(value)
    return st.text_input(name, value=shown, help=text, **shared, placeholder="not set")
