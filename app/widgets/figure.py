"""A figure with its data and downloads."""

import re
import textwrap
import threading
from collections.abc import Callable
from typing import Any

import streamlit as st

from app.widgets.actions import save_picture
from app.widgets.downloads import downloads, file_name
from app.widgets.spreadsheet import as_csv

# Characters of a line next to and below an axis that fit a screen of 390 pixels; below a narrow
# axis, which has long names of rows next to it, are fewer.
ROW_WIDTH, AXIS_WIDTH, NARROW_AXIS_WIDTH = 28, 36, 28
LINE = 16  # pixels of a line
_fitting = threading.Lock()


def cached(make: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """``make`` of these values, computed once for all sessions; must not be changed."""
    return _cached(f"{make.__module__}.{make.__qualname__}", args, kwargs, _make=make)


@st.cache_resource(max_entries=300, show_spinner=False)
def _cached(name: str, args: tuple, kwargs: dict, *, _make: Callable[..., Any]) -> Any:
    return _make(*args, **kwargs)


def fit(figure: Any) -> None:
    """Break long row names and the label of the axis below into lines; idempotent."""
    with _fitting:  # sessions share cached figures
        layout = figure.layout
        names = [v for v in layout.yaxis.tickvals or () if isinstance(v, str)]
        rows = [str(text) for text in layout.yaxis.ticktext or names]
        below = layout.xaxis.title.text or ""
        narrow = any(len(_plain(text)) > ROW_WIDTH / 2 for text in rows)
        width = NARROW_AXIS_WIDTH if narrow else AXIS_WIDTH
        if len(below) > width and "<br>" not in below:
            held = below.replace(" %", "\u00a0%")  # keep a number and its unit together
            lines = _even_lines(held, width)
            layout.xaxis.title.text = "<br>".join(lines)
            layout.height = (layout.height or 340) + LINE * (len(lines) - 1)
        if any(len(_plain(text)) > ROW_WIDTH and "<br>" not in text for text in rows):
            broken = [_broken(text) for text in rows]
            layout.yaxis.ticktext = broken
            more = max(text.count("<br>") for text in broken)
            # With few rows, axis and legend would leave too little on a phone.
            layout.height = (layout.height or 340) + LINE * (more * len(rows) + 5)


def _even_lines(text: str, width: int) -> list[str]:
    """``text`` in as few lines of ``width`` as possible, the longest of them short."""
    lines = textwrap.wrap(text, width)
    while len(shorter := textwrap.wrap(text, max(map(len, lines)) - 1)) == len(lines):
        lines = shorter
    return lines


def _plain(text: str) -> str:
    return re.sub("<[^>]*>", "", text)


def _broken(text: str) -> str:
    lines = "<br>".join(textwrap.wrap(_plain(text), ROW_WIDTH - 6)) or " "
    return f"<b>{lines}</b>" if text.startswith("<b>") else lines


def drawn_points(figure: Any) -> Any:
    """The points of a figure as a table: series, x and y."""
    import pandas as pd

    parts = [
        pd.DataFrame({"series": t.name or "", "x": list(t.x), "y": list(t.y)})
        for t in figure.data
        if getattr(t, "x", None) is not None
        and getattr(t, "y", None) is not None
        and len(t.x) == len(t.y)
    ]
    return pd.concat(parts) if parts else pd.DataFrame()


def show_figure(figure: Any, name: str, data: Any = None) -> None:
    """Draw ``figure``; offer PNG, SVG, HTML, and ``data`` (or the drawn points) as CSV."""
    from clmle import figures

    fit(figure)
    name = file_name(name)
    camera = {"format": "svg", "filename": name, "scale": 2}
    st.plotly_chart(
        figure,
        key=f"figure-{name}",
        alt=figures.title_of(figure) or name,
        config={"displaylogo": False, "toImageButtonOptions": camera},
    )
    if sentence := figures.look_for(figure):
        st.caption(sentence)
    downloads(
        "Save", f"Save {name}",
        {
            "Figure as HTML": (lambda: figure.to_html(include_plotlyjs=True), f"{name}.html"),
            "Data as CSV": (
                lambda: as_csv(drawn_points(figure) if data is None else data), f"{name}.csv",
            ),
        },
        lambda: save_picture(name),
    )  # fmt: skip
