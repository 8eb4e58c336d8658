"""A folder for each identity and the LFW list of pairs, valid and damaged."""

import numpy as np
import pytest

from clmle import InputError
from clmle.data.recognition.identities import load_identities, looks_like_identities
from clmle.data.recognition.pairs import load_lfw, read_pairs

from .writers import jpeg

PEOPLE = {"Ann_Bee": 6, "Cy": 5, "Dee_Eff": 1, "007": 2}


@pytest.fixture
def lfw(tmp_path):
    """Four identities; image i of all has gray level 12 i."""
    level = 0
    for name, count in sorted(PEOPLE.items()):
        (tmp_path / "lfw" / name).mkdir(parents=True)
        for i in range(1, count + 1):
            (tmp_path / "lfw" / name / f"{name}_{i:04d}.jpg").write_bytes(
                jpeg(12 * level, (20, 30))
            )
            level += 1
    return tmp_path / "lfw"


def write_pairs(lfw, *lines, head="2\t2"):
    (lfw / "pairs.txt").write_text("\n".join([head, *lines]) + "\n")


FOLDS = (
    "Ann_Bee\t1\t4", "Cy\t5\t2", "Ann_Bee\t2\tCy\t1", "007\t1\tDee_Eff\t1",
    "Cy\t1\t3", "007\t2\t1", "Ann_Bee\t6\t007\t2", "Cy\t4\tDee_Eff\t1",
)  # fmt: skip


def level(images, row):
    return round(images[row, 8, 5, 0] / 12)


def test_identities_are_the_folders_and_pixels_keep_their_proportions(lfw):
    data = load_identities(lfw, image_size=30)
    assert data.images.shape == (14, 30, 20, 3)
    assert data.class_names["identity"] == tuple(sorted(PEOPLE))
    assert np.bincount(data.labels["identity"]).tolist() == [PEOPLE[n] for n in sorted(PEOPLE)]
    assert [level(data.images, i) for i in range(14)] == list(range(14))
    assert data.metadata["file"][2] == "Ann_Bee/Ann_Bee_0001.jpg"
    assert data.task("identity").n_classes == 4


def test_the_parent_folder_is_accepted(lfw):
    outer = load_identities(lfw.parent, image_size=16)
    np.testing.assert_array_equal(outer.images, load_identities(lfw, image_size=16).images)


def test_many_folders_are_read_as_identities(tmp_path):
    for i in range(99):
        (tmp_path / "d" / f"{i}").mkdir(parents=True)
    assert not looks_like_identities(tmp_path / "d")
    (tmp_path / "d" / "99").mkdir()
    assert looks_like_identities(tmp_path / "d")
    assert looks_like_identities(tmp_path)


def test_damaged_files_are_counted_named_and_left_out(lfw):
    (lfw / "Cy" / "Cy_0002.jpg").write_bytes(b"no image at all")
    (lfw / "Cy" / "notes.txt").write_text("not an image, and not named")
    (lfw / "007" / "007_0001.jpg").write_bytes(jpeg(5)[:150])
    with pytest.warns(UserWarning, match="2 of 14 files") as warned:
        data = load_identities(lfw, image_size=16)
    text = str(warned[0].message)
    assert "Cy/Cy_0002.jpg (not an image)" in text
    assert "007/007_0001.jpg" in text
    assert (data.split == -1).sum() == 2
    assert data.task("identity").class_counts().sum() < 12
    with pytest.warns(UserWarning, match="2 of 14"):  # repeated when read from the cache
        load_identities(lfw, image_size=16)


def test_pairs_refer_to_the_right_images(lfw):
    write_pairs(lfw, *FOLDS)
    found = load_lfw(lfw, image_size=30)
    pairs, images = found.pairs, found.images
    assert pairs.same.tolist() == [True, True, False, False] * 2
    assert pairs.fold.tolist() == [0] * 4 + [1] * 4
    # Rows: 007 0-1, Ann_Bee 2-7, Cy 8-12, Dee_Eff 13.
    assert pairs.first.tolist() == [2, 12, 3, 0, 8, 1, 7, 11]
    assert pairs.second.tolist() == [5, 9, 8, 13, 10, 0, 1, 13]
    assert [level(images, i) for i in pairs.first] == pairs.first.tolist()


def test_the_development_list_is_one_fold(lfw):
    write_pairs(lfw, FOLDS[0], FOLDS[2], head="1")
    assert load_lfw(lfw, image_size=16).pairs.fold.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("line", "head", "sentence"),
    [
        ("Zoe\t1\t2", "2\t2", r"line 3 names Zoe/Zoe_0001, which is not among"),
        ("Cy\t1\t77", "2\t2", r"line 3 names Cy/Cy_0077, which is not among"),
        ("Cy one 2", "2\t2", r"line 3 is 'Cy one 2', but must be"),
        ("Cy", "2\t2", "line 3 is 'Cy', but must be"),
        ("Cy\t5\t2", "ten", "line 1 is 'ten', but must have"),
        ("Cy\t5\t2", "0\t300", "line 1 is"),
        ("Cy\t5\t2", "10\t300", "announces 10 x 600 pairs but has 8"),
        ("Cy\t5\t007\t1", "2\t2", "1 matched pairs in fold 1, but announces 2"),
    ],
)
def test_an_error_names_the_line_of_an_invalid_list(lfw, line, head, sentence):
    write_pairs(lfw, FOLDS[0], line, *FOLDS[2:], head=head)
    with pytest.raises(InputError, match=sentence):
        load_lfw(lfw, image_size=16)


def test_a_pair_with_a_damaged_image_is_named(lfw):
    write_pairs(lfw, *FOLDS)
    (lfw / "Dee_Eff" / "Dee_Eff_0001.jpg").write_bytes(b"x")
    with (
        pytest.warns(UserWarning, match="1 of 14"),
        pytest.raises(InputError, match="line 5 names Dee_Eff/Dee_Eff_0001, which cannot be read"),
    ):
        load_lfw(lfw, image_size=16)


def test_missing_lists_and_folders_are_one_sentence_errors(lfw, tmp_path):
    with pytest.raises(InputError, match=r"no pairs\.txt in"):
        load_lfw(lfw)
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(InputError, match="is empty"):
        read_pairs(tmp_path / "empty.txt", [])
    with pytest.raises(InputError, match="no folder"):
        load_identities(tmp_path / "gone")
    (tmp_path / "one" / "only").mkdir(parents=True)
    (tmp_path / "one" / "only" / "a.jpg").write_bytes(jpeg(3))
    with pytest.raises(InputError, match="images of 1 identities"):
        load_identities(tmp_path / "one")


def test_a_test_set_may_have_identities_of_few_images(tmp_path):
    for name in ("Ann", "Bob"):
        (tmp_path / "t" / name).mkdir(parents=True)
        for i in (1, 2):
            (tmp_path / "t" / name / f"{name}_{i:04d}.jpg").write_bytes(jpeg(50 * i))
    (tmp_path / "list.txt").write_text("1\nAnn\t1\t2\nAnn\t1\tBob\t2\n")
    found = load_lfw(tmp_path / "t", tmp_path / "list.txt", image_size=16)
    assert found.pairs.second.tolist() == [1, 3]


def test_names_of_pairs_may_have_spaces_and_numbers(tmp_path):
    names = ["Mary Ann", "Agent 47", "7", "Jo_El"]
    files = [f"{name}/{name}_{i:04d}.jpg" for name in names for i in (1, 2)]
    lines = [["Mary Ann", "1", "2"], ["Agent 47", "1", "2"], ["Jo El", "1", "2"],
             ["7", "2", "Mary Ann", "1"], ["Agent 47", "1", "7", "2"],
             ["Mary Ann", "2", "Agent 47", "1"]]  # fmt: skip
    path = tmp_path / "pairs.txt"
    path.write_text("1 3\n" + "".join("\t".join(line) + "\n" for line in lines))
    pairs = read_pairs(path, files)
    assert pairs.same.tolist() == [True] * 3 + [False] * 3
    assert pairs.first.tolist() == [0, 2, 6, 5, 2, 1]
    assert pairs.second.tolist() == [1, 3, 7, 0, 5, 2]


def test_spaces_separate_names_without_spaces(tmp_path):
    files = [f"{n}/{n}_{i:04d}.jpg" for n in ("Ann_Lee", "Bo") for i in (1, 2)]
    (tmp_path / "pairs.txt").write_text("1 1\nBo 1 2\nAnn_Lee 2 Bo 1\n")
    pairs = read_pairs(tmp_path / "pairs.txt", files)
    assert (pairs.first.tolist(), pairs.second.tolist()) == ([2, 1], [3, 2])
    (tmp_path / "pairs.txt").write_text("1 1\nBo 1 2\nAnn Lee 2 Bo 1\n")
    with pytest.raises(InputError, match=r"line 3 is .* separated by tabs"):
        read_pairs(tmp_path / "pairs.txt", files)
