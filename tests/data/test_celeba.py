"""CelebA files: complete, in other conventions, and damaged."""

import shutil
import zipfile

import numpy as np
import pytest
from PIL import Image

from clmle import InputError
from clmle.data.base import TEST, TRAIN, VALIDATION
from clmle.data.celeba import celeba_attributes, is_celeba, load_celeba
from clmle.data.celeba import images as celeba_images
from tests.data.celeba_copy import ATTR, NAMES, PART, N, change, name_of, write, zipped


def test_attributes_splits_identities_and_landmarks_match_the_files(celeba):
    values, parts, people, marks = celeba.facts
    data = load_celeba(celeba)
    assert is_celeba(celeba)
    assert data.name == "celeba"
    assert celeba_attributes(celeba) == NAMES
    assert data.images.shape == (N, 55, 47, 3)
    for i, name in enumerate(NAMES):
        np.testing.assert_array_equal(data.attributes[name], values[:, i] == 1)
    assert (data.split[parts == 1] == -1).all()  # reserved for the SVMs of other papers
    np.testing.assert_array_equal(data.split == TEST, parts == 2)
    validation = data.split == VALIDATION
    assert validation.any()
    assert (parts[validation] == 0).all()
    assert not set(people[validation]) & set(people[data.split == TRAIN])
    assert len(np.unique(data.labels["identity"])) == len(np.unique(people))
    np.testing.assert_array_equal(data.metadata["landmarks"], marks)
    official = load_celeba(celeba, validation="official")
    np.testing.assert_array_equal(official.split, parts)
    assert data.task("Bald").class_counts().sum() == (data.split == TRAIN).sum()


def test_pixels_belong_to_their_file_names(celeba):
    data = load_celeba(celeba)
    middle = data.images[:, 27, 23].astype(int)
    wanted = np.array([(i, 2 * i, 255 - i) for i in range(N)])
    assert np.abs(middle - wanted).max() <= 4  # JPEG


def test_the_crop_contains_the_face(tmp_path):
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


def test_a_zip_file_and_csv_lists_give_equal_data(celeba, tmp_path):
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
    """Converts the list of attributes to other conventions, with the names of columns first."""

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
def test_files_in_other_conventions_give_equal_data(celeba, harm):
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


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda h: (h / ATTR).unlink(), "lacks list_attr_celeba.txt"),
        (lambda h: (h / PART).unlink(), "lacks list_eval_partition.txt"),
        (lambda h: shutil.rmtree(h / "Img"), "neither a folder img_align_celeba nor"),
        (lambda h: cut(h / ATTR, 30), r"announces 120 images but has lines for 90"),
        (lambda h: cut_mid_line(h / ATTR), r"line 122 \(000120.jpg\) has 1 values.*cut off"),
        (lambda h: say(h / ATTR, 6, "3"), "line 9 has '3' for 5_o_Clock_Shadow of 000007.jpg"),
        (lambda h: change(h / ATTR, "000007.jpg", "000008.jpg"), "two lines for 000008.jpg"),
        (lambda h: change(h / ATTR, "Bald", "Young"), "has two columns Young"),
        (lambda h: change(h / ATTR, "000007.jpg", "\0" * 99), r"no line for \?{40}\.\.\., and"),
        (lambda h: change(h / ATTR, "120", "many"), "must begin with the number"),
        (lambda h: (h / ATTR).write_bytes(b"\xff\xfe\xff"), "cannot be read as text"),
        (lambda h: (h / ATTR).write_text(""), "must begin with the number"),
        (lambda h: cut(h / PART, 3), "no line for 000118.jpg, and lacks 3 of the 120"),
        (lambda h: change(h / PART, "000005.jpg 0", "000005.jpg 7"), "000005.jpg into part 7"),
        (lambda h: change(h / PART, "000005.jpg 0", "000005.jpg x"), "line 5 has 'x'"),
        (lambda h: change(h / PART, "000005.jpg 0", f"000005.jpg {2**40}"), "line 5 has"),
        (lambda h: all_parts(h / PART, 0), "no test image"),
        (lambda h: (h / "Anno/identity_CelebA.txt").write_text("\n"), "has no line"),
    ],
)
def test_an_error_names_a_damaged_list(celeba, harm, message):
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
