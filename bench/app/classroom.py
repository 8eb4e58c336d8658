"""Time and memory of one server in classroom mode while a whole class uses it.

A visitor is a browser without its drawing: it fetches the page, keeps its cookie, and holds one
websocket on which it opens page after page.
"""

import asyncio
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bench.app.server import TIMEOUT, process
from bench.app.stored_runs import fake_runs
from bench.comparison import Comparison, Rows, Tables, number

LESSON = ("start", "imbalance", "data", "train", "ablations")
READING = 4.0  # mean seconds between two pages of a visitor
SESSIONS = (1, 10, 40)


def cookie_of(port: int) -> str:
    """The cookie that a new browser gets with the page."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=TIMEOUT) as answer:
        return str(answer.headers["set-cookie"]).split(";")[0]


async def visitor(
    port: int, pauses: list[float], ready: list[int], leave: asyncio.Event
) -> list[float]:
    """Seconds of each page; at the end it is ``ready``, and connected until all may leave."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from websockets.asyncio.client import connect
    from websockets.typing import Subprotocol

    cookie = await asyncio.to_thread(cookie_of, port)
    headers = {"Origin": f"http://127.0.0.1:{port}", "Cookie": cookie}
    found = []
    async with connect(
        f"ws://127.0.0.1:{port}/_stcore/stream", subprotocols=[Subprotocol("streamlit")],
        max_size=None, additional_headers=headers,
    ) as line:  # fmt: skip
        for page, pause in zip(LESSON, pauses, strict=True):
            await asyncio.sleep(pause)
            began = time.perf_counter()
            ask = BackMsg()
            ask.rerun_script.page_name = "" if page == "start" else page
            await line.send(ask.SerializeToString())
            async with asyncio.timeout(TIMEOUT):
                async for raw in line:
                    message = ForwardMsg()
                    message.ParseFromString(raw if isinstance(raw, bytes) else raw.encode())
                    if message.WhichOneof("type") == "script_finished":
                        break
            found.append(time.perf_counter() - began)
        ready.append(len(found))
        await leave.wait()
    return found


async def lesson(port: int, sessions: int, pid: int) -> tuple[list[list[float]], float]:
    """Seconds (sessions, pages), and memory in MB while all are connected."""
    pauses = np.random.default_rng(0).uniform(0, 2 * READING, (sessions, len(LESSON))).tolist()
    leave, ready = asyncio.Event(), list[int]()
    tasks = [asyncio.create_task(visitor(port, one, ready, leave)) for one in pauses]
    while len(ready) + sum(task.done() for task in tasks) < sessions:
        await asyncio.sleep(0.2)
    used = memory(pid)
    leave.set()
    return list(await asyncio.gather(*tasks)), used


def memory(pid: int) -> float:
    """Resident memory of a process in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def run(quick: bool = False) -> Rows:
    """A row for each size of the class, on a new server each."""
    rows = []
    for sessions in (1, 3) if quick else SESSIONS:
        with tempfile.TemporaryDirectory() as runs:
            fake_runs(runs, 10 if quick else 50)
            with process(runs, CLMLE_CLASSROOM="1") as (port, _, pid):
                asyncio.run(lesson(port, 1, pid))  # loads the libraries
                seconds, used = asyncio.run(lesson(port, sessions, pid))
        every = [s for one in seconds for s in one]
        rows.append({
            "visitors": sessions,
            "pages": len(every),
            "median s": f"{median(every):.2f}",
            "slowest s": f"{max(every):.2f}",
            "memory MB": f"{used:.0f}",
        })  # fmt: skip
    return rows


def values(tables: Tables, limits: Mapping[str, float]) -> Mapping[str, Any]:
    """The memory of one more session."""
    first, *_, last = tables[""]
    more = number(last["visitors"]) - number(first["visitors"])
    each = (number(last["memory MB"]) - number(first["memory MB"])) / more
    return {"each": each, "sessions": last["visitors"]}


COMPARISON = Comparison("classroom", run, values, constants={"reading": f"{READING:g}"})
