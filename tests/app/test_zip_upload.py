"""A dropped zip file: unpacked within limits, a hostile one refused in one sentence."""

import io
import stat
import zipfile

import numpy as np
import pytest
from PIL import Image

from app.widgets import own_data, zip_upload
from app.widgets.path_access import uploads_dir
from clmle.data import load_dataset
from clmle.errors import InputError


def png(level=0):
    buffer = io.BytesIO()
    noise = np.random.default_rng(level).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


def packed(files, kind=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", kind) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_a_folder_in_a_zip_file_is_a_data_set():
    files = {f"photos/{'cat' if i % 3 else 'dog'}/{i}.png": png(i) for i in range(30)}
    more = {"__MACOSX/photos/._1.png": b"x", "photos/.DS_Store": b"x", "photos/run.sh": b"rm"}
    content = packed(files | more)
    path = own_data.stored("my photos.zip", content)
    assert path == own_data.stored("my photos.zip", content)  # stored once
    assert path.is_relative_to(uploads_dir())
    assert path.name == "photos"
    kept = sorted(p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file())
    assert kept == sorted(name.removeprefix("photos/") for name in files)
    assert load_dataset(str(path)).class_names["label"] == ("cat", "dog")


def test_a_single_table_in_a_zip_file_is_the_data_set():
    path = own_data.stored("features.zip", packed({"features.csv": "f0,f1,label\n1,2,a\n"}))
    assert path.name == "features.csv"
    assert path.read_text() == "f0,f1,label\n1,2,a\n"


def linked():
    member = zipfile.ZipInfo("a/link.png")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(member, "/etc/passwd")
        archive.writestr("a/b.png", png())
    return buffer.getvalue()


def with_password():
    content = bytearray(packed({"a/b.png": png()}))
    for start in (content.find(b"PK\x03\x04") + 6, content.find(b"PK\x01\x02") + 8):
        content[start] |= 1  # the flag of an encrypted member
    return bytes(content)


def with_false_size():
    """A member that unpacks to more than the archive states."""
    content = packed({"a/b.csv": b"1,2\n" * 5000}, zipfile.ZIP_DEFLATED)
    size = (20_000).to_bytes(4, "little")
    assert content.count(size) == 2
    return content.replace(size, (100).to_bytes(4, "little"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not a zip file", "cannot be unpacked"),
        (packed({"a/b.png": png()})[:-30], "cannot be unpacked"),
        (packed({"../../b.png": png()}), "outside of its folder"),
        (packed({"/tmp/b.png": png()}), "outside of its folder"),
        (packed({"a\\..\\..\\b.png": png()}), "outside of its folder"),
        (packed({"C:/b.png": png()}), "outside of its folder"),
        (packed({"a/b.png": b"\0" * 3_000_000}), "would unpack 'a/b.png' to 3 MB"),
        (packed({"a/b.png": png(), "A/B.png": png()}), "twice"),
        (packed({"run.sh": b"rm"}), "no image and no table"),
        (packed({"a": png(), "a.png": png(), "a.png/b.png": png()}), "cannot be unpacked"),
        (linked(), "holds the link"),
        (with_password(), "needs a password"),
        (with_false_size(), "damaged|cannot be unpacked"),
    ],
)
def test_a_hostile_or_damaged_zip_file_is_refused_and_leaves_nothing(content, message):
    with pytest.raises(InputError, match=message) as error:
        own_data.stored("photos.zip", content)
    assert "\n" not in str(error.value)
    assert [p for p in uploads_dir().rglob("*") if p.is_file()] == []


def test_limits_of_files_and_bytes(monkeypatch):
    content = packed({f"a/{i}.png": png(i) for i in range(4)})
    monkeypatch.setattr(zip_upload, "MOST_FILES", 3)
    with pytest.raises(InputError, match="holds 4 files, and 3 are allowed"):
        own_data.stored("photos.zip", content)
    monkeypatch.undo()
    monkeypatch.setattr(zip_upload, "MOST_BYTES", 1000)
    with pytest.raises(InputError, match="would unpack to 0 MB, and 0 MB are allowed"):
        own_data.stored("photos.zip", content)
