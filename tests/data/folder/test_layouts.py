"""Folders of classes and splits: the right reading, or an error that names both readings."""

import pytest

from clmle import InputError
from clmle.data import load_folder
from clmle.data.base import LEFT_OUT, TEST, TRAIN, VALIDATION
from clmle.data.folder.split_names import split_of
from tests.data.folder.made import counts, picture, read, tree

GIVEN = {"cat": (6, 2, 3), "dog": (5, 1, 2)}
SIX = {"train__cat": 6, "train__dog": 5, "val__cat": 2, "val__dog": 1, "test__cat": 3,
       "test__dog": 2}  # fmt: skip


def renamed(**names):
    """The six folders with other names of the splits."""
    return {f"{names[k.split('__')[0]]}__{k.split('__')[1]}": n for k, n in SIX.items()}


@pytest.mark.parametrize(
    "folders",
    [
        SIX,
        {**SIX, "__MACOSX__train": 0, "empty": 0},
        {f"photos__v2__{name}": n for name, n in SIX.items()},
        renamed(train="training_set", val="dev", test="Test-Set"),
        renamed(train="train2017", val="val2017", test="test2017"),
        renamed(train="seg_train__seg_train", val="seg_dev__seg_dev", test="seg_test__seg_test"),
        {"__".join(reversed(name.split("__"))): n for name, n in SIX.items()},
        {f"{name.split('__')[0]}__images__{name.split('__')[1]}": n for name, n in SIX.items()},
        {**SIX, "unlabeled": 4},
        {**SIX, "samples": 4},
    ],
)
def test_splits_are_found(folders, tmp_path):
    dataset = read(tree(tmp_path / "d", **folders))
    assert counts(dataset) == GIVEN
    assert "train" in dataset.recognized


def test_folders_of_the_system_are_counted(tmp_path):
    home = tree(tmp_path / "d", **SIX, __MACOSX__train=0)
    (home / "__MACOSX").mkdir()
    (home / "__MACOSX" / "._cat.png").write_bytes(b"x")
    (home / "train" / ".DS_Store").write_bytes(b"x")
    assert len(read(home).skipped["hidden or of the system"]) == 2


def test_numbers_are_classes_and_in_order(tmp_path):
    assert list(counts(read(tree(tmp_path / "a", **{"0": 3, "1": 3})))) == ["0", "1"]
    many = read(tree(tmp_path / "b", **{str(i): 3 for i in range(12)}))
    assert many.class_names["label"] == tuple(map(str, range(12)))


def test_images_without_a_class_are_left_out_and_the_test_split_drawn(tmp_path):
    home = tree(tmp_path / "d", train__cat=10, train__dog=10, test=4)
    dataset = read(home)
    assert counts(dataset) == {"cat": (7, 1, 2), "dog": (7, 1, 2)}
    assert len(dataset.skipped["in test, but in no folder of a class"]) == 4
    assert any("drawn from the training images" in text for text in dataset.warnings)
    tiny = tree(tmp_path / "t", train__n1__images=9, train__n2__images=9, val__images=5)
    assert list(counts(read(tiny))) == ["n1", "n2"]


def test_a_given_validation_split_is_kept(tmp_path):
    dataset = read(tree(tmp_path / "d", train__a=10, train__b=10, val__a=3, val__b=2))
    assert counts(dataset) == {"a": (8, 3, 2), "b": (8, 2, 2)}


@pytest.mark.parametrize(
    "folders",
    [
        {"bus": 3, "car": 3, "train": 3},
        {"bus__old": 3, "train__old": 3},
        {"train__cat": 3, "train__dog": 3, "holdback__cat": 3, "holdback__dog": 3},
        {"v1__train": 3, "v1__test": 3, "extra": 3},
        {"train": 3, "test": 3, "other": 3},
        {f"{v}__{s}__{c}": 2 for v in ("v1", "v2") for s in ("train", "test") for c in "ab"},
        {"train_cats": 3, "train_dogs": 3, "test_cats": 2, "test_dogs": 2},
        {"cat__train": 3, "cat__test": 3, "dog": 3},
    ],
)
def test_two_readings_are_an_error_that_names_both(folders, tmp_path):
    with pytest.raises(InputError, match=r"classes.*(splits|versions)"):
        load_folder(tree(tmp_path / "d", **folders))


@pytest.mark.parametrize(
    ("folders", "message"),
    [
        ({"train": 3, "test": 3}, "no sub-folders"),
        ({"images": 3, "masks": 3}, "segmentation"),
        ({"images_001": 3, "images_002": 3}, "no sub-folders"),
        ({"images": 3}, "no sub-folders"),
    ],
)
def test_images_without_classes_are_an_error(folders, message, tmp_path):
    with pytest.raises(InputError, match=message):
        load_folder(tree(tmp_path / "d", **folders))


def test_a_table_names_the_classes_of_flat_splits(tmp_path):
    home = tree(tmp_path / "d", train=12, test=6)
    lines = [f"{f.name},{i % 2}" for i, f in enumerate(sorted(home.rglob("*.png")))]
    (home / "all.csv").write_text("\n".join(["id,label", *lines]))
    dataset = read(home)
    assert {name: n[2] for name, n in counts(dataset).items()} == {"0": 3, "1": 3}
    assert "the split by folders" in dataset.recognized


def test_images_in_a_folder_called_unlabeled_are_no_class(tmp_path):
    dataset = read(tree(tmp_path / "d", cat=4, dog=4, unlabeled=5))
    assert list(counts(dataset)) == ["cat", "dog"]
    assert len(dataset.skipped["in unlabeled"]) == 5


def test_the_same_sub_folders_are_the_classes(tmp_path):
    home = tree(tmp_path / "d", canon__cat=4, canon__dog=4, nikon__cat=4, nikon__dog=4)
    dataset = read(home)
    assert dataset.targets == ("label", "folder")
    assert dataset.class_names == {"label": ("cat", "dog"), "folder": ("canon", "nikon")}
    assert "canon, nikon" in dataset.warnings[0]


def test_classes_of_classes_are_no_splits(tmp_path):
    home = tree(tmp_path / "d", animals__cat=3, animals__dog=3, plants__oak=3, plants__elm=3)
    assert list(counts(read(home))) == ["animals", "plants"]


def test_other_sub_folders_belong_to_their_class(tmp_path):
    home = tree(tmp_path / "d", cat__indoor=3, cat__garden=3, dog__street=3, dog=2)
    assert {name: sum(n) for name, n in counts(read(home)).items()} == {"cat": 6, "dog": 5}


def test_classes_that_differ_in_capitals_between_splits_are_one(tmp_path):
    home = tree(tmp_path / "d", train__Cat=8, train__dog=8, test__cat=3, test__Dog=3)
    assert list(counts(read(home))) == ["Cat", "dog"]
    decomposed = picture(tmp_path / "e" / "train" / "cafe\u0301" / "0.png").parents[2]
    for i in range(8):
        picture(decomposed / "train" / "cafe\u0301" / f"{i}.png")
        picture(decomposed / "train" / "bar" / f"{i}.png")
        picture(decomposed / "test" / "caf\u00e9" / f"{i}.png")
        picture(decomposed / "test" / "bar" / f"{i}.png")
    assert list(counts(read(decomposed))) == ["bar", "caf\u00e9"]


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", TRAIN), ("Training", TRAIN), ("trainset", TRAIN), ("train_images", TRAIN),
        ("TrainData", TRAIN), ("X_train", TRAIN), ("trainval", TRAIN), ("01-train", TRAIN),
        ("dev", VALIDATION), ("valid", VALIDATION), ("val2017", VALIDATION),
        ("PublicTest", VALIDATION), ("PrivateTest", TEST), ("TEST", TEST), ("test1", TEST),
        ("hold-out", TEST), ("testing_data", TEST), ("seg_pred", LEFT_OUT),
        ("cat", None), ("test tube", None), ("train_station", None), ("trains", None),
        ("0", None), ("images", None), ("train_class", None), ("protest", None),
    ],
)  # fmt: skip
def test_names_of_splits(name, split):
    assert split_of(name) == split
