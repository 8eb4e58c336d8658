"""Whether anybody is still there: browsers vanish without a word."""

from __future__ import annotations

import threading
import time


def this_session() -> str:
    """What tells this browser tab from all others; a reload makes another."""
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    found = get_script_run_ctx()
    return found.session_id if found else ""


def connected(session: str) -> bool:
    """Whether the tab is open; always, where a page runs without a server."""
    from streamlit import runtime

    return not runtime.exists() or runtime.get_instance().is_active_session(session)


class Presence:
    """The sessions that look at something, and since when none of them is there any more."""

    def __init__(self) -> None:
        self._sessions: set[str] = set()
        self._last = time.monotonic()
        self._lock = threading.Lock()

    def here(self) -> None:
        """Note that the session whose page runs now looks at it."""
        with self._lock:
            self._sessions.add(this_session())
            self._last = time.monotonic()

    def alone_for(self) -> float:
        """Seconds since the last one was seen to be there; to be asked now and then."""
        with self._lock:
            self._sessions = {s for s in self._sessions if connected(s)}
            if self._sessions:
                self._last = time.monotonic()
            return time.monotonic() - self._last
