"""CelebA's own files, whole and broken in many ways; pixels read once, a killed reading goes on."""

import os
import shutil
import threading
import time
import warnings
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clmle import InputError
from clmle.__main__ import main
from clmle.data.base import TEST, TRAIN, VALIDATION
from clmle.data.celeba import celeba_attributes, is_celeba, load_celeba
from clmle.data.celeba import images as celeba_images
from clmle.data.pixel_cache import CHUNK, cached_pixels
from clmle.presets import preset_settings
from clmle.run_folder import create_run, list_runs
from clmle.settings import override
from clmle.training import evaluate, load_model, train

N, PEOPLE = 120, 30
NAMES = ("5_o_Clock_Shadow", "Bald", "Young")


def name_of(i):
    return f"{i + 1:06d}.jpg"


class Home(type(Path())):
    """A path that remembers what was written below it."""


@pytest.fixture
def celeba(tmp_path, monkeypatch):
    """A small copy laid out as the authors ship it; photographs of one grey level each."""
    monkeypatch.setenv("CLMLE_CACHE", str(tmp_path / "cache"))
    home = Home(tmp_path / "CelebA")
    for folder in ("Img/img_align_celeba", "Anno", "Eval"):
        (home / folder).mkdir(parents=True)
    rng = np.random.default_rng(0)
    values = rng.choice([-1, 1], (N, len(NAMES)))
    parts = np.repeat([0, 1, 2], [80, 20, 20])
    people = np.concatenate([rng.integers(1, 21, 80), rng.integers(21, 31, 40)])
    marks = rng.integers(0, 178, (N, 10))
    for i in range(N):
        Image.new("RGB", (178, 218), (i, 2 * i, 255 - i)).save(
            home / "Img/img_align_celeba" / name_of(i), quality=95
        )
    rows = [f"{name_of(i)} {' '.join(f'{v:2d}' for v in values[i])}" for i in range(N)]
    write(home / "Anno/list_attr_celeba.txt", [str(N), " ".join(NAMES), *rows])
    write(home / "Eval/list_eval_partition.txt", [f"{name_of(i)} {parts[i]}" for i in range(N)])
    write(home / "Anno/identity_CelebA.txt", [f"{name_of(i)} {people[i]}" for i in range(N)])
    head = "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y "
    rows = [f"{name_of(i)} {' '.join(map(str, marks[i]))}" for i in range(N)]
    write(
        home / "Anno/list_landmarks_align_celeba.txt",
        [str(N), head + "rightmouth_x rightmouth_y", *rows],
    )
    home.facts = values, parts, people, marks
    return home


def write(path, lines):
    path.write_text("\n".join(lines) + "\n")


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_attributes_splits_people_and_landmarks_are_those_of_the_files(celeba):
    values, parts, people, marks = celeba.facts
    data = load_celeba(celeba)
    assert is_celeba(celeba)
    assert data.name == "celeba"
    assert celeba_attributes(celeba) == NAMES
    assert data.images.shape == (N, 55, 47, 3)
    for i, name in enumerate(NAMES):
        np.testing.assert_array_equal(data.attributes[name], values[:, i] == 1)
    assert (data.split[parts == 1] == -1).all()  # kept for the SVMs of other papers
    np.testing.assert_array_equal(data.split == TEST, parts == 2)
    validation = data.split == VALIDATION
    assert validation.any()
    assert (parts[validation] == 0).all()
    assert not set(people[validation]) & set(people[data.split == TRAIN])
    assert len(np.unique(data.labels["identity"])) == len(np.unique(people))
    np.testing.assert_array_equal(data.columns["landmarks"], marks)
    official = load_celeba(celeba, validation="official")
    np.testing.assert_array_equal(official.split, parts)
    assert data.task("Bald").class_counts().sum() == (data.split == TRAIN).sum()


def test_pixels_belong_to_their_names(celeba):
    data = load_celeba(celeba)
    middle = data.images[:, 27, 23].astype(int)
    wanted = np.array([(i, 2 * i, 255 - i) for i in range(N)])
    assert np.abs(middle - wanted).max() <= 4  # JPEG


def test_the_crop_is_the_face(tmp_path):
    across = np.linspace(0, 255, 178)[None].repeat(218, 0)
    down = np.linspace(0, 255, 218)[:, None].repeat(178, 1)
    pixels = np.stack([across, down, across], axis=2).round().astype(np.uint8)
    (tmp_path / "img_align_celeba").mkdir()
    Image.fromarray(pixels).save(tmp_path / "img_align_celeba" / "000001.png")
    found = celeba_images.Photographs(tmp_path).read("000001.jpg", 55)  # a copy in PNG
    left, top, right, bottom = celeba_images.ALIGNED.box
    x = (left + (right - left) * (np.arange(47) + 0.5) / 47) * 178
    y = (top + (bottom - top) * (np.arange(55) + 0.5) / 55) * 218
    np.testing.assert_allclose(found[20, :, 0], (x - 0.5) / 177 * 255, atol=1.6)
    np.testing.assert_allclose(found[:, 20, 1], (y - 0.5) / 217 * 255, atol=1.6)
    # Eyes and mouth (the authors' mean landmarks) are inside, the face is not stretched.
    assert left * 178 < 50 < 128 < right * 178
    assert top * 218 < 80 < 180 < bottom * 218
    shape = ((right - left) * 178) / ((bottom - top) * 218)
    assert shape == pytest.approx(47 / 55, rel=0.01)


def test_a_zip_file_and_csv_lists_give_the_same(celeba, tmp_path):
    wanted = load_celeba(celeba)
    folder = celeba / "Img" / "img_align_celeba"
    with zipfile.ZipFile(celeba / "Img" / "img_align_celeba.zip", "w") as file:
        for path in sorted(folder.iterdir()):
            file.write(path, f"img_align_celeba/{path.name}")
    shutil.rmtree(folder)
    for path in [*celeba.glob("Anno/*.txt"), *celeba.glob("Eval/*.txt")]:
        lines = path.read_text().splitlines()
        if lines[0].isdigit():
            lines = [f"image_id {lines[1]}", *lines[2:]]
        else:
            lines = ["image_id value", *lines]
        path.with_suffix(".csv").write_text("\n".join(",".join(x.split()) for x in lines))
        path.unlink()
    found = load_celeba(celeba)
    np.testing.assert_array_equal(found.images, wanted.images)
    np.testing.assert_array_equal(found.split, wanted.split)
    for name in NAMES:
        np.testing.assert_array_equal(found.attributes[name], wanted.attributes[name])


def test_unknown_labels_are_masked(celeba):
    path = celeba / "Anno/list_attr_celeba.txt"
    lines = path.read_text().splitlines()
    lines[2] = f"{name_of(0)}  0  1 -1"
    write(path, lines)
    data = load_celeba(celeba)
    assert [data.attributes[n][0] for n in NAMES] == [-1, 1, 0]


def rewritten(change_line, separator):
    """Turns the list of attributes into one of other conventions, names of columns first."""

    def harm(home):
        first, *rows = (home / ATTR).read_text().splitlines()[1:]
        lines = [["image_id", *first.split()], *map(str.split, rows)]
        text = "\n".join(separator.join(map(change_line, line)) for line in lines)
        (home / ATTR).write_text(text)

    return harm


def each_list(change_bytes):
    def harm(home):
        for path in [*home.glob("Anno/*"), *home.glob("Eval/*")]:
            path.write_bytes(change_bytes(path.read_bytes()))

    return harm


def renamed(home):
    for path in list((home / "Img/img_align_celeba").iterdir()):
        path.rename(path.with_suffix(".JPG"))
    (home / "Img/img_align_celeba").rename(home / "Img/IMG_Align_CelebA")
    (home / ATTR).rename(home / "Anno/LIST_ATTR_CELEBA.TXT")


def zeros(home):
    lines = (home / ATTR).read_text().splitlines()
    write(home / ATTR, [*lines[:2], *(line.replace("-1", " 0") for line in lines[2:])])


def zipped(home, compression=zipfile.ZIP_STORED):
    """As macOS packs a folder: a shadow of every file beside it; and the folder emptied."""
    with zipfile.ZipFile(home / "Img/img_align_celeba.zip", "w", compression) as file:
        for path in sorted((home / "Img/img_align_celeba").iterdir()):
            file.writestr(f"__MACOSX/img_align_celeba/{path.name}", b"shadow")
            file.write(path, f"img_align_celeba/{path.name}")
            path.unlink()


@pytest.mark.parametrize(
    "harm",
    [
        rewritten(str, ","),
        rewritten(lambda word: f'"{word}"', ","),
        rewritten(lambda word: f"{word}.0" if word in ("1", "-1") else word, ","),
        each_list(lambda b: b"\xef\xbb\xbf" + b.replace(b"\n", b"\r\n")),
        each_list(lambda b: b.replace(b"\n", b"  \n\n")),
        zeros,
        renamed,
        zipped,
    ],
    ids=["commas", "quotes", "floats", "windows", "blank-lines", "0-and-1", "capitals", "macos"],
)
def test_copies_of_other_conventions_give_the_same(celeba, harm):
    wanted = load_celeba(celeba)
    harm(celeba)
    found = load_celeba(celeba)
    np.testing.assert_array_equal(found.images, wanted.images)
    np.testing.assert_array_equal(found.split, wanted.split)
    assert list(found.attributes) == list(NAMES)
    for name in NAMES:
        np.testing.assert_array_equal(found.attributes[name], wanted.attributes[name])


def test_empty_fields_are_unknown(celeba):
    rewritten(str, ",")(celeba)
    lines = (celeba / ATTR).read_text().splitlines()
    write(celeba / ATTR, [lines[0], f"{name_of(0)},,NaN,-1", f"{name_of(1)},0,1,nan", *lines[3:]])
    data = load_celeba(celeba)
    assert [data.attributes[n][0] for n in NAMES] == [-1, -1, 0]
    assert [data.attributes[n][1] for n in NAMES] == [-1, 1, -1]


ATTR, PART = "Anno/list_attr_celeba.txt", "Eval/list_eval_partition.txt"


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda h: (h / ATTR).unlink(), "lacks list_attr_celeba.txt"),
        (lambda h: (h / PART).unlink(), "lacks list_eval_partition.txt"),
        (lambda h: shutil.rmtree(h / "Img"), "neither a folder img_align_celeba nor"),
        (lambda h: cut(h / ATTR, 30), r"announces 120 images but has lines for 90"),
        (lambda h: cut_mid_line(h / ATTR), r"line 122 \(000120.jpg\) has 1 values.*cut off"),
        (lambda h: say(h / ATTR, 6, "3"), "line 9 says '3' for 5_o_Clock_Shadow of 000007.jpg"),
        (lambda h: change(h / ATTR, "000007.jpg", "000008.jpg"), "two lines for 000008.jpg"),
        (lambda h: change(h / ATTR, "Bald", "Young"), "has two columns Young"),
        (lambda h: change(h / ATTR, "000007.jpg", "\0" * 99), r"no line for \?{40}\.\.\., and"),
        (lambda h: change(h / ATTR, "120", "many"), "must begin with the number"),
        (lambda h: (h / ATTR).write_bytes(b"\xff\xfe\xff"), "cannot be read as text"),
        (lambda h: (h / ATTR).write_text(""), "must begin with the number"),
        (lambda h: cut(h / PART, 3), "no line for 000118.jpg, and lacks 3 of the 120"),
        (lambda h: change(h / PART, "000005.jpg 0", "000005.jpg 7"), "000005.jpg into part 7"),
        (lambda h: change(h / PART, "000005.jpg 0", "000005.jpg x"), "line 5 says 'x'"),
        (lambda h: change(h / PART, "000005.jpg 0", f"000005.jpg {2**40}"), "line 5 says"),
        (lambda h: all_parts(h / PART, 0), "no test image"),
        (lambda h: (h / "Anno/identity_CelebA.txt").write_text("\n"), "holds no line"),
    ],
)
def test_a_broken_list_is_named(celeba, harm, message):
    harm(celeba)
    with pytest.raises(InputError, match=message):
        load_celeba(celeba)


def say(path, image, text):
    lines = path.read_text().splitlines()
    name, _, *others = lines[2 + image].split()
    lines[2 + image] = " ".join([name, text, *others])
    write(path, lines)


def cut(path, lines):
    write(path, path.read_text().splitlines()[:-lines])


def cut_mid_line(path):
    lines = path.read_text().splitlines()
    lines[-1] = " ".join(lines[-1].split()[:2])
    write(path, lines)


def all_parts(path, value):
    write(path, [f"{line.split()[0]} {value}" for line in path.read_text().splitlines()])


def test_broken_photographs_are_left_out_and_named(celeba):
    folder = celeba / "Img" / "img_align_celeba"
    (folder / name_of(3)).unlink()
    (folder / name_of(5)).write_bytes((folder / name_of(5)).read_bytes()[:500])
    (folder / name_of(8)).write_bytes(b"no image")
    Image.new("RGB", (300, 100)).save(folder / name_of(9))
    with pytest.warns(UserWarning, match=r"4 of 120 photographs") as caught:
        data = load_celeba(celeba)
    # Other warnings, such as of a process that another test left, may have come first.
    (said,) = [str(w.message) for w in caught if w.category is UserWarning]
    assert "000004.jpg is missing" in said
    assert "000006.jpg is damaged" in said
    assert "000009.jpg is not an image" in said
    assert "000010.jpg has 300 x 100 pixels" in said
    assert (data.split[[3, 5, 8, 9]] == -1).all()
    assert (data.split != -1).sum() == 100 - 4
    for path in folder.iterdir():
        path.write_bytes(b"")
    with pytest.raises(InputError, match="None of the 120 photographs can be read"):
        load_celeba(celeba, image_size=40)


def test_a_zip_file_that_is_cut_off_is_named(celeba):
    shutil.rmtree(celeba / "Img" / "img_align_celeba")
    (celeba / "Img" / "img_align_celeba.zip").write_bytes(b"PK\x03\x04cut")
    with pytest.raises(InputError, match="cannot be opened as a zip file"):
        load_celeba(celeba)


def test_what_cannot_be_unpacked_is_left_out_and_named(celeba):
    zipped(celeba, zipfile.ZIP_DEFLATED)
    path = celeba / "Img/img_align_celeba.zip"
    with zipfile.ZipFile(path) as file:
        info = file.getinfo("img_align_celeba/000002.jpg")
    data = bytearray(path.read_bytes())
    begin = info.header_offset + 30 + len(info.filename)
    data[begin : begin + info.compress_size] = b"\xff" * info.compress_size
    path.write_bytes(data)
    with pytest.warns(UserWarning, match=r"000002.jpg is damaged \(Error -3"):
        found = load_celeba(celeba)
    assert found.split[1] == -1
    assert (found.split != -1).sum() == 100 - 1
    assert found.notes[0].startswith("1 of 120 photographs")


def test_a_photograph_put_right_in_its_place_is_read_again(celeba):
    wanted = load_celeba(celeba)
    path = celeba / "Img/img_align_celeba" / name_of(7)
    whole = path.read_bytes()
    path.write_bytes(whole[:400])
    with pytest.warns(UserWarning, match="000008.jpg is damaged"):
        load_celeba(celeba)
    path.write_bytes(whole)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        found = load_celeba(celeba)
    np.testing.assert_array_equal(found.images, wanted.images)
    assert found.notes == ()


def test_new_labels_do_not_have_photographs_read_again(celeba, monkeypatch):
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
    told = []
    load_celeba(celeba, progress=lambda done, total: told.append((done, total)))
    assert len(read) == N
    assert [told[0], told[-1]] == [(0, N), (N, N)]
    load_celeba(celeba)
    assert len(read) == N
    (celeba / "Img" / "img_align_celeba" / "000001.jpg").unlink()  # changes the folder's time
    with pytest.warns(UserWarning, match="000001.jpg is missing"):
        load_celeba(celeba)
    assert len(read) == 2 * N


def test_a_killed_reading_goes_on_where_it_was(tmp_path):
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
    # Killed when all was read, but before the folder had its name: nothing is read again.
    (tmp_path / "pixels").rename(tmp_path / "pixels.building")
    again_images, _ = cached_pixels(tmp_path / "pixels", "a", n, shape, dies)
    np.testing.assert_array_equal(again_images, images)
    cached_pixels(tmp_path / "pixels", "b", n, shape, lives)  # of another source
    assert len(again) == CHUNK + n


def test_a_run_learns_from_it_as_from_any_data_set(celeba, tmp_path):
    settings = preset_settings("quick", "clmle", str(celeba), "Bald")
    assert settings.data.image_size == 55
    small = {"iterations": 6, "prior_iterations": 2, "rounds": 1, "batch_size": 24}
    settings = replace(
        settings,
        train=override(settings.train, {**small, "backbone": "tiny", "threads": 1}, "train"),
        options=override(settings.options, {"cluster_size": 10}, "clmle"),
    )
    run = create_run(tmp_path / "runs", settings.to_dict())
    result = train(run)
    assert 0 <= result["test"]["balanced_accuracy"] <= 1
    model = load_model(run)
    assert model.image_shape == (55, 47, 3)
    assert model.scores(np.zeros((2, 55, 47, 3), dtype=np.uint8)).shape == (2, 2)
    with pytest.raises(InputError, match=r"images are \(55, 55, 3\), but the run learnt from"):
        model.embed(np.zeros((2, 55, 55, 3), dtype=np.uint8))
    assert evaluate(run)["balanced_accuracy"] == result["test"]["balanced_accuracy"]


def test_gradients_are_shortened_where_many_attributes_learn_together(celeba):
    for attribute, clip in (("all", 5.0), ("Bald,Young", 5.0), ("Bald", 0.0)):
        for method in ("clmle", "softmax"):
            assert preset_settings("quick", method, str(celeba), attribute).train.clip == clip
    assert preset_settings("quick", "clmle", "toonfaces", "all").train.clip == 0


@pytest.mark.filterwarnings("ignore:1 of 120 photographs")
def test_an_attribute_that_nothing_shows_is_named_by_every_command(celeba, tmp_path, capsys):
    lines = (celeba / ATTR).read_text().splitlines()
    write(celeba / ATTR, [*lines[:2], *(" ".join([*x.split()[:2], "-1", *x.split()[3:]])
                                        for x in lines[2:])])  # fmt: skip
    where = ["--runs-dir", str(tmp_path / "runs")]
    small = ["--iterations", "2", "--rounds", "1", "--batch-size", "24", "--threads", "1",
             "--backbone", "tiny"]  # fmt: skip
    (celeba / "Img/img_align_celeba" / name_of(3)).unlink()
    command = ["train", str(celeba), "--attribute", "all", "--method", "softmax"]
    assert main([*command, *small, *where]) == 0
    told = [capsys.readouterr().out]
    (run,) = list_runs(tmp_path / "runs")
    assert run.result()["no_training"] == ["Bald"]
    for command in (["evaluate", run.name, *where], ["runs", "show", run.name, *where],
                    ["data", str(celeba), "--attribute", "all"]):  # fmt: skip
        assert main(command) == 0
        told.append(capsys.readouterr().out)
    for out in told:
        assert "no training image shows them or none does not: Bald." in out
        assert out.count("Bald") == 1


def test_the_data_command_counts_its_attributes_and_sums_its_people(celeba, capsys):
    assert main(["data", str(celeba)]) == 0
    out = capsys.readouterr().out
    assert "celeba: 120 images of 55 x 47" in out
    assert "Bald" in out
    assert main(["data", str(celeba), "--attribute", "all"]) == 0
    assert "not Young" in capsys.readouterr().out
    say_all(celeba / ATTR, "1")
    assert main(["data", str(celeba), "--attribute", "all"]) == 2
    assert "No attribute of celeba" in capsys.readouterr().err


def say_all(path, text):
    lines = path.read_text().splitlines()
    rows = [f"{line.split()[0]} {' '.join([text] * len(NAMES))}" for line in lines[2:]]
    write(path, [*lines[:2], *rows])


def test_a_sentence_that_a_kill_cut_off_is_not_missed(tmp_path):
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


def test_the_disk_holds_all_pixels_from_the_first_on(tmp_path):
    """Otherwise a disk that others fill would end the process, and not in a sentence."""
    n, shape = 600, (20, 20, 3)
    held = []

    def read(i):
        held.append(os.stat(tmp_path / "pixels.building/images.npy").st_blocks * 512)
        return np.ones(shape, dtype=np.uint8)

    cached_pixels(tmp_path / "pixels", "a", n, shape, read)
    assert min(held) >= n * 1200


def test_one_process_reads_and_the_other_tells_how_far_it_is(tmp_path):
    n, shape = 2 * CHUNK, (2, 2, 3)
    seen = threading.Event()
    told, found = [], []

    def slow(i):
        if i == CHUNK:  # the first half is marked; the other one has said so
            assert seen.wait(30)
        return np.full(shape, i % 251, dtype=np.uint8)

    def tell(done, total):
        told.append((done, total))
        if done == CHUNK:
            seen.set()

    first = threading.Thread(target=cached_pixels, args=(tmp_path / "p", "a", n, shape, slow))
    first.start()
    while not (tmp_path / "p.building/stamp.txt").exists():
        time.sleep(0.01)
    found.append(cached_pixels(tmp_path / "p", "a", n, shape, lambda i: 1 / 0, tell)[0])
    first.join()
    assert (CHUNK, n) in told
    np.testing.assert_array_equal(found[0][:, 0, 0, 0], np.arange(n) % 251)
