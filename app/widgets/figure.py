"""A figure with its data and downloads."""

from __future__ import annotations

from typing import Any

import streamlit as st


def show_figure(figure: Any, name: str, data: Any = None) -> None:
    """Draw ``figure``; offer PNG and SVG (in its toolbar), HTML and its data as CSV."""
    st.plotly_chart(
        figure,
        key=f"figure-{name}",
        config={
            "displaylogo": False,
            "toImageButtonOptions": {"format": "svg", "filename": name, "scale": 2},
        },
    )
    with st.popover("Save", icon=":material/download:", help=f"Save {name}"):
        # A callable is only run when the button is pressed.
        st.download_button(
            "Figure as HTML",
            lambda: figure.to_html(include_plotlyjs=True),
            f"{name}.html",
            "text/html",
            key=f"html-{name}",
        )
        if data is not None:
            st.download_button(
                "Data as CSV",
                lambda: data.to_csv(index=False),
                f"{name}.csv",
                "text/csv",
                key=f"csv-{name}",
            )
        st.caption("PNG and SVG: the camera above the figure.")
