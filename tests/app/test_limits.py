"""What links and uploads cannot make the server do."""

import io
import os
import struct
import sys
import tomllib
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.widgets import path_access, uploads
from clmle.errors import InputError
from clmle.files import runs_dir
from clmle.presets import preset_config
from clmle.run_folder import create_run, list_runs

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted((ROOT / "app" / "views").glob("*.py"))
opened: list[str] = []
watched: list[str] = []


def _watch(event, arguments):
    if event in ("open", "os.listdir", "os.scandir") and watched:
        path = arguments[0]
        if isinstance(path, str | bytes | Path):
            real = os.path.realpath(os.fsdecode(path))
            opened.extend(p for p in watched if real == p or real.startswith(p + os.sep))


sys.addaudithook(_watch)


@pytest.fixture
def secret(tmp_path):
    """A folder outside of the app's folders that looks like a run and like a data set."""
    home = tmp_path / "elsewhere"
    run = create_run(home, preset_config("quick", "softmax", "digits").to_dict())
    run.write_status(state="done", phase="done", step=1, total=1, seconds=1.0, message="")
    (run.path / "cats").mkdir()
    Image.new("RGB", (9, 9)).save(run.path / "cats" / "one.png")
    (run.path / "labels.csv").write_text("file,label\ncats/one.png,1\n")
    (home / "studies").mkdir()
    shipped = (ROOT / "docs" / "results" / "classifier.jsonl").read_text()
    (home / "studies" / "secret.jsonl").write_text(shipped)
    watched.append(str(home.resolve()))
    opened.clear()
    yield run.path
    watched.clear()


def opened_page(path, **query):
    app = AppTest.from_file(str(ROOT / "app" / "main.py"), default_timeout=600)
    app.switch_page(str(path.relative_to(ROOT / "app")))
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.stem)
def test_no_link_opens_a_path_outside_of_the_app_s_folders(path, secret):
    relative = os.path.relpath(secret, runs_dir())
    names = [relative, str(secret), f"x/../{relative}", "..", ".", "", "\0", "a" * 5000]
    create_run(runs_dir(), preset_config("quick", "softmax", "digits").to_dict())
    opened_page(
        path, run=names[0], runs=names, demo=names, like=names[0], study=names[2],
        folder=str(secret), labels=str(secret / "labels.csv"), attribute=names[1], data=names[1],
        learner=names[0], new=names[0], part=names[0], kind=names[0], lesson=names[0],
    )  # fmt: skip
    assert not opened


def test_a_symbolic_link_out_of_the_runs_folder_is_no_run(secret):
    root = runs_dir()
    create_run(root, preset_config("quick", "softmax", "digits").to_dict())
    os.symlink(secret, root / "20260101-000000-link")
    inside = create_run(root, preset_config("quick", "focal", "digits").to_dict())
    os.symlink(secret / "status.json", inside.path / "status.json")
    (root / "studies").mkdir()
    os.symlink(secret.parent / "studies" / "secret.jsonl", root / "studies" / "secret.jsonl")
    assert [run.config()["method"] for run in list_runs(root)] == ["softmax"]
    for path in PAGES:
        opened_page(path, run="20260101-000000-link", study="secret (mine)")
    assert not opened


def test_a_link_with_a_folder_reads_it_only_after_confirmation(secret):
    page = ROOT / "app" / "views" / "data.py"
    app = opened_page(page, folder=str(secret), labels=str(secret / "labels.csv"))
    assert not opened
    app.text_input[0].set_value("").run()  # what is typed later does not open the link's folder
    app = opened_page(page, folder=str(secret))
    next(b for b in app.button if b.label == "Read it").click().run()
    assert opened


def test_a_shared_server_reads_only_the_folders_of_its_administrator(tmp_path, monkeypatch):
    home, other = tmp_path / "open", tmp_path / "closed"
    home.mkdir()
    other.mkdir()
    os.symlink(other, home / "way-out")
    allow = path_access.open_path
    assert allow(str(other)) == str(other)  # on the visitor's own computer
    monkeypatch.setattr("streamlit.get_option", lambda name: "0.0.0.0")
    with pytest.raises(InputError, match="CLMLE_DATA"):
        allow(str(home))
    monkeypatch.setenv("CLMLE_DATA", f"{home}{os.pathsep}{tmp_path / 'more'}")
    assert allow(f"{home}/./faces/../cats") == str(home / "cats")
    (home / "round").symlink_to(home / "round")
    for wrong in (other, home / ".." / "closed", home / "way-out", f"{home}s", home / "round",
                  f"{home}/\0", f"{home}/{'x' * 5000}", "~", "~root", "."):  # fmt: skip
        with pytest.raises(InputError, match="is not open to this page"):
            allow(str(wrong))
    config = preset_config("quick", "softmax", "digits")
    path_access.check_paths([config])
    for one in (preset_config("quick", "softmax", str(other)),
                preset_config("quick", "softmax", f"{home}/.")):  # fmt: skip
        with pytest.raises(InputError):
            path_access.check_paths([one])


def test_links_in_a_data_folder_do_not_lead_out_of_it(tmp_path, monkeypatch):
    home, other = tmp_path / "open", tmp_path / "closed"
    for folder in (home / "a" / "cats", home / "b", home / "c", other):
        folder.mkdir(parents=True)
    monkeypatch.setenv("CLMLE_DATA", str(home))
    (home / "a" / "dogs").symlink_to(home / "b")  # stays inside
    (home / "b" / "above").symlink_to(home)
    assert path_access.open_path(str(home / "a")) == str(home / "a")
    (home / "c" / "birds").symlink_to(other)  # found through a/dogs/above
    for folder in ("a", "b", "c", "."):
        with pytest.raises(InputError, match="links that lead out"):
            path_access.open_path(str(home / folder))
    (home / "c" / "birds").unlink()
    pattern = str(home / "b" / "*.parquet")
    assert path_access.open_path(pattern) == pattern
    (home / "b" / "x.parquet").symlink_to(tmp_path / "x.parquet")
    for pattern in (home / "b" / "*.parquet", home / "*" / "*.parquet", home / "a" / "**"):
        with pytest.raises(InputError, match="links that lead out"):
            path_access.open_path(str(pattern))
    (home / "b" / "x.parquet").unlink()
    (home / "a" / "labels.csv").write_text("")
    (tmp_path / "labels.csv").write_text("")
    monkeypatch.chdir(tmp_path)
    (home / "a" / "own.csv").write_text("")
    assert path_access.open_path("own.csv", str(home / "a")) == str(home / "a" / "own.csv")
    with pytest.raises(InputError):  # a loader prefers the one in its working directory
        path_access.open_path("labels.csv", str(home / "a"))
    np.save(home / "a" / "features.npy", np.ones((3, 2)))
    features = str(home / "a" / "features.npy")
    assert path_access.open_path(features) == features
    (home / "a" / "features.csv").symlink_to(tmp_path / "labels.csv")  # read with the features
    with pytest.raises(InputError, match="links that lead out"):
        path_access.open_path(features)


@pytest.mark.parametrize(("view", "field"), [("data", "Folder or file"),
                                             ("train", "Folder or file"),
                                             ("ablations", "Folder or file")])  # fmt: skip
def test_no_page_reads_a_folder_that_is_not_open(view, field, secret, monkeypatch, tmp_path):
    monkeypatch.setenv("CLMLE_DATA", str(tmp_path / "open"))
    app = opened_page(ROOT / "app" / "views" / f"{view}.py", starting="true")
    box = next(s for s in app.selectbox if "my own data" in s.options)
    box.set_value("my own data").run()
    next(t for t in app.text_input if t.label == field).set_value(str(secret)).run()
    assert any("is not open to this page" in e.value for e in app.error)
    assert not app.exception
    assert not opened


# --- uploads --------------------------------------------------------------------------------


def file(content, name="image.png"):
    return SimpleNamespace(name=name, size=len(content), getvalue=lambda: content)


def of_shape(*shape):
    """What uploads need to know of a model."""
    return SimpleNamespace(image_shape=shape, value_range=None)


def saved(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png_of(width, height):
    """A PNG that claims this size; its pixels take a few bytes."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(
            ">I", zlib.crc32(kind + body))  # fmt: skip

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((width + 7) // 8 + 1) * min(height, 4000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


PIXELS = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8))
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n"
HOSTILE = {
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "html": b"<html><script>alert(1)</script></html>",
    "zip": b"PK\x03\x04" + bytes(200),
    "eps": EPS,  # Pillow would start ghostscript
    "pickle": b"\x80\x04cos\nsystem\n(S'true'\ntR.",
    "empty": b"",
    "cut": saved(PIXELS)[:300],
    "broken checksum": saved(PIXELS).replace(b"IDAT", b"IDAT\xff", 1),
    "too large": saved(PIXELS) + bytes(uploads.MAX_BYTES),
}
CLAIMED = {
    "million a side": (1_000_000, 1_000_000), "too many pixels": (9_000, 9_000),
    "no pixels": (0, 10),
}  # fmt: skip


@pytest.mark.parametrize("name", [*HOSTILE, *CLAIMED])
def test_an_invalid_image_is_refused_with_one_sentence(name):
    content = HOSTILE[name] if name in HOSTILE else png_of(*CLAIMED[name])
    message = uploads._decoded(file(content), of_shape(40, 40, 3))
    assert isinstance(message, str)
    assert message
    assert "Traceback" not in message


@pytest.mark.parametrize("image", [
    saved(PIXELS), saved(PIXELS, "JPEG"), saved(PIXELS, "WEBP"), saved(PIXELS, "BMP"),
    saved(PIXELS.convert("RGBA")), saved(PIXELS.convert("P")), saved(PIXELS.convert("1")),
    saved(PIXELS.convert("CMYK"), "JPEG"), saved(PIXELS.resize((3000, 1))),
    saved(PIXELS) + b"PK\x03\x04" + bytes(99),  # an image and an archive at once: only an image
    saved(PIXELS, save_all=True, append_images=[PIXELS] * 3),  # animated: the first frame
])  # fmt: skip
@pytest.mark.parametrize("channels", [1, 3])
def test_images_of_all_formats_are_converted_to_the_shape_of_the_run(image, channels):
    pixels = uploads._decoded(file(image), of_shape(24, 32, channels))
    assert pixels.shape == (24, 32, channels)
    assert pixels.dtype == np.uint8


def test_a_photograph_is_rotated_by_its_exif_orientation():
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise brings it upright
    sideways = saved(PIXELS.resize((40, 40)), exif=exif)
    upright = np.rot90(np.asarray(PIXELS.resize((40, 40))), -1)
    np.testing.assert_array_equal(uploads._decoded(file(sideways), of_shape(40, 40, 3)), upright)


def test_uploads_of_one_session_are_limited():
    from starlette.exceptions import HTTPException
    from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
    from streamlit.runtime.uploaded_file_manager import UploadedFileRec

    manager = MemoryUploadedFileManager("/upload")
    add = uploads._limited(manager, manager.add_file)
    big = bytes(uploads.MAX_HELD_BYTES + 1)
    add("one", UploadedFileRec("0", "a.png", "image/png", big))
    with pytest.raises(HTTPException):
        add("one", UploadedFileRec("1", "b.png", "image/png", b""))
    for i in range(uploads.MAX_HELD):
        add("two", UploadedFileRec(str(i), "a.png", "image/png", b""))
    with pytest.raises(HTTPException):
        add("two", UploadedFileRec("more", "b.png", "image/png", b""))


def test_the_server_listens_locally_and_sends_no_statistics():
    options = tomllib.loads((ROOT / "app" / ".streamlit" / "config.toml").read_text())
    assert options["server"]["address"] == "127.0.0.1"
    assert options["server"]["maxUploadSize"] <= 50
    assert options["browser"]["gatherUsageStats"] is False
    assert options["client"]["showErrorDetails"] == "none"
    for unsafe in ("enableXsrfProtection", "enableCORS", "enableStaticServing"):
        assert unsafe not in options["server"]  # their defaults are the safe ones
