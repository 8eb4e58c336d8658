"""Choices of methods, grouped: those to begin with come first."""

from typing import Any

import streamlit as st

from clmle import methods


def method_names() -> list[str]:
    """All methods in the order of their groups."""
    return [name for names in methods.method_groups().values() for name in names]


def method_text(name: str) -> str:
    """A method in a list: title and name, and its group unless it is one to begin with."""
    groups = methods.method_groups()
    first = next(iter(groups))
    group = next(group for group, names in groups.items() if name in names)
    text = f"{methods.get_method(name).title} ({name})"
    return text if group == first else f"{text}, {group}"


def choose_methods(default: list[str], key: str, place: Any = st, **options: Any) -> list[str]:
    """The methods that the visitor chooses."""
    chosen: list[str] = place.multiselect(
        "Methods", method_names(), default=default, key=key, format_func=method_text, **options
    )
    return chosen
