"""Parquet files that decode to far more than their size: a sentence, or little memory."""

import io
import json
import os
import random
from contextlib import suppress

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from clmle import InputError, load_dataset
from clmle.data.features import load_features
from clmle.data.features.files import read_features
from clmle.data.parquet import load_parquet
from clmle.data.parquet_size import ROOM
from tests.robustness.hostile import error_of


def repeated(value, n, kind):
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), pa.array([value], kind))


def write(path, **columns):
    pq.write_table(pa.table(columns), path, store_schema=False,
                   dictionary_pagesize_limit=2**24, compression="zstd")  # fmt: skip
    assert os.path.getsize(path) < 2e6
    return path


def image(noise=0):
    buffer = io.BytesIO()
    Image.new("RGB", (9, 9), (noise, 9, 9)).save(buffer, "BMP")
    return buffer.getvalue() + bytes(noise * 1000)


def labels(n):
    return pa.array([str(i % 2) for i in range(n)])


@pytest.mark.parametrize("nested", [False, True])
def test_an_image_that_is_repeated_is_refused_before_all_are_unpacked(nested, tmp_path):
    large = image() + os.urandom(1_200_000)  # 0.7 GB in 600 rows
    images = repeated(large, 600, pa.binary())
    if nested:
        images = pa.StructArray.from_arrays([images.cast(pa.binary())], ["bytes"])
    path = write(tmp_path / "a.parquet", image=images, label=labels(600))
    del images
    before = pa.total_allocated_bytes()
    assert "far too much for a file" in error_of(load_dataset, str(path), image_size=8)
    assert pa.total_allocated_bytes() - before < ROOM / 4


@pytest.mark.parametrize("columns", [
    {"image": pa.array([image(i % 9) for i in range(2000)]),
     "text": repeated("x" * 1_000_000, 2000, pa.string()), "label": labels(2000)},
    {"image": repeated(image(), 9_000_000, pa.binary()), "label": repeated("x", 9_000_000,
                                                                         pa.string())},
    {"f0": pa.array(np.zeros(40_000_000, np.float32)), "f1": pa.array(np.ones(40_000_000, "f4"))},
    {"features": pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(40_000_000, np.float32)), 8),
     "label": repeated("x", 5_000_000, pa.string())},
])  # fmt: skip
def test_repeated_values_are_refused_before_they_are_unpacked(columns, tmp_path):
    path = write(tmp_path / "a.parquet", **columns)
    del columns
    before = pa.default_memory_pool().max_memory() or 0
    assert "far too much for a file" in error_of(load_dataset, str(path))
    assert (pa.default_memory_pool().max_memory() or 0) - before < ROOM
    if "image" not in pq.read_schema(path).names:
        assert "far too much for a file" in error_of(read_features, path)


def test_repeated_labels_next_to_features_are_refused_before_they_are_unpacked(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((2000, 4)))
    write(tmp_path / "a.parquet", label=repeated("x" * 1_000_000, 2000, pa.string()))
    for labels_of in (None, tmp_path / "a.parquet"):
        message = error_of(read_features, tmp_path / "a.npy", labels_of)
        assert "far too much for a file" in message


@pytest.mark.parametrize("kind", ["image", "features"])
def test_a_false_number_of_rows_is_a_sentence(kind, tmp_path):
    columns = {
        "image": pa.array([image(i) for i in range(12)]),
        "features": pa.array([[float(i), 2.0, 3.0] for i in range(12)]),
    }
    path = write(tmp_path / "a.parquet", **{kind: columns[kind]}, label=labels(12))
    whole = path.read_bytes()
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    places = {}
    for at in range(footer, len(whole) - 8):
        path.write_bytes(whole[:at] + b"\x6a" + whole[at + 1 :])  # 53 in Thrift's compact form
        with suppress(OSError, pa.ArrowException):
            meta = pq.read_metadata(path)
            places |= {"file": at} if meta.num_rows == 53 else {}
            places |= {"group": at} if meta.row_group(0).num_rows == 53 else {}
    load = load_parquet if kind == "image" else load_features
    for rows, false in (
        (3, ["file"]), (3, ["group"]), (53, ["file"]), (53, ["group"]), (53, ["file", "group"]),
    ):  # fmt: skip
        damaged = bytearray(whole)
        for place in false:
            damaged[places[place]] = 2 * rows
        path.write_bytes(damaged)
        assert "rows" in error_of(load, path)


def test_an_empty_row_group_is_passed_over(tmp_path):
    path = tmp_path / "a.parquet"
    table = pa.table({"image": pa.array([image(i) for i in range(12)]), "label": labels(12)})
    with pq.ParquetWriter(path, table.schema) as writer:
        for part in (table[:5], table[:0], table[5:]):
            writer.write_table(part)
    assert pq.read_metadata(path).row_group(1).num_rows == 0
    data = load_parquet(path, image_size=9)
    assert [int(pixels[0, 0, 0]) for pixels in data.images] == list(range(12))


@pytest.mark.parametrize("kind", ["image", "features"])
def test_damaged_bytes_are_a_sentence(kind, tmp_path):
    draw, path = random.Random(kind), tmp_path / "a.parquet"
    columns = {
        "image": pa.array([{"bytes": image(i), "path": None} for i in range(12)]),
        "features": pa.array([[float(i), 2.0, 3.0] for i in range(12)]),
    }
    whole = write(path, **{kind: columns[kind]}, label=labels(12)).read_bytes()
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(draw.choice((1, 2, 5))):
            damaged[draw.randrange(len(damaged))] = draw.randrange(256)
        path.write_bytes(damaged)
        with suppress(InputError):
            load_parquet(path, image_size=8) if kind == "image" else load_features(path)


def described(path, described_as, **columns):
    """A file with images, and Hugging Face's description of its columns."""
    table = pa.table({"image": [image(i % 9) for i in range(60)], **columns})
    pq.write_table(table.replace_schema_metadata({"huggingface": described_as}), path)
    return str(path)


def of_columns(**features):
    return json.dumps({"info": {"features": features}})


@pytest.mark.parametrize("text", ['{"a":' * 10**5, "[" * 10**5, "9" * 10**4, "\0", "[]", ""])
def test_a_deep_description_of_the_columns_is_passed_over(text, tmp_path):
    path = described(tmp_path / "a.parquet", text, label=labels(60))
    assert load_dataset(path, image_size=8).class_names["label"] == ("0", "1")


def test_numbers_that_are_described_as_images_are_read_as_numbers(tmp_path):
    of = of_columns(label={"_type": "Image"}, image={"_type": ["Image"]})
    path = described(tmp_path / "a.parquet", of, label=pa.array([3, 4, 5] * 20))
    assert load_dataset(path, image_size=8).class_names["label"] == ("3", "4", "5")


@pytest.mark.parametrize("kind", ["uint8", "uint32", "uint64", "int8"])
def test_missing_class_numbers_of_any_type_are_unknown(kind, tmp_path):
    of = of_columns(label={"_type": "ClassLabel", "names": ["a", "b"]})
    path = described(tmp_path / "a.parquet", of, label=pa.array([0, 1, None] * 20, kind))
    found = load_dataset(path, image_size=8).labels["label"]
    assert found.tolist() == [0, 1, -1] * 20


@pytest.mark.parametrize(("names", "label", "said"), [
    (["a", "a"], [0, 1], "two classes named 'a'"), ([], [0, 1], "names for 0"),
    (["a", "b"], [0, 2**64 - 1], "2^63 or more"), (["a", "b"], [0, 2**40], "class numbers from 0"),
])  # fmt: skip
def test_class_names_that_do_not_fit_are_a_sentence(names, label, said, tmp_path):
    of = of_columns(label={"_type": "ClassLabel", "names": names})
    path = described(tmp_path / "a.parquet", of, label=pa.array(label * 30, "uint64"))
    assert said in error_of(load_dataset, path, image_size=8)
