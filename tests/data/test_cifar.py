"""CIFAR as published: its batches, their archive, and its name."""

import pickle
import tarfile

import numpy as np
import pytest

from clmle import InputError
from clmle.data import dataset_info, load_dataset
from tests.data.made_images import pictures


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


ODD = [None, True, 7, "x", {}, [None] * 20, [[0]] * 20, [b"a"] * 3, np.arange(20)]


@pytest.mark.parametrize("value", [*ODD, [b"a"] * 10])
def test_names_of_classes_that_are_no_texts_are_a_sentence(value, tmp_path):
    write_cifar(tmp_path / "c")
    (tmp_path / "c" / "batches.meta").write_bytes(pickle.dumps({b"label_names": value}))
    with pytest.raises(InputError, match=r"label_names of .* get the archive again\.$"):
        load_dataset(str(tmp_path / "c"))


@pytest.mark.parametrize("value", ODD)
def test_names_of_files_that_are_no_texts_are_a_sentence(value, tmp_path):
    write_cifar(tmp_path / "c")
    batch = pickle.loads((tmp_path / "c" / "data_batch_2").read_bytes())
    (tmp_path / "c" / "data_batch_2").write_bytes(pickle.dumps(batch | {b"filenames": value}))
    with pytest.raises(InputError, match="filenames of CIFAR's data_batch_2 is no list"):
        load_dataset(str(tmp_path / "c"))


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
