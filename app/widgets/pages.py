"""The pages of the app: each file in app/views declares its own title, icon and order.

A page is a file with ``PAGE = {"title": ..., "icon": ..., "order": ...}``. The declaration is read
without running the file.
"""

import ast
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

# Not "pages": Streamlit would serve that folder itself, without main.py.
VIEWS = Path(__file__).resolve().parents[1] / "views"


def pages() -> list[Any]:
    """Pages in their order; the first is shown at the root address."""
    return [
        st.Page(path, title=facts["title"], icon=facts["icon"], default=i == 0)
        for i, (path, facts) in enumerate(declarations())
    ]


def declarations() -> list[tuple[Path, dict[str, Any]]]:
    """Every file with its declaration, in the order of the navigation."""
    found = [(path, _declared(path, path.stat().st_mtime_ns)) for path in VIEWS.glob("*.py")]
    return sorted(found, key=lambda page: (page[1]["order"], page[0].name))


def link(view: str, label: str, **query: Any) -> None:
    """A link to the page of app/views/``view``.py, with its icon and ``query`` in the address."""
    path = VIEWS / f"{view}.py"
    icon = _declared(path, path.stat().st_mtime_ns)["icon"]
    st.page_link(f"views/{view}.py", label=label, icon=icon, query_params=query)


@cache
def _declared(path: Path, changed: int) -> dict[str, Any]:
    """The PAGE of a file, read again when the file has changed."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PAGE":
            facts: dict[str, Any] = ast.literal_eval(node.value)
            return facts
    raise ValueError(
        f"{path} declares no PAGE; add PAGE = {{'title': ..., 'icon': ..., 'order': ...}}."
    )
