"""Files that a page's own frame fetches from the server, instead of being sent within the page."""

from __future__ import annotations

import base64

import streamlit as st


def served(data: bytes, kind: str, name: str) -> str:
    """An address of ``data`` (MIME type ``kind``) for as long as this session shows it.

    The same bytes have the same address. Where a page runs without a server it is a data address.
    """
    from streamlit import runtime

    if not runtime.exists():
        return f"data:{kind};base64," + base64.b64encode(data).decode()
    address = runtime.get_instance().media_file_mgr.add(data, kind, f"served-{name}")
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}{address}" if base else address


# The server does not say how long its files may be kept, so that every frame would fetch the
# library anew. The page around the frames keeps it, and hands it to the next one.
KEEPER = """{
const address = "ADDRESS", home = window.parent;
document.write('<script src="' + (home.keptPlotly || address) + '"></' + 'script>');
if (!home.keptPlotly && address.startsWith("/")) window.addEventListener("load", () =>
  home.fetch(address, {cache: "force-cache"}).then(answer => answer.blob()).then(blob => {
    home.keptPlotly ||= home.URL.createObjectURL(blob);}).catch(() => {}));
}"""


def plotly_loader() -> str:
    """A script that loads the library that draws: 4.5 MB, once a page and not once a picture."""
    return KEEPER.replace("ADDRESS", served(_plotly(), "text/javascript", "plotly"))


@st.cache_resource(show_spinner=False)
def _plotly() -> bytes:
    from plotly.offline import get_plotlyjs

    return get_plotlyjs().encode()
