"""Parquet files of the Hugging Face Hub, against the rows they were made of."""

from pathlib import Path

import numpy as np
import pytest

from clmle import InputError
from clmle.data import dataset_info, load_dataset
from clmle.data.parquet import load_parquet
from tests.data.made_images import pa, pictures, png, pq, write

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
RNG = np.random.default_rng(0)

CLASSES = {"label": {"_type": "ClassLabel", "names": ["zebra", "ant", "cow"]}}


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("features", [None, CLASSES])
def test_a_parquet_file_has_the_images_and_labels_of_its_rows(tmp_path, plain, features):
    pixels, label = pictures(60), np.arange(60) % 3
    write(tmp_path / "a.parquet", pixels, {"label": label}, features, plain=plain)
    path = str(tmp_path / "a.parquet")
    assert dataset_info(path).title == "Parquet files with images"
    dataset = load_dataset(path, image_size=16)
    assert (dataset.images == pixels).all()
    assert (dataset.labels["label"] == label).all()
    names = ("zebra", "ant", "cow") if features else ("0", "1", "2")
    assert dataset.class_names["label"] == names
    assert all((dataset.task().class_counts(s) > 0).all() for s in ("train", "validation", "test"))


@pytest.mark.parametrize(
    "names",
    [
        ("data/train-00000-of-00002", "data/train-00001-of-00002", "data/validation-00000-of-00001",
         "data/test-00000-of-00001"),
        ("default/train/0000", "default/train/0001", "default/val/0000", "default/test/0000"),
        ("toy-train-0", "toy-train-1", "toy-dev", "toy_test"),
        ("Train_1", "Train_2", "Valid", "Testing"),
    ],
)  # fmt: skip
def test_files_named_by_splits_are_these_splits(tmp_path, names):
    for i, name in enumerate(names):
        write(tmp_path / f"{name}.parquet", pictures(9, seed=i), {"label": np.arange(9) % 3})
    (tmp_path / "README.md").write_text("a data set")
    dataset = load_dataset(str(tmp_path), image_size=16)
    expected = {0: np.r_[pictures(9, seed=0), pictures(9, seed=1)], 1: pictures(9, seed=2),
                2: pictures(9, seed=3)}  # fmt: skip
    for kind, pixels in expected.items():
        found = dataset.images[dataset.split == kind]
        assert sorted(map(bytes, found)) == sorted(map(bytes, pixels))


def test_a_missing_validation_split_is_drawn_from_the_training_images(tmp_path):
    write(tmp_path / "train.parquet", pictures(80), {"label": np.arange(80) % 2})
    write(tmp_path / "test.parquet", pictures(30, seed=1), {"label": np.arange(30) % 2})
    dataset = load_dataset(str(tmp_path / "*.parquet"), image_size=16)
    assert np.bincount(dataset.split).tolist() == [70, 10, 30]
    assert any("validation" in text for text in dataset.warnings)


def test_attributes_of_a_celeba_mirror(tmp_path):
    """Boolean columns, 1 and -1, 1 and 0 with missing values, and classes of yes and no."""
    n = 40
    smiling = RNG.integers(0, 2, n)
    columns = {
        "Smiling": smiling.astype(bool), "Bald": smiling * 2 - 1,
        "Young": pa.array([None if i == 3 else int(v) for i, v in enumerate(smiling)]),
        "Male": smiling, "celeb_id": np.arange(n) % 20, "bbox": pa.array([[1, 2]] * n),
        "image_id": [f"{i:06d}.jpg" for i in range(n)],
    }  # fmt: skip
    features = {"Male": {"_type": "ClassLabel", "names": ["False", "True"]}}
    write(tmp_path / "a.parquet", pictures(n), columns, features)
    dataset = load_parquet(tmp_path / "a.parquet", image_size=16)
    assert set(dataset.attributes) == {"Smiling", "Bald", "Young", "Male"}
    for name in ("Smiling", "Bald", "Male"):
        assert (dataset.attributes[name] == smiling).all(), name
    expected = smiling.copy()
    expected[3] = -1
    assert (dataset.attributes["Young"] == expected).all()
    assert dataset.metadata["file"][7] == "000007.jpg"
    assert any("bbox" in text for text in dataset.warnings)
    assert dataset.targets[0] in dataset.attributes
    assert [len(set(dataset.split[dataset.labels["identity"] == c])) for c in range(20)] == [1] * 20


def test_test_images_without_labels_are_left_out_and_others_are_drawn(tmp_path):
    write(tmp_path / "train.parquet", pictures(80), {"label": np.arange(80) % 2}, CLASSES)
    hidden = pa.array([-1] * 30, pa.int64())
    write(tmp_path / "test.parquet", pictures(30, seed=1), {"label": hidden}, CLASSES)
    with pytest.warns(UserWarning, match="30 test images have no label"):
        dataset = load_parquet(tmp_path, image_size=16)
    assert (dataset.split[:30] == -1).all()  # rows of test.parquet come first
    assert np.bincount(dataset.split[dataset.split >= 0]).min() > 0


def test_images_of_an_identity_are_in_one_split_unless_identities_are_learned(tmp_path):
    identity = np.repeat([f"p{i:02d}" for i in range(30)], 6)
    mood = np.resize(["happy", "sad"], 180)
    write(tmp_path / "a.parquet", pictures(180), {"identity": identity, "mood": mood})
    apart = load_dataset(str(tmp_path / "a.parquet"), image_size=16)
    assert apart.targets[0] == "mood"
    for name in set(identity):
        assert len(set(apart.split[identity == name])) == 1
    known = load_dataset(str(tmp_path / "a.parquet"), identities=True, image_size=16)
    assert known.task().name == "a/identity"
    assert known.task("identity").class_counts("train").min() >= 4


def test_rows_without_an_image_are_left_out_and_named(tmp_path):
    pixels = pictures(30)
    data = [{"bytes": png(p), "path": None} for p in pixels]
    data[4] = {"bytes": b"no image", "path": None}
    data[5] = {"bytes": None, "path": "faces/5.jpg"}
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({"image": pa.array(data, kind), "label": np.arange(30) % 2})
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.warns(UserWarning, match=r"row 4 \(not an image\); row 5 \(only the name faces"):
        dataset = load_parquet(tmp_path / "a.parquet", image_size=16)
    assert (dataset.split[[4, 5]] == -1).all()


def test_a_part_of_a_data_set_is_read_with_a_warning(tmp_path):
    for name in ("x-train", "x-test", "other"):
        write(tmp_path / f"{name}.parquet", pictures(20), {"label": np.arange(20) % 2})
    with pytest.warns(UserWarning, match=r"Only x-train.parquet is read.*x-test.parquet"):
        load_parquet(tmp_path / "x-train.parquet", image_size=16)


def test_parquet_files_that_cannot_be_one_data_set_are_refused(tmp_path):
    write(tmp_path / "mix" / "a.parquet", pictures(6), {"label": np.arange(6)})
    write(tmp_path / "mix" / "b.parquet", pictures(6), {"mood": np.arange(6)})
    with pytest.raises(InputError, match="different columns"):
        load_dataset(str(tmp_path / "mix"))
    write(tmp_path / "names" / "train.parquet", pictures(6), {"label": np.arange(6)})
    write(tmp_path / "names" / "more.parquet", pictures(6), {"label": np.arange(6)})
    with pytest.raises(InputError, match=r"more\.parquet is not"):
        load_dataset(str(tmp_path / "names"))
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        load_dataset(str(tmp_path / "cut.parquet"))
    write(tmp_path / "two.parquet", pictures(6), {"left": [png(p) for p in pictures(6)]}, image="x")
    with pytest.raises(InputError, match="several columns of images"):
        load_dataset(str(tmp_path / "two.parquet"))


@pytest.mark.skipif(not SHARED.is_dir(), reason="../shared/data is not here")
def test_lfw_photographs_have_the_rows_of_the_file():
    table = pq.read_table(SHARED / "lfw_photographs.parquet").slice(0, 400)
    dataset = load_parquet(SHARED / "lfw_photographs.parquet", image_size=16)
    assert dataset.targets == ("expression", "identity")
    names = np.array([*dataset.class_names["expression"], ""])
    stated = names[dataset.labels["expression"][:400]]
    assert stated.tolist() == [v or "" for v in table["expression"].to_pylist()]
    identity = np.array(dataset.class_names["identity"])[dataset.labels["identity"]]
    assert identity[:400].tolist() == table["identity"].to_pylist()
    for name in set(identity[:400]):
        assert len(set(dataset.split[identity == name])) == 1
