"""The cookie by which a server of a class knows its visitors again."""

import os
import re
import secrets

CLASSROOM, READ_ONLY = "CLMLE_CLASSROOM", "CLMLE_READ_ONLY"
COOKIE = "clmle-visitor"
YEAR = 365 * 24 * 3600  # seconds


def is_on(variable: str) -> bool:
    """Whether an environment variable switches something on."""
    return os.environ.get(variable, "").strip().lower() not in ("", "0", "no", "false")


def new_cookie(cookies: str) -> str:
    """The Set-Cookie header for a browser without a cookie; "" where none is needed."""
    if not is_on(CLASSROOM) or token_in(cookies):
        return ""
    return f"{COOKIE}={secrets.token_urlsafe(24)}; HttpOnly; SameSite=Lax; Path=/; Max-Age={YEAR}"


def token_in(cookies: str) -> str:
    """The visitor's token in a Cookie header; "" if there is none."""
    for part in cookies.split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE and re.fullmatch(r"[\w-]{32}", value, re.ASCII):
            return value
    return ""
