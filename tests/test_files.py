"""Files are written atomically."""

import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from clmle import InputError
from clmle.files import atomic_path, read_json, write_json, write_text


def test_failure_keeps_the_old_file_and_leaves_nothing_behind(tmp_path):
    file = tmp_path / "a.json"
    write_json(file, {"x": 1})

    class Unlucky(Exception):
        pass

    def fail():
        with atomic_path(file) as temporary:
            temporary.write_text("half")
            raise Unlucky

    with pytest.raises(Unlucky):
        fail()
    assert read_json(file) == {"x": 1}
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_kill_while_writing_keeps_the_old_file(tmp_path):
    file = tmp_path / "a.txt"
    write_text(file, "old")
    program = (
        "import time\nfrom clmle.files import atomic_path\n"
        f"with atomic_path({str(file)!r}) as t:\n"
        "    t.write_text('new'); print('writing', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGKILL)
    time.sleep(0.05)
    assert file.read_text() == "old"


def test_a_full_disk_is_a_one_sentence_error(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match="disk is full"):
        write_text(tmp_path / "a", "x")
    assert os.listdir(tmp_path) == []


def test_an_error_names_the_damaged_json_file(tmp_path):
    (tmp_path / "a.json").write_text('{"x": ')
    with pytest.raises(InputError, match=r"a\.json"):
        read_json(tmp_path / "a.json")
