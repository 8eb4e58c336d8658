"""Malicious archives of arrays: a one-sentence error in little time and memory."""

import os
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from clmle.data import load_dataset, load_folder, pixels
from clmle.data.features.files import read_features, read_rows
from clmle.files import read_arrays, read_json
from clmle.run_folder import RunFolder
from tests.robustness.hostile import error_of, folders, npy, zipped


def archive(kind, path):
    deep = b"(" * 5000 + b")" * 5000 + b"\n"
    members = {
        "far too large": npy((10**6, 10**6)),
        "negative": npy((-1, 5)),
        "beyond 64 bits": npy((2**62, 8)),
        "pickled": npy((1,), "|O", pickle.dumps([1])),
        "no array": b"text",
        "a deep head": b"\x93NUMPY\x01\x00" + struct.pack("<H", len(deep)) + deep,
        "cut off": npy((50, 50)),
    }
    raw = bytearray(zipped(path, {"features.npy": members.get(kind, npy((1,)))}))
    local, central = raw.index(b"PK\3\4"), raw.index(b"PK\1\2")
    if kind == "encrypted":
        raw[local + 6] |= 1
        raw[central + 8] |= 1
    if kind == "packed by an unknown method":
        raw[local + 8] = raw[central + 10] = 99
    if kind == "one array":
        raw = bytearray(npy((1,)))
    path.write_bytes(raw)
    if kind == "no array":
        zipped(path, {"features": b"text"})


@pytest.mark.parametrize(
    "kind",
    ["far too large", "negative", "beyond 64 bits", "pickled", "no array", "a deep head",
     "cut off", "encrypted", "packed by an unknown method", "one array"],
)  # fmt: skip
def test_an_archive_with_wrong_headers_is_a_one_sentence_error(kind, tmp_path):
    path = tmp_path / "a.npz"
    archive(kind, path)
    assert "is damaged" in error_of(read_arrays, path)
    error_of(read_features, path)


def test_a_decompression_bomb_is_an_error(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, features=np.zeros(10**6))
    monkeypatch.setattr("clmle.files.UNPACKED", 10**6)
    assert "would unpack to 8,0" in error_of(read_arrays, path)
    error_of(read_features, path)
    rng = np.random.default_rng(0)
    np.savez_compressed(path, features=rng.normal(size=10**6))  # honest archives may be large
    assert len(read_arrays(path)["features"]) == 10**6


@pytest.mark.parametrize("which", ["images", "labels", "other"])
def test_images_that_unpack_to_far_more_than_their_file_are_refused(which, tmp_path):
    arrays = {"images": np.zeros((60, 8, 8), np.uint8), "labels": np.arange(60) % 3}
    large = {
        "images": ((40_000, 100, 100), "|u1"), "labels": ((60,), "<U1200000"),
        "other": ((300_000_000,), "|u1"),
    }[which]  # fmt: skip
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            if name != which:
                with archive.open(f"{name}.npy", "w") as member:
                    np.lib.format.write_array(member, array)
        shape, kind = large
        left = int(np.prod(shape)) * np.dtype(kind).itemsize
        with archive.open(f"{which}.npy", "w", force_zip64=True) as member:
            head = {"descr": kind, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(member, head)
            while left > 0:
                member.write(bytes(min(left, 2**24)))
                left -= 2**24
    tracemalloc.start()
    try:
        assert "would unpack to" in error_of(load_dataset, str(tmp_path / "a.npz"))
        assert tracemalloc.get_traced_memory()[1] < 50_000_000
    finally:
        tracemalloc.stop()


ROWS = 60
ODD_LABELS = {
    "no UTF-8": np.array([b"\xff\xfe", b"a"] * 30),
    "records": np.zeros(ROWS, [("a", "i4"), ("b", "f4")]),
    "raw bytes": np.zeros(ROWS, "V4"),
    "complex": np.arange(ROWS) % 3 + 1j,
    "raw bytes of several": np.zeros((ROWS, 3), "V2"),
    "complex of several": np.ones((ROWS, 3), complex),
    "words of several": np.array([["a", "b"]] * ROWS),
}


@pytest.mark.parametrize("kind", ODD_LABELS)
def test_labels_of_odd_kinds_are_a_sentence(kind, tmp_path):
    labels, images = ODD_LABELS[kind], np.ones((ROWS, 8, 8), np.uint8)
    features = np.random.default_rng(0).normal(size=(ROWS, 4)).astype(np.float32)
    np.savez(tmp_path / "a.npz", images=images, labels=labels)
    error_of(load_dataset, str(tmp_path / "a.npz"))
    np.savez(tmp_path / "b.npz", images=images, labels=np.arange(ROWS) % 2, more=labels)
    error_of(load_dataset, str(tmp_path / "b.npz"))
    np.save(tmp_path / "c.npy", features)
    np.save(tmp_path / "d.npy", labels)
    error_of(load_dataset, str(tmp_path / "c.npy"), labels=str(tmp_path / "d.npy"))
    np.savez(tmp_path / "e.npz", features=features, labels=labels)
    error_of(load_dataset, str(tmp_path / "e.npz"))


def test_labels_in_an_archive_that_is_named_as_an_array_are_a_sentence(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((4, 2), np.float32))
    for array in (np.arange(4), np.array(3)):
        with open(tmp_path / "b.npy", "wb") as file:
            np.savez(file, label=array) if array.ndim else np.save(file, array)
        error_of(load_dataset, str(tmp_path / "a.npy"), labels=str(tmp_path / "b.npy"))


@pytest.mark.parametrize("values", [["9" * 30], ["9" * 5000], ["1", "7"]])
def test_class_numbers_beyond_the_names_are_a_sentence(values, tmp_path):
    labels = np.array((values * ROWS)[:ROWS])
    images = np.ones((ROWS, 8, 8), np.uint8)
    np.savez(tmp_path / "a.npz", images=images, labels=labels, class_names=np.array(["a", "b"]))
    assert "2 class names" in error_of(load_dataset, str(tmp_path / "a.npz"))


def test_infinite_and_whole_labels_are_read_as_they_stand(tmp_path):
    labels = np.array([np.inf, 1.0, 2.0, np.nan, -1.0] * 12)
    np.savez(tmp_path / "a.npz", images=np.ones((ROWS, 8, 8), np.uint8), labels=labels)
    dataset = load_dataset(str(tmp_path / "a.npz"))
    assert dataset.class_names["label"] == ("1", "2", "inf")
    assert (dataset.labels["label"] < 0).sum() == 24


def test_features_in_a_single_array_are_not_an_archive(tmp_path):
    np.savez(tmp_path / "a.npz", features=np.zeros((3, 2)))
    os.rename(tmp_path / "a.npz", tmp_path / "a.npy")
    assert "a.npy cannot be read (" in error_of(read_features, tmp_path / "a.npy")


@pytest.mark.parametrize("features", [np.array(1.0), np.zeros(3), np.zeros((3, 2, 2))])
def test_features_of_wrong_shapes_are_errors(features, tmp_path):
    np.save(tmp_path / "a.npy", features)
    (tmp_path / "a.csv").write_text("label\na\nb\nc\n")
    assert f"(rows, dimensions), not {features.shape}" in error_of(
        read_features, tmp_path / "a.npy"
    )
    np.savez(tmp_path / "a.npz", features=features, label=np.arange(3))
    assert "no array of features (n, d)" in error_of(read_features, tmp_path / "a.npz")


@pytest.mark.parametrize("labels", [np.array(1), np.zeros((3, 2)), np.zeros((2, 3))])
def test_labels_of_wrong_shapes_are_errors(labels, tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((6, 2)))
    np.save(tmp_path / "l.npy", labels)
    assert f"one label for each row, not {labels.shape}" in error_of(
        read_rows, tmp_path / "a.npy", tmp_path / "l.npy"
    )


def test_very_wide_tables_are_errors(tmp_path):
    names = ",".join(f"f{i}" for i in range(10**6))
    (tmp_path / "a.csv").write_text(f"{names}\n" + ",".join(["1"] * 10**6) + "\n")
    assert "more than 65,536 columns" in error_of(read_features, tmp_path / "a.csv")


def test_a_table_of_very_short_rows_is_an_error(tmp_path):
    """A file of 0.5 MB would become 10 GB."""
    names = ",".join(f"f{i}" for i in range(20_000))
    full = ",".join(["0.5"] * 20_000)
    (tmp_path / "a.csv").write_text(f"{names}\n{full}\n" + 130_000 * "1\n")
    assert "lack most of its 20,000 columns" in error_of(read_features, tmp_path / "a.csv")


def test_one_very_long_label_does_not_widen_the_others(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((2000, 2)))
    (tmp_path / "l.txt").write_text("a\n" + 10**6 * "x" + "\n" + 1998 * "b\n")
    tracemalloc.start()
    try:
        found = read_rows(tmp_path / "a.npy", tmp_path / "l.txt")
        assert tracemalloc.get_traced_memory()[1] < 2e7, "4 MB for every label would be 8 GB"
    finally:
        tracemalloc.stop()
    assert [len(text) for text in found.columns["label"][:3]] == [1, 10**6, 1]


def test_a_named_pipe_does_not_block(tmp_path):
    home = folders(tmp_path / "photos")
    for name in ("a.json", "a.npz", "labels.csv", "labels.txt", "photos/cats/x.png"):
        os.mkfifo(tmp_path / name)
    np.save(tmp_path / "a.npy", np.ones((3, 2)))
    error_of(read_rows, tmp_path / "a.npy", tmp_path / "labels.txt")
    error_of(read_json, tmp_path / "a.json")
    error_of(read_arrays, tmp_path / "a.npz")
    error_of(load_folder, home, labels=tmp_path / "labels.csv")
    assert "no file" in str(pixels.read_pixels(home / "cats" / "x.png"))
    assert pixels.shape_of(home / "cats" / "x.png") is None
    with pytest.warns(UserWarning, match=r"no file \(cats/x\.png\)"):
        assert len(load_folder(home)) == 10


def test_files_with_other_names_are_not_rounds(tmp_path):
    (tmp_path / "embeddings").mkdir()
    for name in ("round_x", "round_03", "round_", "round_01_2", "round_-1"):
        (tmp_path / "embeddings" / f"{name}.npz").touch()
    assert RunFolder(tmp_path).embedding_rounds() == [3]


@pytest.mark.parametrize(
    ("harm", "match"),
    [
        ({"features": np.zeros(5, dtype=np.float32)}, "no features"),
        ({"features": np.zeros((5, 2), dtype=int)}, "no features"),
        ({"rows": np.zeros(4, dtype=int)}, "rows is no whole number for each"),
        ({"labels": np.zeros((5, 1), dtype=int)}, "labels is no"),
        ({"split": np.full(5, "x")}, "split is no"),
        ({"clusters": np.zeros(5)}, "clusters is no"),
    ],
)
def test_a_round_with_invalid_arrays_is_damaged(harm, match, tmp_path):
    whole = {name: np.zeros(5, dtype=int) for name in ("rows", "labels", "clusters", "split")}
    whole["features"] = np.zeros((5, 2), dtype=np.float32)
    run = RunFolder(tmp_path)
    run.write_embedding(1, **whole)
    assert run.embedding(1).keys() == whole.keys()
    run.write_embedding(1, **whole | harm)
    assert match in error_of(run.embedding, 1)
    run.write_embedding(1, features=whole["features"])
    assert "rows is no whole number" in error_of(run.embedding, 1)
