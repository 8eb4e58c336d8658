"""CelebA photographs: damaged files are named, pixels are cached, interrupted reading resumes."""

import os
import shutil
import threading
import time
import warnings
import zipfile

import numpy as np
import pytest
from PIL import Image

from clmle import InputError
from clmle.data.celeba import images as celeba_images
from clmle.data.celeba import load_celeba
from clmle.data.pixel_cache import cached_pixels
from clmle.data.pixel_writing import CHUNK
from tests.data.celeba_copy import (
    ATTR,
    N,
    name_of,
    say_all,
    zipped,
)


def test_damaged_photographs_are_left_out_and_named(celeba):
    folder = celeba / "Img" / "img_align_celeba"
    (folder / name_of(3)).unlink()
    (folder / name_of(5)).write_bytes((folder / name_of(5)).read_bytes()[:500])
    (folder / name_of(8)).write_bytes(b"no image")
    Image.new("RGB", (300, 100)).save(folder / name_of(9))
    with pytest.warns(UserWarning, match=r"4 of 120 photographs") as caught:
        data = load_celeba(celeba)
    # Warnings of other tests may come first.
    (said,) = [str(w.message) for w in caught if w.category is UserWarning]
    assert "000004.jpg (missing)" in said
    assert "000006.jpg (" in said
    assert "000009.jpg (not an image)" in said
    assert "000010.jpg (300 x 100 pixels" in said
    assert (data.split[[3, 5, 8, 9]] == -1).all()
    assert (data.split != -1).sum() == 100 - 4
    for path in folder.iterdir():
        path.write_bytes(b"")
    with pytest.raises(InputError, match="None of the 120 photographs can be read"):
        load_celeba(celeba, image_size=40)


def test_an_error_names_a_truncated_zip_file(celeba):
    shutil.rmtree(celeba / "Img" / "img_align_celeba")
    (celeba / "Img" / "img_align_celeba.zip").write_bytes(b"PK\x03\x04cut")
    with pytest.raises(InputError, match="cannot be opened as a zip file"):
        load_celeba(celeba)


def test_files_that_cannot_be_unpacked_are_left_out_and_named(celeba):
    zipped(celeba, zipfile.ZIP_DEFLATED)
    path = celeba / "Img/img_align_celeba.zip"
    with zipfile.ZipFile(path) as file:
        info = file.getinfo("img_align_celeba/000002.jpg")
    data = bytearray(path.read_bytes())
    begin = info.header_offset + 30 + len(info.filename)
    data[begin : begin + info.compress_size] = b"\xff" * info.compress_size
    path.write_bytes(data)
    with pytest.warns(UserWarning, match=r"000002.jpg \(Error -3"):
        found = load_celeba(celeba)
    assert found.split[1] == -1
    assert (found.split != -1).sum() == 100 - 1
    assert found.warnings[0].startswith("1 of 120 photographs")


def test_a_repaired_photograph_is_read_again(celeba):
    wanted = load_celeba(celeba)
    path = celeba / "Img/img_align_celeba" / name_of(7)
    whole = path.read_bytes()
    path.write_bytes(whole[:400])
    with pytest.warns(UserWarning, match=r"000008.jpg \("):
        load_celeba(celeba)
    path.write_bytes(whole)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        found = load_celeba(celeba)
    np.testing.assert_array_equal(found.images, wanted.images)
    assert found.warnings == ()


def test_new_labels_do_not_cause_photographs_to_be_read_again(celeba, monkeypatch):
    load_celeba(celeba)
    say_all(celeba / ATTR, "1")
    monkeypatch.setattr(celeba_images.Photographs, "read", lambda *given: 1 / 0)
    assert load_celeba(celeba).attributes["Bald"].all()


def test_pixels_are_read_once_and_again_when_the_source_changes(celeba, monkeypatch):
    read = []
    real = celeba_images.Photographs.read
    monkeypatch.setattr(
        celeba_images.Photographs, "read", lambda s, n, h: read.append(n) or real(s, n, h)
    )
    reported = []
    load_celeba(celeba, progress=lambda done, total: reported.append((done, total)))
    assert len(read) == N
    assert [reported[0], reported[-1]] == [(0, N), (N, N)]
    load_celeba(celeba)
    assert len(read) == N
    (celeba / "Img" / "img_align_celeba" / "000001.jpg").unlink()  # changes the folder's time
    with pytest.warns(UserWarning, match=r"000001.jpg \(missing"):
        load_celeba(celeba)
    assert len(read) == 2 * N


def test_interrupted_reading_resumes(tmp_path):
    n, shape = 3 * CHUNK, (2, 2, 3)
    first, again = [], []

    def dies(i):
        if i >= 2 * CHUNK:
            raise KeyboardInterrupt
        first.append(i)
        return "odd" if i == 7 else np.full(shape, i % 251, dtype=np.uint8)

    def lives(i):
        again.append(i)
        return np.full(shape, i % 251, dtype=np.uint8)

    with pytest.raises(KeyboardInterrupt):
        cached_pixels(tmp_path / "pixels", "a", n, shape, dies)
    assert not (tmp_path / "pixels").exists()
    images, problems = cached_pixels(tmp_path / "pixels", "a", n, shape, lives)
    assert sorted(again) == list(range(2 * CHUNK, n))
    assert problems == {7: "odd"}
    wanted = np.arange(n) % 251
    wanted[7] = 0
    np.testing.assert_array_equal(images[:, 0, 0, 0], wanted)
    cached_pixels(tmp_path / "pixels", "a", n, shape, dies)  # from the cache: reads nothing
    # Killed after reading, before the folder was renamed: nothing is read again.
    (tmp_path / "pixels").rename(tmp_path / "pixels.building")
    again_images, _ = cached_pixels(tmp_path / "pixels", "a", n, shape, dies)
    np.testing.assert_array_equal(again_images, images)
    cached_pixels(tmp_path / "pixels", "b", n, shape, lives)  # of another source
    assert len(again) == CHUNK + n


def test_a_truncated_line_of_a_killed_process_is_ignored(tmp_path):
    n, shape = 2 * CHUNK, (2, 2, 3)

    def dies(i):
        if i >= CHUNK:
            raise KeyboardInterrupt
        return np.ones(shape, dtype=np.uint8)

    with pytest.raises(KeyboardInterrupt):
        cached_pixels(tmp_path / "pixels", "a", n, shape, dies)
    (tmp_path / "pixels.building/problems.jsonl").write_text('[900, "half a sen')
    _, problems = cached_pixels(
        tmp_path / "pixels", "a", n, shape, lambda i: "odd" if i > n - 3 else np.ones(shape)
    )
    assert problems == {n - 2: "odd", n - 1: "odd"}


def test_space_for_all_pixels_is_allocated_at_the_start(tmp_path):
    """Otherwise a full disk would end the process without a message."""
    n, shape = 600, (20, 20, 3)
    held = []

    def read(i):
        held.append(os.stat(tmp_path / "pixels.building/images.npy").st_blocks * 512)
        return np.ones(shape, dtype=np.uint8)

    cached_pixels(tmp_path / "pixels", "a", n, shape, read)
    assert min(held) >= n * 1200


def test_one_process_reads_and_the_other_reports_its_progress(tmp_path):
    n, shape = 2 * CHUNK, (2, 2, 3)
    seen = threading.Event()
    reported, found = [], []

    def slow(i):
        if i == CHUNK:  # the first half is marked, and the other process has reported it
            assert seen.wait(30)
        return np.full(shape, i % 251, dtype=np.uint8)

    def tell(done, total):
        reported.append((done, total))
        if done == CHUNK:
            seen.set()

    first = threading.Thread(target=cached_pixels, args=(tmp_path / "p", "a", n, shape, slow))
    first.start()
    while not (tmp_path / "p.building/stamp.txt").exists():
        time.sleep(0.01)
    found.append(cached_pixels(tmp_path / "p", "a", n, shape, lambda i: 1 / 0, tell)[0])
    first.join()
    assert (CHUNK, n) in reported
    np.testing.assert_array_equal(found[0][:, 0, 0, 0], np.arange(n) % 251)
