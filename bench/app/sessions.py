"""Duration of the pages while many sessions use one server with 50 runs on disk.

A session is a websocket, as a browser opens it: it requests a page, waits until the script has
run, and goes on to the next page.
"""

import asyncio
import tempfile
import time
from collections import defaultdict
from itertools import chain, zip_longest
from statistics import median

import numpy as np

from bench.app.server import PAGES, TIMEOUT, server
from bench.app.stored_runs import fake_runs
from bench.comparison import Comparison, Rows

READING = 10.0  # mean seconds between two pages of a session
COLUMNS = (
    "page", "first, new server s", "single session s", "kB", "20 readers: median s",
    "20 readers: slowest s", "20 at once: median s", "20 at once: slowest s",
)  # fmt: skip


async def visit(port: int, pages: list[str], pauses: list[float]) -> list[tuple[str, float, int]]:
    """(page, seconds until its script has run, bytes sent) of each page, in sequence."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from websockets.asyncio.client import connect
    from websockets.typing import Subprotocol

    found = []
    address = f"ws://127.0.0.1:{port}/_stcore/stream"
    origin = f"http://127.0.0.1:{port}"
    for page, pause in zip(pages, pauses, strict=True):
        await asyncio.sleep(pause)
        # A new session for each page, as after a reload.
        began = time.perf_counter()
        size = 0
        async with connect(
            address, subprotocols=[Subprotocol("streamlit")], max_size=None,
            additional_headers={"Origin": origin},
        ) as line:  # fmt: skip
            ask = BackMsg()
            ask.rerun_script.page_name = "" if page == "start" else page
            await line.send(ask.SerializeToString())
            async with asyncio.timeout(TIMEOUT):
                async for raw in line:
                    size += len(raw)
                    message = ForwardMsg()
                    message.ParseFromString(raw if isinstance(raw, bytes) else raw.encode())
                    if message.WhichOneof("type") == "script_finished":
                        break
        found.append((page, time.perf_counter() - began, size))
    return found


async def concurrent(
    port: int, sessions: int, n_pages: int, reading: float
) -> dict[str, list[float]]:
    """Seconds by page of concurrent sessions, each with another first page.

    The pauses are uniform between 0 and twice ``reading`` seconds.
    """
    pauses = np.random.default_rng(0).uniform(0, 2 * reading, (sessions, n_pages)).tolist()
    orders = [[PAGES[(i + j) % len(PAGES)] for j in range(n_pages)] for i in range(sessions)]
    found = await asyncio.gather(*(visit(port, *one) for one in zip(orders, pauses, strict=True)))
    many = defaultdict(list)
    for page, seconds, _ in chain(*found):
        many[page].append(seconds)
    return many


def run(quick: bool = False) -> Rows:
    """The first page of a new server, each page alone, and each among concurrent sessions."""
    sessions, n_pages = (4, 2) if quick else (20, 5)
    with tempfile.TemporaryDirectory() as runs:
        fake_runs(runs, 50)
        with server(runs) as (port, up):
            alone = [0.0] * len(PAGES)
            first = asyncio.run(visit(port, ["start"], [0.0]))[0][1]
            cold = {page: s for page, s, _ in asyncio.run(visit(port, list(PAGES), alone))}
            warm = {page: (s, n) for page, s, n in asyncio.run(visit(port, list(PAGES), alone))}
            reading = asyncio.run(concurrent(port, sessions, n_pages, READING))
            at_once = asyncio.run(concurrent(port, sessions, n_pages, 0.0))
    rows = [
        [f"start, new server (answers after {up:.2f} s)", f"{first:.2f}"],
        *(
            [page, f"{cold[page]:.2f}", f"{warm[page][0]:.2f}", f"{warm[page][1] / 1000:.0f}",
             *_spread(reading[page]), *_spread(at_once[page])]
            for page in PAGES
        ),
        ["all", "", "", "", *_spread([*chain(*reading.values())]),
         *_spread([*chain(*at_once.values())])],
    ]  # fmt: skip
    return [dict(zip_longest(COLUMNS, row, fillvalue="")) for row in rows]


def _spread(seconds: list[float]) -> tuple[str, str]:
    return (f"{median(seconds):.2f}", f"{max(seconds):.2f}") if seconds else ("", "")


COMPARISON = Comparison("sessions", run, constants={"reading": f"{READING:g}"})
