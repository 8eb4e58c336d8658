"""The HTML page that carries the app: where its server is, and the theme that the visitor chose.

Streamlit's page tries every part of its address as the address of the server, so that a link to a
page begins with two failed requests; here the page says where the server is. Streamlit keeps a
theme for each page; here the one of the button in the side bar holds for all of them. The
document of the first page also has its playground, which learns before the app is loaded.
"""

import json
import re
from typing import Any

import streamlit as st

from app.first_view import THEME, first_view

SCRIPT = """<script>
window.__streamlit = {BACKEND_BASE_URL: new URL(%s, location.origin).href};
try {
  const theme = localStorage.getItem("%s");
  if (theme) localStorage.setItem(`stActiveTheme-${location.pathname}-v2`, JSON.stringify(theme));
} catch { /* a browser that stores nothing shows the theme of the system */ }
</script>"""
UNCHANGED = ("if-none-match", "if-modified-since", "accept-encoding")
FONT = re.compile(rb'href="([^"]+\.woff2)"')
OTHERS = ("/_stcore/", "/static/", "/media/", "/component/")


class Document:
    """Adds the script and the first view to the page; passes on everything else."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        from starlette.datastructures import MutableHeaders

        if scope["type"] != "http" or any(part in scope["path"] for part in OTHERS):
            await self.app(scope, receive, send)
            return
        # As a whole and as plain text, whatever the browser has or accepts.
        asked = [(k, v) for k, v in scope["headers"] if k.decode().lower() not in UNCHANGED]
        start: dict[str, Any] = {}
        body = bytearray()

        async def answer(message: Any) -> None:
            if message["type"] == "http.response.start":
                kind = MutableHeaders(scope=message).get("content-type", "")
                if kind.startswith("text/html"):
                    start.update(message)
                    return
            elif start:
                body.extend(message.get("body", b""))
                if message.get("more_body"):
                    return
                page = bytes(body).replace(b"<head>", b"<head>" + _script(), 1)
                if scope["path"].rstrip("/") == _base().rstrip("/"):
                    font = FONT.search(page)
                    view = first_view(font[1].decode() if font else "")
                    page = page.replace(b"<body>", b"<body>" + view.encode(), 1)
                MutableHeaders(scope=start)["content-length"] = str(len(page))
                await send(start)
                message = {"type": "http.response.body", "body": page}
            await send(message)

        await self.app(scope | {"headers": asked}, receive, answer)


def _base() -> str:
    return "/" + str(st.get_option("server.baseUrlPath") or "").strip("/")


def _script() -> bytes:
    return (SCRIPT % (json.dumps(_base()), THEME)).encode()
