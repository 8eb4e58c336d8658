"""A figure with its data and downloads."""

from __future__ import annotations

import re
import textwrap
import threading
from collections.abc import Callable
from typing import Any

import streamlit as st

from app.widgets.actions import save_picture
from app.widgets.spreadsheet import as_csv
from clmle.figures.theme import title_of

# Letters in a line beside and below an axis that a screen of 390 pixels has room for.
BESIDE, BELOW = 28, 30
LINE = 16  # pixels of a line
_fitting = threading.Lock()


def kept(make: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What ``make`` makes of these values, made once for all sessions; not to be changed."""
    return _kept(f"{make.__module__}.{make.__qualname__}", args, kwargs, _make=make)


@st.cache_resource(max_entries=300, show_spinner=False)
def _kept(name: str, args: tuple, kwargs: dict, *, _make: Callable[..., Any]) -> Any:
    return _make(*args, **kwargs)


def fit(figure: Any) -> None:
    """Break long names of rows and of the axis below into lines; a second time changes nothing."""
    with _fitting:  # one figure serves many sessions
        layout = figure.layout
        below = layout.xaxis.title.text or ""
        if len(below) > BELOW and "<br>" not in below:
            held = below.replace(" %", "\u00a0%")  # a number stays with what it counts
            layout.xaxis.title.text = "<br>".join(textwrap.wrap(held, BELOW))
        names = [v for v in layout.yaxis.tickvals or () if isinstance(v, str)]
        rows = [str(text) for text in layout.yaxis.ticktext or names]
        if any(len(_plain(text)) > BESIDE and "<br>" not in text for text in rows):
            broken = [_broken(text) for text in rows]
            layout.yaxis.ticktext = broken
            more = max(text.count("<br>") for text in broken)
            # Of few rows axis and legend leave too little on a phone.
            layout.height = (layout.height or 340) + LINE * (more * len(rows) + 5)


def _plain(text: str) -> str:
    return re.sub("<[^>]*>", "", text)


def _broken(text: str) -> str:
    lines = "<br>".join(textwrap.wrap(_plain(text), BESIDE - 6)) or " "
    return f"<b>{lines}</b>" if text.startswith("<b>") else lines


def drawn_points(figure: Any) -> Any:
    """What a figure draws, as a table: the name of a line or bar, and its places."""
    import pandas as pd

    parts = [
        pd.DataFrame({"drawn": t.name or "", "x": list(t.x), "y": list(t.y)})
        for t in figure.data
        if getattr(t, "x", None) is not None
        and getattr(t, "y", None) is not None
        and len(t.x) == len(t.y)
    ]
    return pd.concat(parts) if parts else pd.DataFrame()


def show_figure(figure: Any, name: str, data: Any = None) -> None:
    """Draw ``figure``; offer PNG, SVG, HTML and its data as CSV: ``data``, or what is drawn."""
    fit(figure)
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", name)  # also the name of a file, and of a CSS class
    st.plotly_chart(
        figure,
        key=f"figure-{name}",
        alt=title_of(figure) or name,
        config={
            "displaylogo": False,
            "toImageButtonOptions": {"format": "svg", "filename": name, "scale": 2},
        },
    )
    with st.popover("Save", icon=":material/download:", help=f"Save {name}"):
        save_picture(name)
        # A callable is only run when the button is pressed.
        st.download_button(
            "Figure as HTML",
            lambda: figure.to_html(include_plotlyjs=True),
            f"{name}.html",
            "text/html",
            key=f"html-{name}",
        )
        st.download_button(
            "Data as CSV",
            lambda: as_csv(drawn_points(figure) if data is None else data),
            f"{name}.csv",
            "text/csv",
            key=f"csv-{name}",
        )
