"""Requests to a server of the app from other sites and many visitors, without a browser."""

import base64
import html
import os
import resource
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from app.guard import Guard, guards
from app.widgets.literal import literal

ROOT = Path(__file__).resolve().parents[2]
FILES = 100  # file descriptors that the server may have


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """A new server, started in another folder."""
    home = tmp_path_factory.mktemp("home")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(ROOT / "app" / "main.py"),
         "--server.port", str(port), "--server.headless", "true"],
        cwd=home, env=os.environ | {"CLMLE_RUNS": str(home / "runs")},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES)),
    )  # fmt: skip
    for line in process.stdout:
        if "URL" in line:
            break
    yield port
    process.terminate()
    process.wait()


def answer(port, path="/", **headers):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        return urllib.request.urlopen(request)
    except urllib.error.HTTPError as error:
        return error


def visit(port, page="", host=None):
    """Everything that a page sends to a browser that opens it."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    wanted = BackMsg()
    wanted.rerun_script.page_name = page
    more = {"additional_headers": {"Host": host}} if host else {}
    address = f"ws://127.0.0.1:{port}/_stcore/stream"
    found = []
    with connect(
        address, max_size=None, subprotocols=["streamlit"], open_timeout=None, **more
    ) as ws:
        ws.send(wanted.SerializeToString())
        while True:
            message = ForwardMsg()
            message.ParseFromString(ws.recv())
            if message.WhichOneof("type") == "script_finished":
                return found
            found.append(message)


def test_the_first_visits_of_several_pages_at_once_succeed(port):
    """They come while the server imports its libraries."""
    pages = ["", "data", "margins", "ablations", "paper", "imbalance"]
    with ThreadPoolExecutor(len(pages)) as pool:
        for page, sent in zip(pages, pool.map(lambda p: visit(port, p), pages), strict=True):
            texts = [str(message) for message in sent]
            assert len(sent) > 5, page
            bad = [t for t in texts if "exception {" in t or "format: ERROR" in t]
            assert not bad, (page, bad)


def test_many_reloads_leave_few_descriptors(port):
    for _ in range(120):
        visit(port)
    assert answer(port, "/_stcore/health").status == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1", 200), ("localhost:8501", 200), ("LOCALHOST", 200), ("[::1]:80", 200),
     ("evil.example", 400), ("localhost.evil.example", 400), ("10.0.0.1", 400), ("[", 400)],
)  # fmt: skip
def test_only_names_of_this_computer_are_answered(port, host, status):
    for path in ("/", "/_stcore/health", "/_stcore/host-config", "/media/x", "/static/x"):
        if status == 400 or path == "/":
            assert answer(port, path, Host=host).status == status
    if status == 400:
        with pytest.raises(InvalidStatus):
            visit(port, host=host)


def test_no_page_of_another_site_may_frame_the_app_or_be_fetched_by_it(port):
    sent = answer(port).headers
    assert sent["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in sent["Content-Security-Policy"]
    assert "img-src 'self' data: blob:" in sent["Content-Security-Policy"]


def asked(monkeypatch, options=(), **headers):
    """Status and headers of the answer of a guarded server."""
    from starlette.responses import PlainTextResponse
    from starlette.testclient import TestClient

    monkeypatch.setattr("streamlit.get_option", dict(options).get)
    client = TestClient(Guard(PlainTextResponse("inside")), base_url="http://localhost")
    return client.get("/", headers=headers)


def test_a_password_is_asked_for_and_remembered(monkeypatch):
    def basic(text):
        return {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}

    monkeypatch.setenv("CLMLE_PASSWORD", "größer: 1")
    refused = asked(monkeypatch)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Basic")
    others = ({"authorization": "Basic ="}, {"cookie": "clmle="}, {"cookie": "clmle=x; a"})
    for wrong in (basic("a:b"), basic("größer: 1"), basic("a:"), *others):
        assert asked(monkeypatch, **wrong).status_code == 401, wrong
    given = asked(monkeypatch, **basic("anyone:größer: 1"))
    assert given.text == "inside"
    cookie = given.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert asked(monkeypatch, cookie=cookie.partition(";")[0]).text == "inside"
    monkeypatch.setenv("CLMLE_PASSWORD", "another")
    assert asked(monkeypatch, cookie=cookie.partition(";")[0]).status_code == 401


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.7", "lab.example", "", None])
def test_a_server_that_others_reach_does_not_start_without_a_password(address, monkeypatch, capsys):
    monkeypatch.setattr("streamlit.get_option", {"server.address": address}.get)
    for missing in ("", "  "):
        monkeypatch.setenv("CLMLE_PASSWORD", missing)
        with pytest.raises(SystemExit) as caught:
            guards()
        assert caught.value.code == 2
        assert "set the environment variable CLMLE_PASSWORD" in capsys.readouterr().err
    monkeypatch.setenv("CLMLE_PASSWORD", "secret")
    assert guards()


@pytest.mark.parametrize("command", [
    ["-m", "clmle", "app", "--address", "0.0.0.0", "--port", "0"],
    ["-m", "streamlit", "run", "app/main.py", "--server.address", "::", "--server.port", "0"],
])  # fmt: skip
def test_both_commands_refuse_to_serve_others_without_a_password(command):
    env = {k: v for k, v in os.environ.items() if k != "CLMLE_PASSWORD"}
    env["STREAMLIT_SERVER_HEADLESS"] = "true"
    done = subprocess.run([sys.executable, *command], cwd=ROOT, env=env, text=True,
                          capture_output=True, check=False)  # fmt: skip
    assert done.returncode == 2
    assert "clmle: A server that other computers can reach needs a password" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_started_without_the_settings_of_the_app_answers_only_this_computer(monkeypatch):
    from starlette.responses import PlainTextResponse
    from starlette.testclient import TestClient

    monkeypatch.delenv("CLMLE_PASSWORD", raising=False)
    for server, status in (("192.0.2.7", 403), ("127.0.0.1", 200), ("[::1]", 200)):
        client = TestClient(Guard(PlainTextResponse("inside")), base_url=f"http://{server}")
        assert client.get("/", headers={"host": "localhost"}).status_code == status


def test_names_of_a_server_that_others_reach_are_given_by_its_administrator(monkeypatch):
    options = {"server.address": "0.0.0.0", "server.allowedHosts": ["lab.example", "*.edu"]}
    for host in ("lab.example:8501", "a.b.edu", "192.168.1.5:8501", "localhost"):
        assert asked(monkeypatch, options, host=host).status_code == 200, host
    for host in ("edu", "xlab.example", "lab.example.org", ""):
        assert asked(monkeypatch, options, host=host).status_code == 400, host


@pytest.mark.parametrize(
    "text",
    ["![x](https://evil.example/a.png)", "[a](javascript:x)", "<img src=x>", "$\\frac12$", "`a`",
     ":red[a]", "# a", "a\n\n# b", "https://evil.example", "&lt;", "a|b", "~~a~~"],
)  # fmt: skip
def test_names_are_literal_in_markdown(text):
    pytest.importorskip("linkify_it")
    from markdown_it import MarkdownIt

    words = html.escape(" ".join(text.split()))
    assert MarkdownIt("gfm-like").renderInline(literal(text)) == words
