"""Whether a process that was started earlier still runs, and is still the same one."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path


def birth(pid: int) -> str:
    """When process ``pid`` began, as its system tells it; "" where it has gone or is a zombie.

    A number alone may have been given to another process meanwhile; number and birth are one's
    own.
    """
    if Path("/proc/self/stat").exists():
        try:
            facts = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            return ""
        return "" if facts[0] in "ZX" else facts[19]
    found = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split(maxsplit=1)
    return "" if len(found) < 2 or found[0].startswith("Z") else found[1].strip()


def end(pid: int, born: str) -> bool:
    """Ask the process to end (SIGTERM), if it is still that one; whether it was."""
    if not born or birth(pid) != born:
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    return True
