"""What every request passes first: a known host, an optional password, no foreign frames.

A page of another site whose name its owner points to this computer (DNS rebinding) sends that name
as the host and is refused. ``CLMLE_PASSWORD`` is asked for by the browser, for any user name.
"""

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import os
import secrets
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from app.document import Document
from app.visitor_cookie import new_cookie

PASSWORD = "CLMLE_PASSWORD"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
KEPT = 8  # sessions without a browser, which may come back after a lost connection
EVERY = 0.5  # seconds
HEADERS = {
    "x-frame-options": "SAMEORIGIN",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "content-security-policy": "frame-ancestors 'self'; img-src 'self' data: blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'",
}
_SECRET = secrets.token_bytes(32)


NEEDED = (
    f"A server that other computers can reach needs a password; set the environment variable "
    f"{PASSWORD}, or leave out the address to serve this computer alone."
)


def guards() -> list[Any]:
    """The middleware of the server; it ends here if it would serve others without a password."""
    from starlette.middleware import Middleware

    if not is_loopback(st.get_option("server.address")) and not _password():
        print(f"clmle: {NEEDED}", file=sys.stderr)
        raise SystemExit(2)
    return [Middleware(Guard), Middleware(Document)]


def is_loopback(address: Any) -> bool:
    """Whether only this computer reaches a server at ``address``."""
    try:
        return ipaddress.ip_address(str(address or "")).is_loopback
    except ValueError:
        return address == "localhost"


def _password() -> str:
    return os.environ.get(PASSWORD, "").strip()


class Guard:
    """Refuses requests, and adds headers to the answers."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        from starlette.datastructures import Headers, MutableHeaders
        from starlette.responses import PlainTextResponse

        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers, password = Headers(scope=scope), _password()
        given = _password_given(headers, password)
        visitor = new_cookie(headers.get("cookie", ""))
        app = self.app
        if not host_allowed(headers.get("host", "")):
            app = PlainTextResponse("This name of the server is not in server.allowedHosts.", 400)
        elif not password and not is_loopback((scope.get("server") or [""])[0]):
            app = PlainTextResponse(NEEDED, 403)  # a server started without Streamlit's settings
        elif password and not given:
            asked = {"www-authenticate": 'Basic realm="clmle", charset="UTF-8"'}
            app = PlainTextResponse("The password is needed.", 401, asked)

        async def answer(message: Any) -> None:
            if message["type"].endswith("response.start"):
                own = MutableHeaders(scope=message)
                own.update(HEADERS)
                if given:  # not every browser sends the password when it opens a websocket
                    cookie = f"clmle={_token(password)}; HttpOnly; SameSite=Strict; Path=/"
                    own.append("set-cookie", cookie)
                if own.get("content-type", "").startswith("text/html") and visitor:
                    own.append("set-cookie", visitor)
            await send(message)

        await app(scope, receive, answer)


def host_allowed(host: str) -> bool:
    """Whether the Host header names this server.

    Allowed are this computer's own names, the address the server listens at, and
    server.allowedHosts; for a server that others can reach also numeric addresses, which no foreign
    name can stand for.
    """
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    address = str(st.get_option("server.address") or "")
    allowed = {*LOOPBACK, address, *(st.get_option("server.allowedHosts") or ())} - {""}
    if any(name == h or (h.startswith("*.") and name.endswith(h[1:])) for h in allowed):
        return True
    with suppress(ValueError):
        return bool(ipaddress.ip_address(name)) and not is_loopback(address)
    return False


def _token(password: str) -> str:
    return hmac.new(_SECRET, password.encode(), hashlib.sha256).hexdigest()


def _password_given(headers: Any, password: str) -> bool:
    """Whether the request holds the password, or the cookie that an earlier answer set."""
    if not password:
        return False
    kind, _, text = headers.get("authorization", "").partition(" ")
    found = ""
    with suppress(ValueError):
        found = base64.b64decode(text, validate=True).decode().partition(":")[2]
    cookies = [part.strip() for part in headers.get("cookie", "").split(";")]
    return (kind.lower() == "basic" and hmac.compare_digest(found.encode(), password.encode())) or (
        any(hmac.compare_digest(c.encode(), f"clmle={_token(password)}".encode()) for c in cookies)
    )


@asynccontextmanager
async def closing_left_sessions(app: Any) -> AsyncIterator[dict[str, Any]]:
    """Close sessions whose browser has left, but for a few; each holds three file descriptors."""
    task = asyncio.create_task(_close_left_sessions())
    try:
        yield {}
    finally:
        task.cancel()


async def _close_left_sessions() -> None:
    from streamlit import runtime

    here: Any = runtime.get_instance()
    while True:
        await asyncio.sleep(EVERY)
        left = here._session_mgr._session_storage.list()  # the longest absent first
        for info in left[:-KEPT]:
            here.close_session(info.session.id)
