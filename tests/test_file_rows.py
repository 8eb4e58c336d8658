"""Rows of a file: those of the array, and a sentence where the file has become shorter."""

import os
from pathlib import Path

import numpy as np
import pytest

from clmle import InputError
from clmle.__main__ import main
from clmle.data.pixel_cache import cached_pixels
from clmle.file_rows import open_rows
from clmle.training.trainer import Trainer

ARRAY = np.random.default_rng(0).normal(size=(1000, 7, 3)).astype(np.float32)
KEYS = [
    3, -1, np.int64(4), slice(None), slice(5, 9), slice(9, 2, -2), [1, 2, 3], [], slice(0, 0),
    np.array([5, 6, 7, 1]), np.array([[1, 2], [3, -4]]), ARRAY[:, 0, 0] > 0, (3, 2), ...,
    (3, slice(None), 1), (slice(2, 5), 1), None, True, (np.array([1, 2]), 0), np.array(7),
]  # fmt: skip


@pytest.fixture
def file(tmp_path):
    np.save(tmp_path / "a.npy", ARRAY)
    return tmp_path / "a.npy"


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_an_index_gives_the_same_as_that_of_an_array(key, file):
    found = open_rows(file)[key]
    np.testing.assert_array_equal(found, ARRAY[key])
    assert np.shape(found) == np.shape(ARRAY[key])


def test_the_whole_behaves_as_an_array(file):
    rows = open_rows(file)
    np.testing.assert_array_equal(np.array(list(rows)), ARRAY)
    assert rows.max() == ARRAY.max()
    np.testing.assert_array_equal((rows + 1)[5], ARRAY[5] + 1)
    np.testing.assert_array_equal(rows.reshape(1000, 21)[5], ARRAY[5].reshape(21))
    for key in (1000, -1001, [5000]):
        with pytest.raises(IndexError):
            rows[key]


@pytest.mark.parametrize("array", [np.asfortranarray(ARRAY[:, 0]), np.empty((0, 5)), np.array(3),
                                   ARRAY.astype(">f8"), np.arange(9)])  # fmt: skip
def test_other_arrays_are_read_as_well(array, tmp_path):
    np.save(tmp_path / "a.npy", array)
    np.testing.assert_array_equal(open_rows(tmp_path / "a.npy"), array)


def test_what_holds_no_array_is_an_error(tmp_path, file):
    np.save(tmp_path / "objects.npy", np.array([{}]), allow_pickle=True)
    (tmp_path / "cut.npy").write_bytes(file.read_bytes()[:-1])
    (tmp_path / "none.npy").write_bytes(b"")
    for name in ("objects", "cut", "none"):
        with pytest.raises((ValueError, EOFError)):
            open_rows(tmp_path / f"{name}.npy")


@pytest.mark.parametrize("key", [slice(None), 999, [5, 999], ARRAY[:, 0, 0] < 9])
@pytest.mark.parametrize("size", [0, 128, 40_000])
def test_a_file_that_becomes_shorter_is_a_sentence(key, size, file):
    rows = open_rows(file)
    with open(file, "rb+") as opened:
        opened.truncate(size)
    with pytest.raises(InputError, match=r"a\.npy has become shorter while it is read"):
        rows[key]


def test_a_pixel_cache_that_becomes_shorter_is_a_sentence(tmp_path):
    pixels, _ = cached_pixels(tmp_path / "c", "", 9, (8, 8, 3), lambda i: np.full((8, 8, 3), i))
    assert pixels[:, 0, 0, 0].tolist() == list(range(9))
    with open(tmp_path / "c" / "images.npy", "rb+") as file:
        file.truncate(500)
    assert pixels[0].max() == 0
    with pytest.raises(InputError, match="has become shorter"):
        pixels[8]


def test_training_on_a_table_that_becomes_shorter_ends_in_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("t.npy", np.random.default_rng(0).normal(size=(600, 4096)))
    Path("t.csv").write_text("label\n" + "".join(f"{i % 2}\n" for i in range(600)))
    refresh = Trainer.refresh

    def shorter(trainer):
        os.truncate("t.npy", 4096)
        return refresh(trainer)

    monkeypatch.setattr(Trainer, "refresh", shorter)
    options = ["--iterations", "6", "--rounds", "1", "--pretrain-iterations", "2"]
    assert main(["train", "t.npy", "--backbone", "linear", *options]) == 2
    assert "t.npy has become shorter while it is read" in capsys.readouterr().err
