"""RecordIO files, valid and damaged, from a writer based on the format description."""

import struct

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clmle import InputError
from clmle.data.base import TEST, TRAIN, VALIDATION
from clmle.data.recognition.insightface import is_recordio, load_recordio
from clmle.data.recognition.recordio import (
    DamagedRecordError,
    open_records,
    read_record,
    unpack,
)

from .writers import MAGIC, insightface, jpeg, packed, record, write_records

piece = st.one_of(st.binary(max_size=9), st.just(MAGIC))
payload = st.lists(piece, max_size=6).map(b"".join)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(payload, min_size=1, max_size=5))
def test_any_data_are_read_back_with_and_without_the_index(tmp_path, datas):
    keyed = dict(enumerate(datas))
    starts = write_records(tmp_path, keyed)
    for index in (tmp_path / "train.idx", None):
        records = open_records(tmp_path / "train.rec", index)
        assert records.problems == ()
        assert records.starts.tolist() == list(starts.values())
        assert [read_record(records.buffer, s) for s in records.starts.tolist()] == datas


def test_data_with_the_magic_number_are_split_and_joined():
    data = MAGIC + b"abcd" + MAGIC + MAGIC + b"xy" + MAGIC + b"unaligned"
    assert record(data).count(MAGIC) > 4
    assert struct.unpack_from("<I", record(data), 4)[0] >> 29 == 1


def test_labels_are_one_number_or_a_vector():
    assert unpack(packed(3.0, b"img"))[0].tolist() == [3.0]
    labels, image = unpack(packed([5, 6.5], b"img"))
    assert labels.tolist() == [5.0, 6.5]
    assert image == b"img"
    with pytest.raises(DamagedRecordError, match="4,294,967,295 labels"):
        unpack(struct.pack("<IfQQ", 2**32 - 1, 0, 0, 0) + b"short")
    with pytest.raises(DamagedRecordError, match="cut off"):
        unpack(b"short")


@pytest.fixture
def people():
    """Gray faces of 4 identities named 0, 1, 2, 9 with 12, 6, 2 and 1 images."""
    labels = np.repeat([0, 1, 2, 9], [12, 6, 2, 1]).tolist()
    return [jpeg(10 * i) for i in range(len(labels))], labels


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("vector", [True, False])
def test_a_training_set_is_read_as_written(tmp_path, people, index, vector):
    images, labels = people
    write_records(tmp_path / "faces", insightface(images, labels, vector), index=index)
    (tmp_path / "faces" / "property").write_text("4,16,16\n")
    assert is_recordio(tmp_path / "faces")
    data = load_recordio(tmp_path / "faces")
    assert data.images.shape == (21, 112, 112, 3)
    assert data.name == "faces"
    names = data.class_names["identity"]
    assert names == ("0", "1", "2", "9")
    assert [int(names[i]) for i in data.labels["identity"]] == labels
    assert data.metadata["record"].tolist() == list(range(1, 22))
    assert np.abs(data.images[:, 8, 8, 0].astype(int) - 10 * np.arange(21)).max() <= 2
    counts = {s: np.bincount(data.labels["identity"][data.split == s], minlength=4) for s in (0, 1)}
    assert counts[TRAIN].tolist() == [10, 4, 2, 1]  # small identities only train
    assert counts[VALIDATION].tolist() == [1, 1, 0, 0]
    assert (data.split == TEST).sum() == 2
    assert data.task("identity").class_counts().sum() == 17


def test_without_a_header_record_every_record_is_an_image(tmp_path, people):
    images, labels = people
    write_records(
        tmp_path,
        {
            i + 5: packed(float(c), j, i)
            for i, (j, c) in enumerate(zip(images, labels, strict=True))
        },
    )
    data = load_recordio(tmp_path, image_size=(24, 20))
    assert data.images.shape == (21, 24, 20, 3)
    assert data.metadata["record"][0] == 5


def test_pixels_are_decoded_once(tmp_path, people, monkeypatch):
    images, labels = people
    write_records(tmp_path / "d", insightface(images, labels))
    first = load_recordio(tmp_path / "d", image_size=16)
    reported = []
    again = load_recordio(tmp_path / "d", image_size=16, progress=lambda *x: reported.append(x))
    assert reported == []
    np.testing.assert_array_equal(first.images, again.images)
    images[0] = jpeg(200)
    write_records(tmp_path / "d", insightface(images, labels))
    changed = load_recordio(tmp_path / "d", image_size=16)
    assert changed.images[0, 8, 8, 0] > 190


def test_damaged_records_are_counted_named_and_left_out(tmp_path, people):
    images, labels = people
    datas = insightface(images, labels)
    datas[3] = packed(0.0, b"these bytes are no image", 3)
    datas[5] = packed(float("nan"), images[4], 5)
    datas[7] = packed(0.0, images[6][: len(images[6]) // 2], 7)
    starts = write_records(tmp_path, datas)
    file = bytearray((tmp_path / "train.rec").read_bytes())
    file[starts[9] : starts[9] + 4] = b"oops"  # no magic number
    struct.pack_into("<I", file, starts[11] + 4, 2**29 - 1)  # a huge length
    (tmp_path / "train.rec").write_bytes(file)
    with open(tmp_path / "train.idx", "a") as index:
        index.write(f"99\t{10**12}\n")
    with pytest.warns(UserWarning, match="left out") as warned:
        data = load_recordio(tmp_path, image_size=16)
    text = " ".join(str(w.message) for w in warned)
    for sentence in (
        "record 5 has the label nan",
        "record 9: no record begins at byte",
        "record 11: the record at byte",
        "announces 536,870,911 bytes",
        "record 99 should begin at byte 1,000,000,000,000, past the end",
        "record 3 is damaged (not an image)",
        "record 7 is damaged",
    ):
        assert sentence in text
    lost = dict(zip(data.metadata["record"].tolist(), data.split.tolist(), strict=True))
    assert [k for k, s in lost.items() if s == -1] == [3, 7]
    assert set(range(1, 22)) - set(lost) == {5, 9, 11}
    assert data.task("identity").class_counts().sum() > 0


def test_reading_without_index_continues_after_damage(tmp_path, people):
    images, labels = people
    starts = write_records(tmp_path, insightface(images, labels), index=False)
    file = bytearray((tmp_path / "train.rec").read_bytes())
    file[starts[4] : starts[4] + 4] = b"oops"
    struct.pack_into("<I", file, starts[8] + 4, 3 * 2**29 + 10)  # a last part of nothing
    (tmp_path / "train.rec").write_bytes(file[: starts[22] + 9])  # the end is cut off
    records = open_records(tmp_path / "train.rec")
    whole = [s for k, s in starts.items() if k not in (4, 8) and k < 22]
    assert records.starts.tolist() == whole
    assert any(f"byte {starts[4]:,}" in p for p in records.problems)
    assert any(f"byte {starts[8]:,} is not whole" in p for p in records.problems)
    assert any("ends in the record" in p or "ends before" in p for p in records.problems)


def test_a_record_that_lacks_its_last_part_is_damaged(tmp_path):
    whole = record(b"abcd" + MAGIC + b"efgh")
    (tmp_path / "a.rec").write_bytes(whole[:12] + record(b"next"))
    records = open_records(tmp_path / "a.rec")
    assert records.starts.tolist() == [12]
    assert "byte 0 is not whole" in records.problems[0]
    with pytest.raises(DamagedRecordError, match="lacks its last part"):
        read_record(records.buffer, 0)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda d: (d / "train.rec").write_bytes(b""), "is empty"),
        (lambda d: (d / "train.rec").write_bytes(b"PK\x03\x04 something"), "not a RecordIO file"),
        (lambda d: (d / "train.idx").write_text("0\t0\n1\tmany\n"), "line 2 is"),
        (lambda d: (d / "train.idx").write_text(f"0\t{2**80}\n"), "line 1 is"),
        (lambda d: (d / "train.idx").write_text("\n"), "idx is empty"),
        (lambda d: (d / "train.idx").write_text("0\t0\n"), "has no record of an image"),
        (lambda d: (d / "property").write_text("many"), "three integers"),
        (lambda d: (d / "train.rec").unlink(), r"has no train\.rec"),
    ],
)
def test_files_of_another_format_are_one_sentence_errors(tmp_path, people, change, sentence):
    write_records(tmp_path, insightface(*people))
    change(tmp_path)
    with pytest.raises(InputError, match=sentence):
        load_recordio(tmp_path)


def test_fewer_identities_than_stated_cause_a_warning(tmp_path, people):
    write_records(tmp_path, insightface(*people))
    (tmp_path / "property").write_text("10575,16,16")
    with pytest.warns(UserWarning, match="should have 10,575 identities, but images of 4 were"):
        load_recordio(tmp_path, image_size=16)


def test_identities_of_one_image_each_cannot_be_held_out(tmp_path):
    write_records(tmp_path, insightface([jpeg(i) for i in range(6)], list(range(6))))
    with pytest.raises(InputError, match="three images"):
        load_recordio(tmp_path, image_size=16)
