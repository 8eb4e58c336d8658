"""Malicious lists of data sets: one-sentence errors, no file outside is read."""

import base64
import struct
import zipfile
import zlib

import numpy as np
import pytest

from clmle.data import pixels
from clmle.data.celeba import load_celeba
from clmle.data.celeba.annotations import read_attributes
from clmle.data.mat import main as read_apart
from clmle.data.mat import read_mat
from clmle.data.recognition.ijb import read_templates
from clmle.data.recognition.megaface import read_features as read_megaface
from clmle.data.recognition.pairs import read_pairs
from clmle.data.recognition.youtube import read_splits
from clmle.files import is_inside
from tests.robustness.hostile import DIGITS, error_of, picture, zipped


def celeba(home, n=12):
    home.mkdir()
    names = [f"{i:06d}.jpg" for i in range(n)]
    lines = [f"{name} {1 if i % 2 else -1}" for i, name in enumerate(names)]
    (home / "list_attr_celeba.txt").write_text("\n".join([str(n), "A", *lines]))
    parts = [f"{name} {0 if i < 8 else i % 2 + 1}" for i, name in enumerate(names)]
    (home / "list_eval_partition.txt").write_text("\n".join(parts))
    return {name: picture(i, (218, 178), "JPEG") for i, name in enumerate(names)}


@pytest.mark.parametrize("lies", [False, True])
def test_a_photograph_that_is_a_decompression_bomb_is_left_out(lies, tmp_path, monkeypatch):
    monkeypatch.setattr(pixels, "MAX_BYTES", 200_000)
    faces = celeba(tmp_path / "c")
    path = tmp_path / "c" / "img_align_celeba.zip"
    faces["000003.jpg"] = bytes(3_000_000)
    raw = bytearray(zipped(path, faces, zipfile.ZIP_DEFLATED))
    if lies:  # the directory claims 300,000 bytes instead of 3 million
        at = raw.rindex(b"000003.jpg") - 46
        raw[at + 24 : at + 28] = struct.pack("<I", 300_000)
        path.write_bytes(raw)
    with pytest.warns(UserWarning, match=r"000003\.jpg \(over"):
        load_celeba(tmp_path / "c", image_size=16)


def test_an_oversized_photograph_is_left_out(tmp_path):
    faces = celeba(tmp_path / "c")
    folder = tmp_path / "c" / "img_align_celeba"
    folder.mkdir()
    for name, face in faces.items():
        (folder / name).write_bytes(face)
    with open(folder / "000003.jpg", "wb") as file:
        file.truncate(40 << 30)  # a sparse file
    with pytest.warns(UserWarning, match=r"000003\.jpg \(over"):
        load_celeba(tmp_path / "c", image_size=16)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (f"{DIGITS}\nA\n0.jpg 1\n", "number of images"),
        ("1\nA\n" + "x" * 300 + ".jpg 1\n", "too long"),
        ("9\n" + " ".join(f"c{i}" for i in range(50_000)) + "\n0.jpg 1\n", "has 1 values"),
    ],
)
def test_invalid_lists_are_one_sentence_errors(text, match, tmp_path):
    file = tmp_path / "list_attr_celeba.txt"
    file.write_text(text)
    assert match in error_of(read_attributes, file)


def test_a_matlab_table_cannot_read_other_files(tmp_path):
    h5py = pytest.importorskip("h5py")
    secret = tmp_path / "secret"
    secret.write_bytes(b"not for others")
    path = tmp_path / "lfw_att_40.mat"
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["label"] = np.arange(5)
    layout = h5py.VirtualLayout(shape=(5,), dtype="i8")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "label", shape=(5,))
    with h5py.File(path, "w") as file:
        file.create_dataset("raw", (14,), "u1", external=[(str(secret), 0, 14)])
        file.create_virtual_dataset("virtual", layout)
        file["link"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/label")
        file["soft"] = h5py.SoftLink("/own")
        file.create_dataset("large", (10**5, 10**5), "f8", chunks=(100, 100))
        file["own"] = np.arange(3)
    for name in ("raw", "virtual", "link", "soft", "large"):
        assert "cannot be read" in error_of(read_mat, path, (name,))
    assert read_mat(path, ("own",))["own"].tolist() == [0, 1, 2]


def test_the_size_of_a_matlab_table_is_bounded(tmp_path, monkeypatch, capsys):
    from scipy.io import savemat

    path = tmp_path / "lfw_att_40.mat"
    savemat(path, {"label": np.zeros((200, 200))}, do_compression=True)
    assert read_mat(path, ("label",))["label"].shape == (200, 200)
    monkeypatch.setattr("clmle.data.mat.MAX_NUMBERS", 1000)
    monkeypatch.setattr("clmle.data.mat._limit", lambda size: None)
    assert read_apart(path, ("label",)) == 2
    assert "far too large" in capsys.readouterr().err


# 952 bytes that end a process that reads them with SciPy 1.17 (SIGSEGV).
CRASH = (
    "c-o!PTTj9;6u|LP2LkHEJKpR428hF<%m;%$nTRowFEHXrNCq>2hL7S$^-Tx<NowLHu}Sl5yPlr)Y?X5LwtS`RTwY"
    "bm)oi`td+OeIyY-;mbktMOY4kGcy6w4L?@<LUM?E~Z)LrnRtdcq@IJWIrma_6zQT(GtZYpL-T8j6uiFi0Rc@zzMe"
    ";x~avcHuz->rGRc0>|qaSiv;8m7WAoWpfIzyeAf$9YtEh^IJ$6S#mIc!V|@IJ|EfH!*`ntseb0iHo>}Sv<oSrf><"
    "jF^A_kic`3ZJ9vyGjN>$};4bFT!356WD(>M4UTAfB<sNbE`$e_69B7D^+w@Fw4)+`1?2l;Yq{5L)p1<PcmpCbEwa"
    ">Vo7AJqq7ZIJoy1_Ye5NA^RnD(Fl_Pz<N=0dz(egIqyD(L"
)


def test_a_reader_that_crashes_on_a_file_is_a_sentence(tmp_path, monkeypatch):
    path = tmp_path / "lfw_att_40.mat"
    old = b"MATLAB 5.0 MAT-file" + b" " * 105 + b"\0\1IM"
    compressed = b"\x0f\0\0\0\1\0\0\0x"
    for tail in (b"\x0e\0\0\0\xff\xff\xff\x7f" + bytes(99), compressed):
        path.write_bytes(old + tail)
        error_of(read_mat, path, ("name",))
    path.write_bytes(zlib.decompress(base64.b85decode(CRASH)))
    error_of(read_mat, path, ("label", "name"))
    monkeypatch.setattr("sys.executable", "/bin/false")
    assert "the reader crashed" in error_of(read_mat, path, ("name",))


@pytest.mark.parametrize(
    "text", [f"{DIGITS}\n", f"1\na\t1\t{DIGITS}\na\t1\tb\t1\n", "9999999999\n"]
)
def test_the_number_of_pairs_is_bounded(text, tmp_path):
    (tmp_path / "pairs.txt").write_text(text)
    error_of(read_pairs, tmp_path / "pairs.txt", ["a/a_0001.jpg"])


@pytest.mark.parametrize("number", [DIGITS, "9" * 20, "²"])
def test_the_number_of_splits_is_bounded(number, tmp_path):
    (tmp_path / "s.txt").write_text(f"1,a/0,b/1,1\n{number},a/0,b/1,1\n")
    assert "line 2" in error_of(read_splits, tmp_path / "s.txt")


@pytest.mark.parametrize("number", ["1e300", "1e19", "1.5"])
def test_template_numbers_are_bounded_integers(number, tmp_path):
    (tmp_path / "ijbc_face_tid_mid.txt").write_text(f"a.jpg 1 1\nb.jpg {number} 2\n")
    points = "".join(f"{name}.jpg" + " 1" * 11 + "\n" for name in "ab")
    (tmp_path / "ijbc_name_5pts_score.txt").write_text(points)
    (tmp_path / "ijbc_template_pair_label.txt").write_text("1 2 1\n")
    assert "line 2" in error_of(read_templates, tmp_path)


def test_an_image_list_cannot_name_a_file_outside_its_folder(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "m.bin").write_bytes(struct.pack("<4i2f", 2, 1, 4, 5, 1.0, 1.0))
    for name in ("../m", str(tmp_path / "m"), "a\0b"):
        assert "not a path inside" in error_of(read_megaface, tmp_path / "in", [name])
    assert read_megaface(tmp_path, ["m"]).shape == (1, 2)


def test_a_path_inside_the_folder_is_accepted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "a/b..png", "./a", f"{tmp_path}/x/a", ""):
        assert is_inside("x", name), name
    for name in ("../a", "a/../b", "/etc/passwd", f"{tmp_path}/xy", "a\0", ".."):
        assert not is_inside("x", name), name
