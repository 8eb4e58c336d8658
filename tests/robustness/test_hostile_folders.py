"""Malicious image folders and label files: one-sentence errors, no file outside is read."""

import io
import pickle
import struct

import numpy as np
import pytest
from PIL import Image

from clmle.data import load_folder, pixels
from clmle.data.base import Dataset
from clmle.data.folder.assign import draw_split
from clmle.data.folder.labeled import rows_of_table
from clmle.data.folder.scan import scan
from clmle.data.folder.targets import Targets
from clmle.data.recognition.identities import load_identities
from clmle.data.recognition.insightface import load_recordio
from clmle.data.recognition.verification_bin import load_bin
from clmle.data.registry import find_dataset
from clmle.errors import some
from tests.robustness.hostile import claimed_png, error_of, folders, picture


def labeled(home, text, encoding="utf-8"):
    folders(home)
    (home / "labels.csv").write_bytes(text.encode(encoding))
    return home


ROWS = "".join(f"cats/{i}.png,{i % 2}\n" for i in range(5))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("outside", ["../secret.png", "{home}/secret.png", "cats/../../secret.png"])
def test_labels_cannot_name_a_file_outside_their_folder(outside, tmp_path):
    (tmp_path / "secret.png").write_bytes(picture())
    name = outside.format(home=tmp_path)
    home = labeled(tmp_path / "photos", f"file,label\n{ROWS}{name},1\n")
    assert len(load_folder(home, labels="labels.csv")) == 5
    (home / "labels.csv").write_text(f"file,label\n{name},1\n")
    assert "names is in" in error_of(load_folder, home, labels="labels.csv")
    (home / "labels.csv").write_text(
        f"file,label\n{home}/dogs/1.png,1\n{ROWS}"
    )  # a path inside is allowed
    assert len(load_folder(home, labels="labels.csv")) == 6


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("file,label\ncats/0.png\0,1\n", "utf-8"),
        ("file,label\n" + ROWS + "\0" * 9, "utf-8"),
        ("file,label\ncats/0.png,\x81\n", "latin-1"),
        ("file,label\n" + "x" * 100_000 + ",1\n", "utf-8"),
        ('file,label\n"' + ROWS * 3000, "utf-8"),
        ("file,label,split\ncats/0.png,1," + "=" * 100_000 + "\n", "utf-8"),
    ],
)
def test_invalid_label_files_are_one_sentence_errors(text, encoding, tmp_path):
    error_of(load_folder, labeled(tmp_path / "p", text, encoding), labels="labels.csv")


def test_a_long_text_in_one_row_does_not_widen_all_rows(tmp_path):
    n = 4000  # as numpy stores texts, 1.6 GB
    lines = "".join(f"many/{i}.png,{i % 2},{'g' * (100_000 if i == 0 else 1)}{i}\n"
                    for i in range(n))  # fmt: skip
    home = labeled(tmp_path / "p", "file,label,identity\n" + lines)
    (home / "many").mkdir()
    for i in range(n):
        (home / "many" / f"{i}.png").touch()
    rows = rows_of_table(home, scan(home), home / "labels.csv")
    labels = Targets(rows.targets).labels["label"]
    split = draw_split(labels, list(rows.groups.values()), np.arange(n), 0)
    assert len(split) == n
    assert set(split.tolist()) == {0, 1, 2}


def test_the_message_about_many_columns_is_short():
    names = dict.fromkeys((f"c{i}" for i in range(100_000)), np.zeros(1, dtype=np.int8))
    dataset = Dataset("wide", np.zeros((1, 8, 8, 3)), np.zeros(1), names)
    assert "and 99,950 more" in error_of(dataset.task, "none")
    assert some(["a", "b"]) == "a, b"
    assert some("abc", most=2) == "a, b and 1 more"


@pytest.mark.parametrize(
    "first", [claimed_png(10**6, 10**6), claimed_png(10, 0), claimed_png(0, 10), b"%!PS-Adobe-3.0"]
)
def test_the_image_size_comes_from_the_first_readable_image(first, tmp_path):
    assert pixels.shape_of(io.BytesIO(first)) is None
    people = folders(tmp_path / "people")
    (people / "cats" / "0.png").write_bytes(first)
    with pytest.warns(UserWarning, match=r"cats/0\.png"):
        assert load_identities(people, image_size=24).images.shape[1:] == (24, 24, 3)
    record = tmp_path / "record"
    record.mkdir()
    faces = [first, *(picture(i) for i in range(6))]
    parts = [struct.pack("<IfQQ", 0, i % 2, i, 0) + face for i, face in enumerate(faces)]
    (record / "train.rec").write_bytes(b"".join(map(part, parts)))
    with pytest.warns(UserWarning, match="record 0"):
        assert load_recordio(record, image_size=24).images.shape[1:] == (24, 24, 3)
    file = tmp_path / "x.bin"
    file.write_bytes(pickle.dumps(([first, *faces[:3]], [True, False]), 2))
    with pytest.warns(UserWarning, match="image 0 is damaged"):
        assert load_bin(file, image_size=24).images.shape[1:] == (24, 24, 3)


def part(data):
    return struct.pack("<II", 0xCED7230A, len(data)) + data + bytes(-len(data) % 4)


def test_links_in_a_ring_are_left_out(tmp_path):
    home = folders(tmp_path / "photos")
    (home / "round").symlink_to(home / "round")
    (home / "cats" / "x.png").symlink_to(home / "cats" / "x.png")
    with pytest.warns(UserWarning, match="symbolic links"):
        assert len(load_folder(home)) == 10
    assert find_dataset(str(home)).name == "image folder"


@pytest.mark.parametrize("label", [3e38, 2.0**63, 2.0**31, float("inf"), -1.0])
def test_a_record_with_an_impossible_label_is_left_out(label, tmp_path):
    parts = [struct.pack("<IfQQ", 0, i % 2, i, 0) + picture(i) for i in range(6)]
    parts.append(struct.pack("<IfQQ", 0, label, 7, 0) + picture(9))
    (tmp_path / "train.rec").write_bytes(b"".join(map(part, parts)))
    with pytest.warns(UserWarning, match="not a whole number from 0"):
        assert len(load_recordio(tmp_path, image_size=24)) == 6


def test_nan_in_a_gray_image_becomes_black():
    values = np.full((4, 4), np.nan, dtype=np.float32)
    values[0] = 200
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "TIFF")
    with np.errstate(all="raise"):
        found = pixels.read_pixels(buffer)
    assert found[0].tolist() == [[200] * 3] * 4
    assert (found[1:] == 0).all()
