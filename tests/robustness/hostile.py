"""Helpers that make malicious files, and the check of the error that they must cause."""

import io
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from clmle.errors import InputError

DEEP = "[" * 100_000 + "]" * 100_000
DIGITS = "9" * 5000  # more than Python converts to an integer


def picture(seed=0, size=(24, 24), kind="PNG"):
    values = np.random.default_rng(seed).integers(0, 255, (*size, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, kind)
    return buffer.getvalue()


def claimed_png(width, height):
    """A PNG whose header claims this size."""

    def chunk(kind, body):
        check = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + check

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IEND", b"")


def folders(home, n=5):
    for person in ("cats", "dogs"):
        (home / person).mkdir(parents=True)
        for i in range(n):
            (home / person / f"{i}.png").write_bytes(picture(i))
    return home


def error_of(function, *arguments, **options):
    """The one-sentence message of the InputError that the call raises."""
    with pytest.raises(InputError) as caught:
        function(*arguments, **options)
    text = str(caught.value)
    assert "\n" not in text
    assert 20 < len(text) < 1000
    return text


def npy(shape, descr="<f4", body=b"1234"):
    buffer = io.BytesIO()
    head = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, head)
    return buffer.getvalue() + body


def zipped(path, members, how=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path.read_bytes()
