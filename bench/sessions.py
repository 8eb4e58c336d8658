"""How long pages take while many people use one server: python -m bench.sessions --sessions 20

A server of its own with 50 runs on disk. Every session is what a browser opens, a websocket: it
asks for a page, waits until the script has run, and goes on to its next page: all at the same
moment, one page after the other without a breath, and as people do who read each page for some
seconds. What a browser spends on drawing is not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from itertools import zip_longest
from pathlib import Path
from statistics import median

import numpy as np

from bench.pages import PAGES, fake_runs
from bench.report import print_rows

ROOT = Path(__file__).resolve().parents[1]
APP = ROOT / "app" / "main.py"
PATIENCE = 120.0  # seconds for one page
READING = 10.0  # seconds that somebody looks at a page before opening the next, on average


def free_port() -> int:
    """One that nothing listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
    return port


def start_server(
    runs: str, app: Path = APP, port: int | None = None
) -> tuple[subprocess.Popen[bytes], int, float]:
    """A server of ``app``, on a free port if none is given, and the seconds until it answers."""
    port = port or free_port()
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(app), "--server.port", str(port),
         "--server.headless", "true"],
        cwd=ROOT, env=os.environ | {"CLMLE_RUNS": runs},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while time.perf_counter() - began < PATIENCE:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1)
            break
        except OSError:
            time.sleep(0.05)
    return process, port, time.perf_counter() - began


async def visit(port: int, pages: list[str], pauses: list[float]) -> list[tuple[str, float, int]]:
    """Page, seconds until its script has run, and bytes sent, of each page in turn."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from websockets.asyncio.client import connect
    from websockets.typing import Subprotocol

    found = []
    address = f"ws://127.0.0.1:{port}/_stcore/stream"
    origin = f"http://127.0.0.1:{port}"
    for page, pause in zip(pages, pauses, strict=True):
        await asyncio.sleep(pause)
        # A link opened: a session of its own, as after a reload.
        began = time.perf_counter()
        size = 0
        async with connect(
            address, subprotocols=[Subprotocol("streamlit")], max_size=None,
            additional_headers={"Origin": origin},
        ) as line:  # fmt: skip
            ask = BackMsg()
            ask.rerun_script.page_name = "" if page == "start" else page
            await line.send(ask.SerializeToString())
            async with asyncio.timeout(PATIENCE):
                async for raw in line:
                    size += len(raw)
                    said = ForwardMsg()
                    said.ParseFromString(raw if isinstance(raw, bytes) else raw.encode())
                    if said.WhichOneof("type") == "script_finished":
                        break
        found.append((page, time.perf_counter() - began, size))
    return found


async def together(port: int, sessions: int, rounds: int, reading: float) -> dict[str, list[float]]:
    """Seconds by page: all sessions at once, each beginning with another page.

    ``reading``: seconds that a page is read, from none to twice that long.
    """
    pauses = np.random.default_rng(0).uniform(0, 2 * reading, (sessions, rounds)).tolist()
    turns = [[PAGES[(i + j) % len(PAGES)] for j in range(rounds)] for i in range(sessions)]
    found = await asyncio.gather(*(visit(port, *own) for own in zip(turns, pauses, strict=True)))
    many = defaultdict(list)
    for page, seconds, _ in (one for own in found for one in own):
        many[page].append(seconds)
    return many


def measure(sessions: int, rounds: int) -> list[dict]:
    """Rows: the first page of a new server, each page alone, each among all sessions."""
    with tempfile.TemporaryDirectory() as runs:
        fake_runs(runs, 50)
        process, port, up = start_server(runs)
        try:
            alone = [0.0] * len(PAGES)
            first = asyncio.run(visit(port, ["start"], [0.0]))[0][1]
            cold = {page: s for page, s, _ in asyncio.run(visit(port, list(PAGES), alone))}
            warm = {page: (s, n) for page, s, n in asyncio.run(visit(port, list(PAGES), alone))}
            reading = asyncio.run(together(port, sessions, rounds, READING))
            at_once = asyncio.run(together(port, sessions, rounds, 0.0))
        finally:
            process.terminate()
            process.wait(timeout=30)
    rows = [_row(f"start, of a server that answered after {up:.2f} s", f"{first:.2f}")]
    for page in PAGES:
        rows.append(
            _row(
                page, f"{cold[page]:.2f}", f"{warm[page][0]:.2f}", f"{warm[page][1] / 1000:.0f}",
                *_spread(reading[page]), *_spread(at_once[page]),
            )
        )  # fmt: skip
    every = [[s for own in many.values() for s in own] for many in (reading, at_once)]
    return [*rows, _row("all", "", "", "", *_spread(every[0]), *_spread(every[1]))]


def _spread(seconds: list[float]) -> tuple[str, str]:
    return (f"{median(seconds):.2f}", f"{max(seconds):.2f}") if seconds else ("", "")


def _row(*values: str) -> dict:
    names = (
        "page", "first alone s", "alone s", "kB", f"read for {READING:g} s: median s", "slowest s",
        "at one moment: median s", "slowest s of these",
    )  # fmt: skip
    return dict(zip_longest(names, values, fillvalue=""))


def run(quick: bool = False) -> list[dict]:
    """As :func:`measure`, with few sessions where it must be quick."""
    return measure(4 if quick else 20, 2 if quick else 5)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5, help="pages that each session opens")
    values = parser.parse_args()
    load = os.getloadavg()[0]
    title = f"{values.sessions} sessions at once, 50 runs on disk (load before {load:.1f})"
    print_rows(title, measure(values.sessions, values.rounds))
