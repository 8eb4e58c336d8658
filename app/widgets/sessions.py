"""Which browser sessions are still connected; browsers disconnect without notice."""

import threading
import time


def this_session() -> str:
    """Identifier of this browser tab; a reload makes another."""
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    found = get_script_run_ctx()
    return found.session_id if found else ""


def connected(session: str) -> bool:
    """Whether the tab is open; always true where a page runs without a server."""
    from streamlit import runtime

    return not runtime.exists() or runtime.get_instance().is_active_session(session)


class Visitors:
    """The sessions that use something, and for how long there has been none."""

    def __init__(self) -> None:
        self._sessions: set[str] = set()
        self._last = time.monotonic()
        self._lock = threading.Lock()

    def here(self) -> None:
        """Record that the current session uses it."""
        with self._lock:
            self._sessions.add(this_session())
            self._last = time.monotonic()

    def absent_for(self) -> float:
        """Seconds since the last session was connected; has to be called regularly."""
        with self._lock:
            self._sessions = {s for s in self._sessions if connected(s)}
            if self._sessions:
                self._last = time.monotonic()
            return time.monotonic() - self._last
