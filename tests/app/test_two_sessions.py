"""Two browsers on one server: what they share, and what remains when one disconnects."""

import subprocess
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import TimeoutError

from tests.app.forms import AGAIN, choose, data_of_new_runs, settled, visible

pytestmark = pytest.mark.browser


def opened(browser, **options):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
    page = context.new_page()
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    return page


def children(pid):
    """Processes below ``pid``, by number and command."""
    table = subprocess.run(["ps", "-eo", "pid=,ppid=,stat=,args="], capture_output=True, text=True)
    rows = [line.split(None, 3) for line in table.stdout.splitlines()]
    found, front = {}, {str(pid)}
    while front:
        below = {r[0]: r[3] for r in rows if r[1] in front and "Z" not in r[2]}
        front = set(below) - set(found)
        found |= below
    return found


def server_pid(address):
    port = address.rsplit(":", 1)[1]
    for folder in Path("/proc").glob("[0-9]*"):
        words = (folder / "cmdline").read_bytes().decode().split("\0") if folder.exists() else []
        if "streamlit" in words and port in words:
            return int(folder.name)
    raise AssertionError("no server")


def test_two_sessions_share_runs_but_not_selections(server, browser):
    one, two = opened(browser), opened(browser, color_scheme="dark")
    one.goto(f"{server}/imbalance?ratio=40&method=softmax")
    two.goto(f"{server}/imbalance?ratio=2&method=clmle")
    visible(one, "40 to 1").wait_for()
    visible(two, "2 to 1").wait_for()
    assert two.get_by_text("40 to 1").count() == 0

    one.goto(f"{server}/train")
    one.get_by_text("No run yet").wait_for()
    choose(data_of_new_runs(one), "digits")
    two.goto(f"{server}/train")
    choose(data_of_new_runs(two), "solar-cells")
    assert data_of_new_runs(one).input_value() == "digits"
    seeds = one.get_by_role("textbox", name="Seeds")
    seeds.fill("0, 1")
    seeds.press("Enter")
    one.get_by_text("6 runs").wait_for()  # estimated in this session only
    settled(two)
    assert two.get_by_text("6 runs").count() == 0
    settled(one)
    one.get_by_role("button", name="Start", exact=True).click()
    visible(one, "seed 1").wait_for()
    one.get_by_role("button", name="Stop").first.wait_for()

    address = one.url  # the other session opens the same runs by a link and stops all of them
    two.goto(address)
    two.get_by_role("button", name="Stop").first.wait_for()
    stops = two.get_by_role("button", name="Stop", disabled=False)
    shown = visible(one, "stopped", exact=True)
    while stops.count() or not shown.count():  # they become fewer as runs stop
        with suppress(TimeoutError):
            stops.first.click(timeout=AGAIN)
    shown.wait_for()
    one.reload()
    shown.wait_for()
    assert one.url == address
    assert not one.problems
    assert not two.problems


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
def test_a_disconnected_browser_leaves_no_process(server, browser):
    """Closed in the middle of the training: the server continues and the worker has ended."""
    pid = server_pid(server)
    page = opened(browser)
    page.goto(f"{server}/imbalance?train=on&method=softmax&method=lmle&method=clmle")
    deadline = time.time() + 600
    while not any("clmle.playground.worker" in command for command in children(pid).values()):
        assert time.time() < deadline, "no worker"
        time.sleep(0.1)
    page.context.close()
    while time.time() < deadline and any("clmle.playground" in c for c in children(pid).values()):
        time.sleep(0.5)
    assert not any("clmle.playground" in command for command in children(pid).values())
    again = opened(browser)
    again.goto(f"{server}/imbalance?train=on&method=softmax")
    again.frame_locator("iframe").first.locator("body[data-ready=yes]").wait_for(state="attached")


def test_no_address_serves_a_file_of_the_computer(server, tmp_path):
    marker = tmp_path / "secret.txt"
    marker.write_text("a secret that no page may show")
    for path in (
        str(marker), f"/..{marker}", f"/static/..{marker}", f"/%2e%2e{marker}",
        f"/media/..{marker}", f"/app/static/..{marker}", f"/component/x/..{marker}",
        f"/_stcore/upload_file/a/..{marker}", "/static/%2e%2e/%2e%2e/%2e%2e" + str(marker),
    ):  # fmt: skip
        try:
            answer = urllib.request.urlopen(server + "/" + path.lstrip("/"), timeout=600).read()
        except OSError:
            continue
        assert b"a secret" not in answer, path
    assert marker.exists()
