"""Parquet, .npz, CIFAR's batches and the collection facial_expressions, against naive readers."""

import io
import json
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clmle import InputError
from clmle.__main__ import main
from clmle.data import dataset_info, load_dataset
from clmle.data.parquet import load_parquet

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
RNG = np.random.default_rng(0)


def png(pixels):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def pictures(n, side=16, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, 3), dtype=np.uint8)


def write(file, pixels, columns, features=None, image="image", plain=False):
    """A Parquet file as the Hugging Face Hub has it; ``plain``: the bytes without a struct."""
    data = [png(p) for p in pixels]
    images = data if plain else [{"bytes": d, "path": None} for d in data]
    kind = pa.binary() if plain else pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    table = pa.table({image: pa.array(images, kind), **columns})
    if features:
        described = {image: {"_type": "Image"}, **features}
        meta = {"huggingface": json.dumps({"info": {"features": described}})}
        table = table.replace_schema_metadata(meta)
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, file, row_group_size=7)


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


# --- .npz -----------------------------------------------------------------------------------


def medmnist(channels=3, labels=1, n=(40, 12, 20)):
    arrays = {}
    for split, count in zip(("train", "val", "test"), n, strict=True):
        shape = (count, 28, 28, 3) if channels == 3 else (count, 28, 28)
        arrays[f"{split}_images"] = RNG.integers(0, 256, shape, dtype=np.uint8)
        found = RNG.integers(0, 2 if labels > 1 else 4, (count, labels), dtype=np.uint8)
        found[:4, 0] = [0, 1, 0, 1] if labels > 1 else range(4)
        arrays[f"{split}_labels"] = found
    return arrays


@pytest.mark.parametrize("channels", [1, 3])
def test_medmnist_files_have_their_splits_images_and_labels(tmp_path, channels):
    arrays = medmnist(channels)
    np.savez_compressed(tmp_path / "toymnist.npz", **arrays)
    dataset = load_dataset(str(tmp_path / "toymnist.npz"), image_size=28)
    for kind, split in enumerate(("train", "val", "test")):
        rows = dataset.split == kind
        pixels = arrays[f"{split}_images"].reshape(-1, 28, 28, channels)
        assert (dataset.images[rows] == pixels).all()
        assert (dataset.labels["label"][rows] == arrays[f"{split}_labels"][:, 0]).all()
    assert main(["data", str(tmp_path / "toymnist.npz")]) == 0


def test_several_labels_of_an_image_are_attributes(tmp_path):
    arrays = medmnist(1, 14)
    np.savez(tmp_path / "chest.npz", **arrays)
    dataset = load_dataset(str(tmp_path / "chest.npz"))
    assert len(dataset.attributes) == 14
    expected = np.concatenate([arrays[f"{s}_labels"][:, 3] for s in ("train", "val", "test")])
    assert (dataset.attributes["label_3"] == expected).all()


@pytest.mark.parametrize(
    ("image", "label"),
    [("images", "labels"), ("x", "y"), ("X", "targets"), ("arr_0", "arr_1"), ("data", "target")],
)
def test_pairs_of_images_and_labels_have_any_usual_name(tmp_path, image, label):
    pixels, classes = pictures(30, 28), np.arange(30) % 3
    np.savez(tmp_path / "a.npz", **{image: pixels, label: classes})
    dataset = load_dataset(str(tmp_path / "a.npz"))
    assert (dataset.images == pixels).all()
    assert (dataset.labels[dataset.targets[0]] == classes).all()


@pytest.mark.parametrize(
    "convert",
    [lambda p: p / 255, lambda p: (p / 255).astype(np.float32), lambda p: p.astype(np.int64),
     lambda p: p.astype(np.float64), lambda p: p.transpose(0, 3, 1, 2)],
)  # fmt: skip
def test_pixels_of_other_types_and_layouts_are_the_same_pixels(tmp_path, convert):
    pixels = pictures(12, 28)
    np.savez(tmp_path / "a.npz", x_train=convert(pixels), y_train=np.arange(12) % 2)
    assert (load_dataset(str(tmp_path / "a.npz")).images == pixels).all()


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"images": np.zeros((4, 28, 28)) - 1.5, "labels": np.arange(4)}, "before they are norm"),
        ({"images": np.full((4, 28, 28), np.nan), "labels": np.arange(4)}, "must be 0 to 255"),
        ({"images": np.zeros((4, 28, 28), np.uint8), "labels": np.arange(5)}, "5 rows in labels"),
        ({"images": np.zeros((4, 28, 28), np.uint8)}, "no labels"),
        ({"images": np.zeros((4, 8, 28, 28), np.uint8), "labels": np.arange(4)}, "volumes"),
        ({"a": np.zeros((4, 8, 8), np.uint8), "b": np.zeros((4, 8, 8), np.uint8)}, "several arr"),
        ({"images": np.zeros((4, 8, 8), np.uint8), "labels": np.eye(4) * 7}, "other values"),
    ],
)
def test_arrays_that_are_no_images_with_labels_are_refused(tmp_path, arrays, sentence):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(InputError, match=sentence):
        load_dataset(str(tmp_path / "a.npz"))


def test_names_of_classes_and_rows_of_a_single_one_are_read(tmp_path):
    classes = np.arange(30) % 3
    names = np.array(["red", "green", "blue"])
    np.savez(tmp_path / "a.npz", images=pictures(30), labels=np.eye(3)[classes], class_names=names)
    dataset = load_dataset(str(tmp_path / "a.npz"))
    assert dataset.class_names["label"] == ("red", "green", "blue")
    assert (dataset.labels["label"] == classes).all()


# --- CIFAR ----------------------------------------------------------------------------------


def write_cifar(folder, fine=False, n=20, protocol=2):
    """Batches with few images in the published form; the pixels and labels in order."""
    folder.mkdir(parents=True)
    images, labels = [], []
    batches = (
        ["train", "test"] if fine else [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    )
    for b, name in enumerate(batches):
        pixels = pictures(n, 32, seed=b)
        label = (np.arange(n) % 10).tolist()
        content = {
            b"data": pixels.transpose(0, 3, 1, 2).reshape(n, -1),
            b"batch_label": name.encode(), b"filenames": [b"%d_%d.png" % (b, i) for i in range(n)],
            **({b"fine_labels": label, b"coarse_labels": [v // 5 for v in label]} if fine
               else {b"labels": label}),
        }  # fmt: skip
        (folder / name).write_bytes(pickle.dumps(content, protocol=protocol))
        images.append(pixels)
        labels += label
    words = [f"class {i}".encode() for i in range(10)]
    meta = ({b"fine_label_names": words, b"coarse_label_names": [b"low", b"high"]} if fine
            else {b"label_names": words, b"num_cases_per_batch": n, b"num_vis": 3072})  # fmt: skip
    (folder / ("meta" if fine else "batches.meta")).write_bytes(pickle.dumps(meta, protocol))
    return np.concatenate(images), np.array(labels)


@pytest.mark.parametrize("protocol", [2, 4, 5])
@pytest.mark.parametrize("fine", [False, True])
def test_cifar_as_published(tmp_path, fine, protocol):
    folder = tmp_path / ("cifar-100-python" if fine else "cifar-10-batches-py")
    images, labels = write_cifar(folder, fine, protocol=protocol)
    n_test = 20
    for path in (folder, tmp_path):
        dataset = load_dataset(str(path))
        assert (dataset.images == images).all()
        assert (dataset.labels["label"] == labels).all()
        assert dataset.class_names["label"][3] == "class 3"
        assert set(dataset.split[:-n_test]) == {0, 1}
        assert set(dataset.split[-n_test:]) == {2}
        assert (dataset.metadata["published_split"][-n_test:] == 2).all()
        assert dataset.metadata["file"][1] == "0_1.png"
    if fine:
        assert dataset.class_names["superclass"] == ("low", "high")
        assert (dataset.labels["superclass"] == labels // 5).all()


def test_cifar_in_its_archive_and_by_name(tmp_path, monkeypatch):
    images, _ = write_cifar(tmp_path / "cifar-10-batches-py")
    with tarfile.open(tmp_path / "cifar-10-python.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "cifar-10-batches-py", "cifar-10-batches-py")
    dataset = load_dataset(str(tmp_path / "cifar-10-python.tar.gz"))
    assert (dataset.images == images).all()
    monkeypatch.setenv("CLMLE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "sk"))
    monkeypatch.chdir(tmp_path / "cifar-10-batches-py")
    assert dataset_info("cifar10").state() == "needs a download"
    (tmp_path / "cache" / "cifar10").mkdir(parents=True)
    (tmp_path / "cifar-10-batches-py").rename(tmp_path / "cache/cifar10/cifar-10-batches-py")
    assert dataset_info("cifar10").is_ready("quick", 32)
    assert (load_dataset("cifar10").images == images).all()


class Harmful:
    def __reduce__(self):
        return (print, ("executed",))


def test_no_pickle_of_cifar_is_executed(tmp_path, capsys):
    folder = tmp_path / "cifar-10-batches-py"
    write_cifar(folder)
    (folder / "data_batch_2").write_bytes(pickle.dumps({b"data": Harmful()}))
    with pytest.raises(InputError, match="data_batch_2 is not read"):
        load_dataset(str(folder))
    assert "executed" not in capsys.readouterr().out
    (folder / "data_batch_2").unlink()
    with pytest.raises(InputError, match="lacks CIFAR's data_batch_2"):
        load_dataset(str(folder))


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "lfw", "olivetti"])
def test_without_files_and_network_one_sentence_says_what_to_do(tmp_path, monkeypatch, name):
    import urllib.request

    def offline(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setattr(urllib.request, "urlopen", offline)
    for module in ("sklearn.datasets._base", "sklearn.datasets._lfw"):
        monkeypatch.setattr(f"{module}.urlretrieve", offline, raising=False)
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "sk"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert dataset_info(name).needs_download
    assert not dataset_info(name).is_ready("quick", 32)
    with pytest.raises(InputError, match=f"(?i){name} is not (in|on)") as error:
        load_dataset(name)
    assert "\n" not in str(error.value)


# --- facial_expressions ---------------------------------------------------------------------


def test_facial_expressions_have_expressions_and_identities_of_the_file_names(tmp_path):
    """Some rows of the published legend are separated by tabs, some expressions are adjectives."""
    rows = []
    (tmp_path / "images").mkdir()
    (tmp_path / "data").mkdir()
    people = ("Aaron_Guiel_", "Bob_", "Ann-Lee_Van_der_", "Trump", "Obama", "Zoe_", "Kim", "Max_")
    for i, name in enumerate(people):
        for k in range(1, 6):
            file = f"{name}{k:04d}.jpg"
            Image.fromarray(pictures(1, 20, seed=10 * i + k)[0]).save(tmp_path / "images" / file)
            word = ("neutral", "HAPPINESS", "angry")[k % 3]
            rows.append(("\t" if i > 3 else ",").join(["302", file, word]))
    text = "user.id,image,emotion\n" + "\n".join([*rows, "1,missing_0001.jpg,fear"]) + "\n"
    (tmp_path / "data" / "legend.csv").write_text(text)
    assert dataset_info(str(tmp_path)).name == "facial_expressions"
    dataset = load_dataset(str(tmp_path))
    assert dataset.class_names["expression"] == ("anger", "happiness", "neutral")
    assert dataset.class_names["identity"] == (
        "Aaron_Guiel", "Ann-Lee_Van_der", "Bob", "Kim", "Max", "Obama", "Trump", "Zoe",
    )  # fmt: skip
    for c in range(8):
        assert len(set(dataset.split[dataset.labels["identity"] == c])) == 1
    assert any("1 of the 41" in text for text in dataset.warnings)
    known = load_dataset(str(tmp_path), identities=True)
    assert (known.task("identity").class_counts() >= 3).all()
