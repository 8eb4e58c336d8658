"""The HTML page that carries the app: where its server is, and a cookie in a class."""

import asyncio
import re

import pytest

from app.document import Document
from app.guard import Guard

PAGE = b"<!DOCTYPE html><html><head><title>x</title></head><body></body></html>"


def served(app, path="/train", headers=()):
    """Status, headers and body of a request."""
    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "path": path, "headers": [(b"host", b"127.0.0.1"), *headers],
        "server": ("127.0.0.1", 80), "method": "GET",
    }  # fmt: skip
    asyncio.run(app(scope, None, send))
    start = sent[0]
    found = [(k.decode().lower(), v.decode()) for k, v in start["headers"]]
    return start["status"], found, b"".join(m.get("body", b"") for m in sent[1:])


def answering(kind, seen, parts=(PAGE[:20], PAGE[20:])):
    """A server that answers with ``parts``; keeps the headers that it was asked with."""

    async def app(scope, receive, send):
        seen.append(dict(scope["headers"]))
        size = str(sum(map(len, parts))).encode()
        headers = [(b"content-type", kind), (b"content-length", size)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for i, part in enumerate(parts):
            more = i < len(parts) - 1
            await send({"type": "http.response.body", "body": part, "more_body": more})

    return app


def test_the_page_names_its_server_whole_and_as_plain_text():
    seen = []
    app = Document(answering(b"text/html; charset=utf-8", seen))
    asked = [(b"accept-encoding", b"gzip"), (b"if-none-match", b'"x"')]
    status, headers, body = served(app, headers=asked)
    assert status == 200
    assert dict(headers)["content-length"] == str(len(body))
    assert re.search(rb"<head><script>\s*window\.__streamlit = \{BACKEND_BASE_URL:", body)
    assert body.endswith(b"</html>")
    assert b"accept-encoding" not in seen[0]  # it could not be changed if it were packed
    assert b"if-none-match" not in seen[0]


@pytest.mark.parametrize(("path", "kind"), [
    ("/_stcore/health", b"text/html"), ("/train", b"application/json"),
    ("/static/js/index.js", b"text/javascript"),
])  # fmt: skip
def test_everything_else_passes_as_it_is(path, kind):
    _, headers, body = served(Document(answering(kind, [])), path)
    assert body == PAGE
    assert dict(headers)["content-length"] == str(len(PAGE))


def test_a_browser_gets_a_cookie_with_the_page_in_a_class_only(monkeypatch):
    def cookies(kind, *headers):
        found = served(Guard(answering(kind, [])), headers=headers)[1]
        return [v for k, v in found if k == "set-cookie" and v.startswith("clmle-visitor=")]

    assert cookies(b"text/html") == []
    monkeypatch.setenv("CLMLE_CLASSROOM", "1")
    (given,) = cookies(b"text/html")
    assert cookies(b"text/javascript") == []
    assert cookies(b"text/html", (b"cookie", given.split(";")[0].encode())) == []
