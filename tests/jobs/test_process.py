"""A process is known by its number and its birth, so that no other is ever taken for it."""

import os
import subprocess
import sys

from clmle.jobs.process import birth, end


def sleeper():
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def test_birth_is_steady_while_a_process_lives_and_gone_with_it():
    assert birth(os.getpid()) == birth(os.getpid()) != ""
    process = sleeper()
    try:
        assert birth(process.pid) == birth(process.pid) != ""
    finally:
        process.kill()
    process.poll()
    while birth(process.pid):  # dead, and perhaps a zombie nobody has waited for yet
        pass
    process.wait()
    assert birth(process.pid) == ""


def test_only_the_very_process_is_ended():
    process = sleeper()
    try:
        assert not end(process.pid, "")
        assert not end(process.pid, "another birth")
        assert process.poll() is None
        assert end(process.pid, birth(process.pid))
        assert process.wait(10) != 0
    finally:
        process.kill()
        process.wait()
    assert not end(process.pid, "1")
