"""Files that take far more memory or time than their size: one sentence instead."""

import io
import mmap
import os
import time
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from clmle import InputError
from clmle.data import pixels
from clmle.data.celeba.annotations import read_attributes
from clmle.data.folder.table import read_table
from clmle.data.recognition.plain_pickle import RefusedError, read_plain_pickle
from clmle.data.recognition.recordio import open_records, read_record
from tests.robustness.hostile import error_of
from tests.robustness.test_hostile_folders import part


def saved(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def nested(leaf, depth, wrap):
    """A pickle of a container that holds the one below twice, and so on."""
    return leaf + b"q\x000" + b"".join(b"h%ch%c%cq%c0" % (i, i, wrap, i + 1) for i in range(depth))


@pytest.mark.parametrize("use", [
    b"cnumpy\ndtype\n(h\x28tR.",  # its name is printed
    b"h\x28h\x28\x93.",  # the name of a function
    b"h\x28(tR.",  # called
    b"cnumpy.core.numeric\n_frombuffer\n(C\x01acnumpy\ndtype\n(X\x02\0\0\0u1tRh\x28tR.",  # a shape
])  # fmt: skip
@pytest.mark.parametrize("leaf", [b"]", b")", b"K\x02", b"X\x01\0\0\0a"])
def test_nested_containers_in_a_pickle_take_no_time(leaf, use):
    data = b"\x80\x02" + nested(leaf, 40, ord("\x86")) + use
    began = time.process_time()
    tracemalloc.start()
    with pytest.raises(RefusedError) as caught:
        read_plain_pickle(data)
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()
    assert time.process_time() - began < 5
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("shape", [b"(F1\nt", b"(G?\xf0\0\0\0\0\0\0t", b"(X\1\0\0\0at",
                                   b"(J\xff\xff\xff\xfft", b"(\x88t", b"(]t"])  # fmt: skip
def test_shapes_of_arrays_are_whole_numbers(shape):
    head = b"\x80\x02cnumpy.core.numeric\n_frombuffer\n(C\x01acnumpy\ndtype\n(X\x02\0\0\0u1tR"
    with pytest.raises(RefusedError):
        read_plain_pickle(head + shape + b"tR.")


def test_a_jpeg_of_many_scans_is_refused():
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    usual = saved(image, "JPEG", progressive=True)
    assert isinstance(pixels.read_pixels(io.BytesIO(usual)), np.ndarray)
    scan = usual[usual.index(b"\xff\xda") : -2]
    hostile = usual[:-2] + scan * 100 + usual[-2:]
    assert "scans" in pixels.read_pixels(io.BytesIO(hostile))


@pytest.mark.parametrize(("mode", "kind", "options"), [
    ("F", "TIFF", {"compression": "tiff_lzw"}),
    ("I;16", "TIFF", {"compression": "tiff_adobe_deflate"}),
    ("RGBA", "WEBP", {"lossless": True}), ("L", "PNG", {}), ("P", "GIF", {}),
])  # fmt: skip
def test_images_far_larger_than_their_file_are_refused(mode, kind, options, monkeypatch):
    monkeypatch.setattr(pixels, "ROOM", 2**20)
    data = saved(Image.new(mode, (900, 900)), kind, **options)
    assert "for a file of its size" in pixels.read_pixels(io.BytesIO(data), (40, 40))
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    small = saved(Image.fromarray(noise), "PNG")
    assert pixels.read_pixels(io.BytesIO(small), (40, 40)).shape == (40, 40, 3)


def test_a_large_photograph_is_decoded_at_a_smaller_size(monkeypatch):
    monkeypatch.setattr(pixels, "ROOM", 2**24)
    data = saved(Image.new("RGB", (3000, 2400), (10, 200, 30)), "JPEG")
    found = pixels.read_pixels(io.BytesIO(data), (40, 40))
    assert found.shape == (40, 40, 3)
    assert abs(found.mean(axis=(0, 1)) - (10, 200, 30)).max() < 4


def test_long_lines_of_labels_are_refused(tmp_path):
    file = tmp_path / "labels.csv"
    file.write_text(",".join(f"c{i}" for i in range(300_000)) + "\n")
    assert "300,000 columns" in error_of(read_table, file)
    file = tmp_path / "list_attr_celeba.txt"
    file.write_text("1\nA\n" + "0.jpg" + " 1" * 3_000_000 + "\n")
    assert "line 3 is too long" in error_of(read_attributes, file)


@pytest.mark.parametrize("size", [0, 99, 3 * mmap.PAGESIZE + 20, 5 * mmap.PAGESIZE])
def test_records_that_become_shorter_are_a_sentence(size, tmp_path):
    file = tmp_path / "train.rec"
    file.write_bytes(part(bytes(3 * mmap.PAGESIZE)) * 2)
    records = open_records(file)
    start = int(records.starts[1])
    assert len(read_record(records.buffer, start)) == 3 * mmap.PAGESIZE
    os.truncate(file, size)
    with pytest.raises(InputError, match="become shorter"):
        read_record(records.buffer, start)
