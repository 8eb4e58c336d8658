"""Viewers with their own HTML page: colors, arrays as base64, files fetched from the server."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

STATUS = '<span role="status" aria-live="polite"></span>'  # read out by screen readers


def text_of(name: str) -> str:
    """The text of a file in this folder."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def browser_part(name: str, html: str, data: Any, key: str, css: str | None = None) -> None:
    """A component of ``html`` whose behavior is in ``name``.js in this folder."""
    part = st.components.v2.component(name, html=html, css=css, js=text_of(f"{name}.js"))
    part(data=data, key=key)


def viewer_page(name: str, **values: str) -> str:
    """The HTML in file ``name``; colors, the loader of plotly and ``values`` are filled in."""
    dark = is_dark()
    values = {
        "ACCENTINK": "#0E1117" if dark else "#FFFFFF",
        "ACCENT": "#56B4E9" if dark else "#0072B2",
        "INK": "#FAFAFA" if dark else "#31333F",
        "PAPER": "#1b1e27" if dark else "#FFFFFF",
        "LOADER": text_of("load_plotly.js").replace(
            "ADDRESS", served(_plotly(), "text/javascript", "plotly")
        ),
    } | values
    page = text_of(name)
    for name, value in values.items():
        page = page.replace(f"%{name}%", value)
    return page


def is_dark() -> bool:
    """Whether the visitor's theme is dark."""
    return getattr(st.context.theme, "type", "light") == "dark"


def packed(values: Any, kind: str = "") -> str:
    """An array as base64 of its bytes, little-endian ``kind`` if given."""
    array = np.ascontiguousarray(values, dtype=f"<{kind}" if kind else None)
    return base64.b64encode(array.tobytes()).decode()


def served(data: bytes, kind: str, name: str) -> str:
    """An address of ``data`` (MIME type ``kind``) that is valid while this session shows it.

    Equal bytes have the same address. Without a server it is a data address.
    """
    from streamlit import runtime

    if not runtime.exists():
        return f"data:{kind};base64," + base64.b64encode(data).decode()
    address = runtime.get_instance().media_file_mgr.add(data, kind, f"served-{name}")
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}{address}" if base else address


@st.cache_resource(show_spinner=False)
def _plotly() -> bytes:
    from plotly.offline import get_plotlyjs

    return get_plotlyjs().encode()
