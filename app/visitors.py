"""Who uses the server, which runs are theirs, and what may be changed.

By default all who reach the server share one folder of runs. Two options of ``clmle app``, which
are environment variables too, change that:

``--classroom``, CLMLE_CLASSROOM=1
    Every browser has its own folder of runs, ``visitors/NAME`` in the folder of runs, by a cookie
    that stays after a reload. The runs above it are shared: visitors see but cannot change them.
``--read-only``, CLMLE_READ_ONLY=1
    Nothing can be trained, changed or deleted on the pages.
"""

import secrets
from hashlib import sha256
from pathlib import Path
from typing import Any

import streamlit as st

from app.visitor_cookie import CLASSROOM, COOKIE, READ_ONLY, is_on, token_in
from clmle import InputError, RunFolder, jobs, runs_dir

MOST_ACTIVE = 6  # queued or running runs of a visitor of a classroom


def classroom() -> bool:
    """Whether every visitor has an own folder of runs."""
    return is_on(CLASSROOM)


def read_only() -> bool:
    """Whether the pages change nothing."""
    return is_on(READ_ONLY)


def token() -> str:
    """What identifies the visitor's browser; of one without cookies, this session alone."""
    found = token_in(f"{COOKIE}={st.context.cookies.to_dict().get(COOKIE, '')}")
    state: Any = st.session_state
    return found or str(state.setdefault("visitor", secrets.token_urlsafe(24)))


def own_runs_dir() -> Path:
    """Folder of the runs that the visitor may change; its name does not give the cookie away."""
    if not classroom():
        return runs_dir()
    return runs_dir() / jobs.VISITORS / sha256(token().encode()).hexdigest()[:16]


def homes() -> list[Path]:
    """Folders whose runs the visitor sees: their own first."""
    return list(dict.fromkeys([own_runs_dir(), runs_dir()]))


def may_change(run: RunFolder) -> bool:
    """Whether the visitor may stop, name or delete a run."""
    return not read_only() and run.path.parent == own_runs_dir()


def may_start_studies() -> bool:
    """Whether the visitor may start and stop studies, which occupy a server for hours."""
    return not read_only() and not classroom()


def check_may_train(more: int, active: int) -> None:
    """Raise if the visitor may not start ``more`` runs next to their ``active`` ones."""
    if read_only():
        raise InputError("This server is read-only: runs are shown, none can be started.")
    if classroom() and more + active > MOST_ACTIVE:
        raise InputError(
            f"{more} more runs would make {more + active} that wait or train; in a class each has "
            f"at most {MOST_ACTIVE} at a time. Start fewer, or wait."
        )
