"""Lists and feature files of YouTube Faces, MegaFace and IJB-C, valid and damaged."""

import json
import struct

import numpy as np
import pytest

from clmle import InputError
from clmle.data.recognition.ijb import read_templates
from clmle.data.recognition.megaface import (
    read_features,
    read_list,
    read_matrix,
    read_noisy,
    without_noisy,
    write_matrix,
)
from clmle.data.recognition.youtube import load_youtube_faces

from .writers import jpeg

# --- YouTube Faces -------------------------------------------------------------------------


@pytest.fixture
def ytf(tmp_path):
    """Three identities; frame f of video v has level 40 v + 2 f."""
    for v, name in enumerate(("Ann/0", "Ann/3", "Bob/1", "Cy/0")):
        folder = tmp_path / "frame_images_DB" / name
        folder.mkdir(parents=True)
        for f in range(12):
            (folder / f"0.{f}.jpg").write_bytes(jpeg(40 * v + 2 * f))
    write_splits(tmp_path, "1, Ann/0, Ann/3, 1", "1, Bob/1, Ann/0, 0", "2, Cy/0, Bob/1, 0, extra")
    return tmp_path


def write_splits(folder, *lines):
    head = "split number, first name, second name, is same"
    (folder / "splits.txt").write_text("\n".join([head, *lines]) + "\n")


def test_videos_pairs_and_frames_match_the_list(ytf):
    data = load_youtube_faces(ytf, image_size=16, frames=0)
    assert data.video_names == ("Ann/0", "Ann/3", "Bob/1", "Cy/0")
    assert data.pairs.first.tolist() == [0, 2, 3]
    assert data.pairs.second.tolist() == [1, 0, 2]
    assert data.pairs.same.tolist() == [True, False, False]
    assert data.pairs.fold.tolist() == [0, 0, 1]
    assert data.video.tolist() == [v for v in range(4) for _ in range(12)]
    # Frames are in temporal order, 10 after 9.
    level = data.images[:, 8, 8, 0].astype(int)
    np.testing.assert_allclose(level[:12], 2 * np.arange(12), atol=2)
    few = load_youtube_faces(ytf, image_size=16, frames=3)
    assert few.metadata["file"].tolist()[:3] == ["Ann/0/0.0.jpg", "Ann/0/0.6.jpg", "Ann/0/0.11.jpg"]


def test_a_damaged_frame_is_left_out_of_its_video(ytf):
    (ytf / "frame_images_DB/Bob/1/0.4.jpg").write_bytes(b"?")
    with pytest.warns(UserWarning, match=r"1 of 48 frames .* Bob/1/0\.4\.jpg"):
        data = load_youtube_faces(ytf, image_size=16)
    assert np.bincount(data.video[data.video >= 0]).tolist() == [12, 12, 11, 12]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("2, Cy/0, Zoe/1, 0", r"line 5 names Zoe/1, but .* has no frame"),
        ("2, Cy/0, Bob/1", "line 5 is '2, Cy/0, Bob/1', but must be"),
        ("2, Cy/0, Bob/1, same", "line 5 is"),
        ("2, Cy/0, ../../etc, 0", "line 5 has '../../etc'"),
        ("2, Cy/0, ../Bob, 0", r"line 5 has '\.\./Bob'"),
        ("x, Cy/0, Bob/1, 0", "line 5 is"),
    ],
)
def test_an_error_names_the_line_of_an_invalid_video_list(ytf, line, sentence):
    with open(ytf / "splits.txt", "a") as file:
        file.write(line + "\n")
    with pytest.raises(InputError, match=sentence):
        load_youtube_faces(ytf, image_size=16)


def test_lists_without_pairs_and_missing_lists_are_one_sentence_errors(ytf):
    write_splits(ytf)
    with pytest.raises(InputError, match="has no pair"):
        load_youtube_faces(ytf)
    (ytf / "splits.txt").unlink()
    with pytest.raises(InputError, match=r"no splits\.txt"):
        load_youtube_faces(ytf)


# --- MegaFace ------------------------------------------------------------------------------


def test_lists_and_noisy_images_match_the_files(tmp_path):
    table = {"path": ["A B/A B_1.jpg", "C/C_2.jpg", "x@N00/7_0.jpg"], "id": ["A B", "C", 5]}
    (tmp_path / "list.json").write_text(json.dumps(table))
    (tmp_path / "noises.txt").write_text("# remark\nA_B_1.png\n\n3\tx@N00/7_0.jpg\n")
    images = read_list(tmp_path / "list.json")
    assert images.identities == ("A B", "C", "5")
    left = without_noisy(images, read_noisy(tmp_path / "noises.txt"))
    assert left.paths == ("C/C_2.jpg",)
    assert left.identities == ("C",)
    (tmp_path / "list.json").write_text('{"path": ["a"]}')
    assert read_list(tmp_path / "list.json").identities == ("",)


@pytest.mark.parametrize(
    "text", ['{"id": []}', "[]", '{"path": []}', '{"path": [1]}', '{"path": ["a"], "id": []}', "{"]
)
def test_invalid_lists_are_one_sentence_errors(tmp_path, text):
    (tmp_path / "l.json").write_text(text)
    with pytest.raises(InputError, match=r"l\.json"):
        read_list(tmp_path / "l.json")


def test_feature_files_are_read_back(tmp_path):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(3, 64)).astype(np.float32)
    for i, name in enumerate(("a/1.jpg", "a/2.jpg", "b/1.jpg")):
        file = tmp_path / f"{name}_net.bin"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(struct.pack("<iiii", 64, 1, 4, 5) + features[i].tobytes())
    found = read_features(tmp_path, ["a/1.jpg", "a/2.jpg", "b/1.jpg"], "_net.bin")
    np.testing.assert_array_equal(found, features)
    write_matrix(tmp_path / "own.bin", features[0])
    assert (tmp_path / "own.bin").read_bytes() == (tmp_path / "a/1.jpg_net.bin").read_bytes()
    write_matrix(tmp_path / "all.bin", features)
    np.testing.assert_array_equal(read_matrix(tmp_path / "all.bin"), features)
    doubles = features[0].astype(np.float64)
    (tmp_path / "64.bin").write_bytes(struct.pack("<iiii", 64, 1, 8, 6) + doubles.tobytes())
    assert read_matrix(tmp_path / "64.bin").dtype == np.float64


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "shorter than its header"),
        (struct.pack("<iiii", 2**31 - 1, 1, 4, 5) + b"abcd", "should have 2,147,483,647 x 1"),
        (struct.pack("<iiii", -1, 1, 4, 5), "not a matrix of features"),
        (struct.pack("<iiii", 2, 1, 4, 0) + bytes(8), "type 0"),
        (struct.pack("<iiii", 2, 1, 99, 5) + bytes(8), "rows of 99 bytes"),
        (struct.pack("<iiii", 2, 1, 4, 5) + bytes(9), "should have 2 x 1"),
    ],
)
def test_invalid_feature_files_are_one_sentence_errors(tmp_path, data, sentence):
    (tmp_path / "f.bin").write_bytes(data)
    with pytest.raises(InputError, match=sentence):
        read_matrix(tmp_path / "f.bin")


def test_an_error_names_missing_and_truncated_features(tmp_path):
    write_matrix(tmp_path / "a.bin", np.ones(4))
    write_matrix(tmp_path / "b.bin", np.ones(5))
    with pytest.raises(InputError, match=r"b\.bin has 5 numbers, but those before it 4"):
        read_features(tmp_path, ["a", "b"])
    with pytest.raises(InputError, match=r"c\.bin cannot be used"):
        read_features(tmp_path, ["a", "c"])


# --- IJB -----------------------------------------------------------------------------------


@pytest.fixture
def ijb(tmp_path):
    meta = tmp_path / "IJBC" / "meta"
    meta.mkdir(parents=True)
    (meta / "ijbc_face_tid_mid.txt").write_text("1.jpg 10 7\n2.jpg 10 8\n3.jpg 4 9\n")
    points = " ".join(map(str, range(10)))
    lines = "".join(f"{i}.jpg {points} 0.9{i}\n" for i in (1, 2, 3))
    (meta / "ijbc_name_5pts_score.txt").write_text(lines)
    (meta / "ijbc_template_pair_label.txt").write_text("10 4 0\n4 10 0\n10 10 1")
    return tmp_path / "IJBC"


def test_templates_match_the_lists(ijb):
    found = read_templates(ijb)
    assert found.images == ("1.jpg", "2.jpg", "3.jpg")
    assert found.ids.tolist() == [4, 10]
    assert found.template.tolist() == [1, 1, 0]
    assert found.media.tolist() == [7, 8, 9]
    assert found.landmarks[0].tolist() == [[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]]
    np.testing.assert_allclose(found.score, [0.91, 0.92, 0.93])
    assert found.pairs.first.tolist() == [1, 0, 1]
    assert found.pairs.second.tolist() == [0, 1, 1]
    assert found.pairs.same.tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("face_tid_mid", "1.jpg 10\n", "line 1 is '1.jpg 10'"),
        ("face_tid_mid", "1.jpg 10 7\n9.jpg 10 8\n3.jpg 4 9\n", "disagree from line 2 on"),
        ("face_tid_mid", "1.jpg 10 7\n2.jpg 10 8\n", "disagree from line 3 on"),
        ("face_tid_mid", "1.jpg 1.5 7\n2.jpg 10 8\n3.jpg 4 9\n", "line 1 must be"),
        ("face_tid_mid", "", "is empty"),
        ("template_pair_label", "10 4 0\n10 5 1\n", "line 2 names template 5"),
        ("template_pair_label", "10 4 0\n10 4 2\n", "line 2 has 2"),
        ("template_pair_label", "10 4\n", "lines of three integers"),
        ("template_pair_label", "10 4 yes\n", "lines of three integers"),
        ("template_pair_label", "", "lines of three integers"),
    ],
)
def test_an_error_names_an_invalid_template_list(ijb, name, text, sentence):
    (ijb / "meta" / f"ijbc_{name}.txt").write_text(text)
    with pytest.raises(InputError, match=sentence):
        read_templates(ijb)


def test_an_error_names_a_missing_template_list(ijb):
    (ijb / "meta" / "ijbc_name_5pts_score.txt").unlink()
    with pytest.raises(InputError, match="one list \\*_name_5pts_score"):
        read_templates(ijb)
