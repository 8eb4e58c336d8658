"""Images of folders are decoded once; any change of the files makes them be decoded again."""

import os
import shutil

import numpy as np
import pytest
from PIL import Image

from clmle.data import load_folder
from clmle.data.folder import reading
from clmle.errors import InputError
from clmle.files import cache_dir


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(40):
        file = tmp_path / "photos" / "ab"[i % 2] / f"{i}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)).save(file)
    return tmp_path / "photos"


@pytest.fixture
def decoded(monkeypatch):
    """Names of the files that are decoded."""
    found = []
    original = reading.read_pixels

    def read(file, *arguments, **options):
        found.append(file.name)
        return original(file, *arguments, **options)

    monkeypatch.setattr(reading, "read_pixels", read)
    return found


def test_a_second_start_decodes_nothing(folder, decoded, monkeypatch):
    first = load_folder(folder, image_size=8)
    load_folder(folder, image_size=10)
    assert len(decoded) == 80
    monkeypatch.setattr(reading, "copies_of", None)
    monkeypatch.setattr(reading.SharedRange, "own", None)
    second = load_folder(folder, image_size=8)
    assert len(decoded) == 80
    assert isinstance(second.images, np.memmap)
    assert (first.images == second.images).all()
    assert (first.split == second.split).all()


def test_a_file_with_new_content_of_equal_size_and_time_is_decoded_again(folder, decoded):
    for name in "0", "2":
        Image.new("RGB", (12, 12)).save(folder / "a" / f"{name}.bmp")
    load_folder(folder, image_size=12)
    file = folder / "a" / "0.bmp"
    state = file.stat()
    Image.new("RGB", (12, 12), "red").save(file)
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert file.stat().st_size == state.st_size
    found = load_folder(folder, image_size=12)
    row = found.metadata["file"].tolist().index("a/0.bmp")
    assert found.images[row, 0, 0].tolist() == [255, 0, 0]


def test_files_that_cannot_be_read_are_left_out_each_time(folder, decoded):
    (folder / "a" / "5.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    shutil.copy(folder / "b" / "7.png", folder / "b" / "copy.png")
    with pytest.warns(UserWarning, match="1 of 42 files"):
        first = load_folder(folder, image_size=12)
    with pytest.warns(UserWarning, match="1 images are copies"):
        second = load_folder(folder, image_size=12)
    assert len(second) == 41
    assert (first.images == second.images).all()
    for row, name in enumerate(second.metadata["file"]):
        pixels = np.asarray(Image.open(folder / name))
        assert (second.images[row] == pixels).all()


def test_gray_images_of_16_bits_are_reported_each_time(folder, decoded):
    Image.fromarray(np.full((12, 12), 4095, dtype=np.uint16)).save(folder / "a" / "deep.png")
    texts = [load_folder(folder, image_size=12).warnings for _ in range(2)]
    assert texts[0] == texts[1]
    assert any("more than 8 bits" in text for text in texts[0])


def test_the_cache_keeps_below_its_limit(folder, tmp_path, decoded, monkeypatch):
    monkeypatch.setenv("CLMLE_CACHE_GB", str(2.5 * 40 * 12 * 12 * 3 / 1e9))
    copies = [shutil.copytree(folder, tmp_path / f"copy{i}") for i in range(3)]
    for one in (copies[0], copies[1], copies[0], copies[2]):
        load_folder(one, image_size=12)
    assert len(list((cache_dir() / "folders").glob("*/meta.json"))) == 2
    before = len(decoded)
    load_folder(copies[0], image_size=12)  # used after copies[1], which was removed
    assert len(decoded) == before
    load_folder(copies[1], image_size=12)
    assert len(decoded) == before + 40


@pytest.mark.parametrize(
    ("limit", "sentence"),
    [("1e-9", "over the limit .* CLMLE_CACHE_GB"), ("many", "must be a number of gigabytes")],
)
def test_a_limit_that_does_not_fit_is_reported(folder, monkeypatch, limit, sentence):
    monkeypatch.setenv("CLMLE_CACHE_GB", limit)
    with pytest.raises(InputError, match=sentence):
        load_folder(folder, image_size=12)


@pytest.mark.parametrize(("name", "texts"), [
    ("images.npy", [b"", b"\x93NUMPY", bytes(500)]),
    ("readable.npy", [b"", b"\x93NUMPY", bytes(500)]),
    ("facts.json", [b"", b"[]", b'{"copies": [[1, 99]], "warnings": []}',
                    b'{"copies": [[1]], "warnings": []}', b'{"copies": 3, "warnings": []}',
                    b'{"copies": [], "warnings": [3]}']),
    ("meta.json", [b"", b"{}", b"[]"]),
])  # fmt: skip
@pytest.mark.filterwarnings("ignore")
def test_damaged_files_of_the_cache_are_made_again(folder, name, texts):
    (folder / "a" / "0.png").write_bytes(b"no image")
    (folder / "a" / "9.png").write_bytes((folder / "a" / "2.png").read_bytes())
    whole = load_folder(folder)
    (file,) = cache_dir().rglob(name)
    good = file.read_bytes()
    for text in (*texts, good[: len(good) // 2]):
        file.unlink()  # the old one is mapped
        file.write_bytes(text)
        again = load_folder(folder)
        np.testing.assert_array_equal(again.images, whole.images)
        assert again.warnings == whole.warnings
        assert file.read_bytes()[:64] == good[:64]
