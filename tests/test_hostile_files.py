"""Files made to harm: one sentence each, in little time and memory, and nothing outside is read."""

import io
import json
import os
import pickle
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from clmle.commands.feature_file import read_features
from clmle.commands.options import read_config
from clmle.data import folder as folder_data
from clmle.data import load_folder, pixels
from clmle.data.base import Dataset
from clmle.data.celeba import load_celeba
from clmle.data.celeba.annotations import read_attributes
from clmle.data.lfwa import _matlab
from clmle.data.recognition.identities import load_identities
from clmle.data.recognition.ijb import read_templates
from clmle.data.recognition.insightface import load_recordio
from clmle.data.recognition.megaface import read_features as read_megaface
from clmle.data.recognition.pairs import read_pairs
from clmle.data.recognition.verification_bin import load_bin
from clmle.data.recognition.youtube import read_splits
from clmle.errors import InputError, some
from clmle.experiments.background import BackgroundStudy
from clmle.experiments.cells import read_results
from clmle.files import from_json, is_inside, read_arrays, read_json
from clmle.run_folder import RunFolder
from clmle.settings import DataSettings, TrainSettings, parse
from clmle.training.checkpoint import load_tensors

DEEP = "[" * 100_000 + "]" * 100_000
DIGITS = "9" * 5000  # more than Python turns into a number


def picture(seed=0, size=(24, 24), kind="PNG"):
    values = np.random.default_rng(seed).integers(0, 255, (*size, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, kind)
    return buffer.getvalue()


def claimed_png(width, height):
    """A PNG that says it has this size."""

    def chunk(kind, body):
        check = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + check

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IEND", b"")


def folders(home, n=5):
    for person in ("cats", "dogs"):
        (home / person).mkdir(parents=True)
        for i in range(n):
            (home / person / f"{i}.png").write_bytes(picture(i))
    return home


def said(function, *arguments, **options):
    """The sentence of the InputError that the call ends with."""
    with pytest.raises(InputError) as caught:
        function(*arguments, **options)
    text = str(caught.value)
    assert "\n" not in text
    assert 20 < len(text) < 1000
    return text


# --- JSON ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [DEEP, '{"a":' * 100_000, DIGITS, f'{{"a": {DIGITS}}}', "\0", ""])
def test_json_of_any_depth_and_length_is_a_sentence(text, tmp_path):
    with pytest.raises(ValueError, match=r"."):
        from_json(text)
    file = tmp_path / "c.json"
    file.write_text(text)
    assert str(file) in said(read_json, file)
    said(read_config, str(file))
    (tmp_path / "metrics.jsonl").write_text('{"kind": "train"}\n' + text + "\n")
    assert RunFolder(tmp_path).metrics() == [{"kind": "train"}]
    if text:
        file.write_text(text + '\n{"key": "k", "variant": "v"}\n')
        assert "line 1 is not a result" in said(read_results, file)


@pytest.mark.parametrize("text", [f"a = {DEEP}", f"a = {DIGITS}", "a = 1\na = 2", "\0"])
def test_toml_too(text, tmp_path):
    (tmp_path / "c.toml").write_text(text)
    said(read_config, str(tmp_path / "c.toml"))


@pytest.mark.parametrize("facts", [DEEP, DIGITS, "{"])
def test_facts_of_weights_too(facts, tmp_path):
    head = json.dumps({"__metadata__": {"facts": facts}}).encode()
    (tmp_path / "m.safetensors").write_bytes(struct.pack("<Q", len(head)) + head)
    assert "cannot be read as weights" in said(load_tensors, tmp_path / "m.safetensors")


@pytest.mark.parametrize(("cls", "name"), [(TrainSettings, "seed"), (DataSettings, "ratio")])
def test_a_number_beyond_all_floats_is_no_setting(cls, name):
    assert name in said(lambda: parse(cls, {name: 10**400}, "train"))[:1000]


@pytest.mark.parametrize("name", ["c.toml", "c.json"])
def test_a_config_as_long_as_a_book_is_not_read(name, tmp_path):
    (tmp_path / name).write_text(".".join(["a"] * 100_000) + " = 1")
    assert "far too long" in said(read_config, str(tmp_path / name))


def test_a_value_that_cannot_be_shown_is_still_told():
    deep = []
    for _ in range(3000):
        deep = [deep]
    assert "too large a list" in said(parse, TrainSettings, {"seed": deep}, "train")
    assert "seed is 'xx" in said(parse, TrainSettings, {"seed": "x" * 10**6}, "train")
    assert "too large a int" in said(parse, TrainSettings, {"backbone": 10**5000}, "train")


@pytest.mark.parametrize("pid", ["../x", [1], -1, 0, 1e99, True, None, 2**70, {"a": 1}])
def test_a_process_that_is_no_number_does_not_run(pid, tmp_path):
    (tmp_path / "status.json").write_text(json.dumps({"state": "running", "pid": pid, "born": "1"}))
    assert RunFolder(tmp_path).status()["state"] == "lost"
    study = BackgroundStudy(tmp_path / "rule.jsonl")
    job = {"request": {"study": "rule"}, "pid": pid, "born": "1"}
    study.job_path.write_text(json.dumps(job))
    assert not study.alive()
    study.stop()


@pytest.mark.parametrize(
    "odd", [{"step": "x"}, {"total": None}, {"seconds": "1"}, {"seconds_left": {}}, {"phase": 5},
            {"message": [1]}, {"updated": "now"}, {"state": ["done"]}]
)  # fmt: skip
def test_a_status_of_other_kinds_is_damaged(odd, tmp_path):
    whole = {"state": "done", "phase": "done", "step": 1, "total": 1, "seconds": 1.5,
             "seconds_left": None, "message": ""}  # fmt: skip
    (tmp_path / "status.json").write_text(json.dumps(whole))
    assert RunFolder(tmp_path).status() == whole
    (tmp_path / "status.json").write_text(json.dumps(whole | odd))
    assert next(iter(odd)) in said(RunFolder(tmp_path).status)


@pytest.mark.parametrize("test", [None, [], "x", 1])
def test_a_result_without_figures_is_damaged(test, tmp_path):
    (tmp_path / "result.json").write_text(json.dumps({"test": test}))
    assert "is damaged (test)" in said(RunFolder(tmp_path).result)


# --- arrays -------------------------------------------------------------------------------------


def npy(shape, descr="<f4", body=b"1234"):
    buffer = io.BytesIO()
    head = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, head)
    return buffer.getvalue() + body


def zipped(path, members, how=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path.read_bytes()


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
def test_an_archive_of_arrays_that_lies_is_a_sentence(kind, tmp_path):
    path = tmp_path / "a.npz"
    archive(kind, path)
    assert "is damaged" in said(read_arrays, path)
    said(read_features, path)


def test_an_archive_that_unpacks_to_far_more_than_it_is(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, features=np.zeros(10**6))
    monkeypatch.setattr("clmle.files.UNPACKED", 10**6)
    assert "would unpack to 8,0" in said(read_arrays, path)
    said(read_features, path)
    rng = np.random.default_rng(0)
    np.savez_compressed(path, features=rng.normal(size=10**6))  # true numbers may be large
    assert len(read_arrays(path)["features"]) == 10**6


def test_features_in_one_array_are_not_an_archive(tmp_path):
    np.savez(tmp_path / "a.npz", features=np.zeros((3, 2)))
    os.rename(tmp_path / "a.npz", tmp_path / "a.npy")
    assert "cannot be read as .npy" in said(read_features, tmp_path / "a.npy")


def test_a_pipe_in_place_of_a_file_is_not_waited_for(tmp_path):
    home = folders(tmp_path / "photos")
    for name in ("a.json", "a.npz", "labels.csv", "photos/cats/x.png"):
        os.mkfifo(tmp_path / name)
    said(read_json, tmp_path / "a.json")
    said(read_arrays, tmp_path / "a.npz")
    said(load_folder, home, labels=tmp_path / "labels.csv")
    assert "no file" in str(pixels.read_pixels(home / "cats" / "x.png"))
    assert pixels.shape_of(home / "cats" / "x.png") is None
    with pytest.warns(UserWarning, match=r"x\.png \(no file\)"):
        assert len(load_folder(home)) == 10


def test_round_files_of_other_names_are_no_rounds(tmp_path):
    (tmp_path / "embeddings").mkdir()
    for name in ("round_x", "round_03", "round_", "round_01_2", "round_-1"):
        (tmp_path / "embeddings" / f"{name}.npz").touch()
    assert RunFolder(tmp_path).embedding_rounds() == [3]


# --- labels in CSV ------------------------------------------------------------------------------


def labelled(home, text, encoding="utf-8"):
    folders(home)
    (home / "labels.csv").write_bytes(text.encode(encoding))
    return home


ROWS = "".join(f"cats/{i}.png,{i % 2}\n" for i in range(5))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("outside", ["../secret.png", "{home}/secret.png", "cats/../../secret.png"])
def test_labels_name_no_file_outside_of_their_folder(outside, tmp_path):
    (tmp_path / "secret.png").write_bytes(picture())
    name = outside.format(home=tmp_path)
    home = labelled(tmp_path / "photos", f"file,label\n{ROWS}{name},1\n")
    assert len(load_folder(home, labels="labels.csv")) == 5
    (home / "labels.csv").write_text(f"file,label\n{name},1\n")
    assert "names is in" in said(load_folder, home, labels="labels.csv")
    (home / "labels.csv").write_text(f"file,label\n{home}/cats/1.png,1\n{ROWS}")  # but inside
    assert len(load_folder(home, labels="labels.csv")) == 6


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("file,label\ncats/0.png\0,1\n", "utf-8"),
        ("file,label\n" + ROWS, "utf-16"),
        ("file,label\ncats/0.png,été\n", "latin-1"),
        ("file,label\n" + "x" * 100_000 + ",1\n", "utf-8"),
        ('file,label\n"' + ROWS * 3000, "utf-8"),
        ("file,label,split\ncats/0.png,1," + "=" * 100_000 + "\n", "utf-8"),
    ],
)
def test_odd_labels_are_a_sentence(text, encoding, tmp_path):
    said(load_folder, labelled(tmp_path / "p", text, encoding), labels="labels.csv")


def test_a_long_text_in_one_row_does_not_make_all_rows_long(tmp_path):
    n = 4000  # as numpy stores texts, 1.6 GB
    rows = "".join(f"cats/{i % 5}.png,{i % 2},{'g' * (100_000 if i == 0 else 1)}{i}\n"
                   for i in range(n))  # fmt: skip
    home = labelled(tmp_path / "p", "file,label,identity\n" + rows)
    table = folder_data._from_csv(home, home / "labels.csv")
    split = folder_data._split(table, 0)
    assert len(split) == n
    assert set(split.tolist()) == {0, 1, 2}


def test_a_hundred_thousand_columns_are_not_all_named():
    names = dict.fromkeys((f"c{i}" for i in range(100_000)), np.zeros(1, dtype=np.int8))
    dataset = Dataset("wide", np.zeros((1, 8, 8, 3)), np.zeros(1), names)
    assert "and 99,950 more" in said(dataset.task, "none")
    assert some(["a", "b"]) == "a, b"
    assert some("abc", most=2) == "a, b and 1 more"


# --- images -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "first", [claimed_png(10**6, 10**6), claimed_png(10, 0), claimed_png(0, 10), b"%!PS-Adobe-3.0"]
)
def test_the_shape_is_that_of_the_first_image_which_has_one(first, tmp_path):
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


@pytest.mark.parametrize("label", [3e38, 2.0**63, 2.0**31, float("inf"), -1.0])
def test_a_record_s_label_beyond_all_counts_is_left_out(label, tmp_path):
    parts = [struct.pack("<IfQQ", 0, i % 2, i, 0) + picture(i) for i in range(6)]
    parts.append(struct.pack("<IfQQ", 0, label, 7, 0) + picture(9))
    (tmp_path / "train.rec").write_bytes(b"".join(map(part, parts)))
    with pytest.warns(UserWarning, match="not a whole number from 0"):
        assert len(load_recordio(tmp_path, image_size=24)) == 6


def test_numbers_of_a_grey_image_that_are_none_are_black():
    values = np.full((4, 4), np.nan, dtype=np.float32)
    values[0] = 200
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "TIFF")
    with np.errstate(all="raise"):
        found = pixels.read_pixels(buffer)
    assert found[0].tolist() == [[200] * 3] * 4
    assert (found[1:] == 0).all()


# --- CelebA, LFWA -------------------------------------------------------------------------------


def celeba(home, n=12):
    home.mkdir()
    names = [f"{i:06d}.jpg" for i in range(n)]
    lines = [f"{name} {1 if i % 2 else -1}" for i, name in enumerate(names)]
    (home / "list_attr_celeba.txt").write_text("\n".join([str(n), "A", *lines]))
    parts = [f"{name} {0 if i < 8 else i % 2 + 1}" for i, name in enumerate(names)]
    (home / "list_eval_partition.txt").write_text("\n".join(parts))
    return {name: picture(i, (218, 178), "JPEG") for i, name in enumerate(names)}


@pytest.mark.parametrize("lies", [False, True])
def test_a_photograph_that_unpacks_without_end_is_left_out(lies, tmp_path, monkeypatch):
    monkeypatch.setattr(pixels, "MAX_BYTES", 200_000)
    faces = celeba(tmp_path / "c")
    path = tmp_path / "c" / "img_align_celeba.zip"
    faces["000003.jpg"] = bytes(3_000_000)
    raw = bytearray(zipped(path, faces, zipfile.ZIP_DEFLATED))
    if lies:  # the list of contents says 300,000 bytes where there are 3 million
        at = raw.rindex(b"000003.jpg") - 46
        raw[at + 24 : at + 28] = struct.pack("<I", 300_000)
        path.write_bytes(raw)
    with pytest.warns(UserWarning, match=r"000003\.jpg is damaged \(over"):
        load_celeba(tmp_path / "c", image_size=16)


def test_a_photograph_larger_than_any_is_left_out(tmp_path):
    faces = celeba(tmp_path / "c")
    folder = tmp_path / "c" / "img_align_celeba"
    folder.mkdir()
    for name, face in faces.items():
        (folder / name).write_bytes(face)
    with open(folder / "000003.jpg", "wb") as file:
        file.truncate(40 << 30)  # no room on the disk is taken
    with pytest.warns(UserWarning, match=r"000003\.jpg is damaged \(over"):
        load_celeba(tmp_path / "c", image_size=16)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (f"{DIGITS}\nA\n0.jpg 1\n", "number of images"),
        ("1\nA\n" + "x" * 300 + ".jpg 1\n", "too long"),
        ("9\n" + " ".join(f"c{i}" for i in range(50_000)) + "\n0.jpg 1\n", "has 1 values"),
    ],
)
def test_odd_lists_are_a_sentence(text, match, tmp_path):
    file = tmp_path / "list_attr_celeba.txt"
    file.write_text(text)
    assert match in said(read_attributes, file)


def test_a_table_of_matlab_takes_nothing_from_other_files(tmp_path):
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
        assert "cannot be read" in said(_matlab, path, (name,))
    assert _matlab(path, ("own",))["own"].tolist() == [0, 1, 2]


def test_a_table_of_matlab_is_bounded(tmp_path, monkeypatch):
    from scipy.io import savemat

    path = tmp_path / "lfw_att_40.mat"
    savemat(path, {"label": np.zeros((200, 200))}, do_compression=True)
    assert _matlab(path, ("label",))["label"].shape == (200, 200)
    monkeypatch.setattr("clmle.data.lfwa.LARGEST", 1000)
    assert "far too large" in said(_matlab, path, ("label",))


# --- lists of pairs and templates ---------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [f"{DIGITS}\n", f"1\na\t1\t{DIGITS}\na\t1\tb\t1\n", "9999999999\n"]
)
def test_numbers_of_pairs_are_bounded(text, tmp_path):
    (tmp_path / "pairs.txt").write_text(text)
    said(read_pairs, tmp_path / "pairs.txt", ["a/a_0001.jpg"])


@pytest.mark.parametrize("number", [DIGITS, "9" * 20, "²"])
def test_numbers_of_splits_are_bounded(number, tmp_path):
    (tmp_path / "s.txt").write_text(f"1,a/0,b/1,1\n{number},a/0,b/1,1\n")
    assert "line 2" in said(read_splits, tmp_path / "s.txt")


@pytest.mark.parametrize("number", ["1e300", "1e19", "1.5"])
def test_numbers_of_templates_are_whole_and_bounded(number, tmp_path):
    (tmp_path / "ijbc_face_tid_mid.txt").write_text(f"a.jpg 1 1\nb.jpg {number} 2\n")
    points = "".join(f"{name}.jpg" + " 1" * 11 + "\n" for name in "ab")
    (tmp_path / "ijbc_name_5pts_score.txt").write_text(points)
    (tmp_path / "ijbc_template_pair_label.txt").write_text("1 2 1\n")
    assert "line 2" in said(read_templates, tmp_path)


def test_a_list_of_images_names_no_file_outside_of_its_folder(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "m.bin").write_bytes(struct.pack("<4i2f", 2, 1, 4, 5, 1.0, 1.0))
    for name in ("../m", str(tmp_path / "m"), "a\0b"):
        assert "no path inside" in said(read_megaface, tmp_path / "in", [name])
    assert read_megaface(tmp_path, ["m"]).shape == (1, 2)


def test_a_path_is_inside_where_it_stays_inside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "a/b..png", "./a", f"{tmp_path}/x/a", ""):
        assert is_inside("x", name), name
    for name in ("../a", "a/../b", "/etc/passwd", f"{tmp_path}/xy", "a\0", ".."):
        assert not is_inside("x", name), name
