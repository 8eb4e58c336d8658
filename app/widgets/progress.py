"""Work that a page waits for: a bar with the time left, and one result for all sessions."""

import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import streamlit as st

from app.widgets.literal import literal
from app.widgets.runs import duration

Show = Callable[[int, int], None]  # done, total


@contextmanager
def progress_bar(what: str, after: float = 0.0) -> Iterator[Show]:
    """A bar for ``what``, such as "images read"; call the result with (done, total).

    It is drawn ``after`` so many seconds, for work that is mostly short.
    """
    began, place = time.monotonic(), None
    first: tuple[int, float] | None = None  # what was done before, where a work is continued

    def draw(done: int, total: int, earlier: int, since: float) -> None:
        nonlocal place
        if time.monotonic() - began >= after:
            place = place or st.empty()
            with place:
                timed_bar(done, total, what, since, earlier)

    def show(done: int, total: int) -> None:
        nonlocal first
        first = first or (done, time.monotonic())
        draw(done, total, *first)

    draw(0, 0, 0, began)
    try:
        yield show
    finally:
        if place is not None:
            place.empty()


def timed_bar(done: int, total: int, what: str, began: float, earlier: int = 0) -> None:
    """A bar with the time that is left if work that ``began`` (monotonic) goes on as before."""
    text = f"{done:,} of {total:,} {literal(what)}" if total else f"Starting: {literal(what)}"
    passed = time.monotonic() - began
    if done > earlier and passed >= 1:
        left = passed * (total - done) / (done - earlier)
        text += f", about {duration(left)} left"
    st.progress(min(1.0, done / max(1, total)), text=text)


def counted(things: Sequence[Any], what: str, after: float = 0.3) -> Iterator[Any]:
    """``things`` one after the other, with a :func:`progress_bar`."""
    with progress_bar(what, after) as show:
        for number, thing in enumerate(things):
            show(number, len(things))
            yield thing


class Held:
    """The latest ``most`` results by key; each is made once, while other sessions wait for it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: dict[Hashable, Any] = {}
        self._lock = threading.RLock()
        self._making: dict[Hashable, threading.Lock] = {}

    def __contains__(self, key: Hashable) -> bool:
        return key in self._found

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """The result of ``key``, made where there is none."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            if key not in self._found:
                made = make()
                with self._lock:
                    while len(self._found) >= self._most:
                        self._found.pop(next(iter(self._found)))
                    self._found[key] = made
                return made
            return self._found[key]

    def drop(self, key: Hashable) -> None:
        """Forget a result, so that it is made again."""
        with self._lock:
            self._found.pop(key, None)
