"""LFW in scikit-learn's layout: identities, unseen pairs, and the same files as scikit-learn."""

import numpy as np
import pytest
from PIL import Image

from clmle.data import dataset_info, load_dataset
from clmle.data.recognition.open_set import load_open_set


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A copy with few photographs; DevTest has two identities that DevTrain does not have."""
    home = tmp_path / "scikit_learn_data" / "lfw_home"
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(home.parent))
    for c, name in enumerate(["Ann_Lee", "Bob", "Cy_Young", "Dee"]):
        folder = home / "lfw_funneled" / name
        folder.mkdir(parents=True)
        for i in range(1, 7):
            image = np.full((250, 250, 3), 40 * c + 5 * i, dtype=np.uint8)
            Image.fromarray(image).save(folder / f"{name}_{i:04d}.jpg")
    (home / "joblib").mkdir()
    (home / "pairsDevTrain.txt").write_text("1\nAnn_Lee\t1\t2\nAnn_Lee\t1\tBob\t2\n")
    (home / "pairsDevTest.txt").write_text("1\nCy_Young\t1\t4\nCy_Young\t2\tDee\t3\n")
    (home / "pairs.txt").write_text("1\t1\nAnn_Lee\t1\t2\nAnn_Lee\t1\tDee\t2\n")
    return home


def test_identities_of_the_test_pairs_are_unseen(home):
    assert dataset_info("lfw").state() == "ready"
    for where in ("lfw", str(home)):
        assert dataset_info(where).kind == "identities"
        dataset = load_dataset(where)
        assert dataset.class_names["identity"] == ("Ann_Lee", "Bob")
        assert dataset.images.shape[1:3] == (55, 47)
        assert np.bincount(dataset.split + 1).tolist() == [12, 8, 2, 2]
    found = load_open_set("lfw", image_size=(55, 47))
    pairs = found.metadata["file"][np.stack([found.pairs.first, found.pairs.second], 1)].tolist()
    assert pairs == [
        ["Cy_Young/Cy_Young_0001.jpg", "Cy_Young/Cy_Young_0004.jpg"],
        ["Cy_Young/Cy_Young_0002.jpg", "Dee/Dee_0003.jpg"],
    ]
    assert found.pairs.same.tolist() == [True, False]


def test_the_photographs_are_those_that_scikit_learn_finds(home, monkeypatch):
    from sklearn.datasets import fetch_lfw_people

    monkeypatch.setattr("sklearn.datasets._lfw.TARGETS", ())
    theirs = fetch_lfw_people(data_home=str(home.parent), download_if_missing=False, resize=None)
    ours = load_dataset("lfw")
    everyone = {name.split("/")[0].replace("_", " ") for name in ours.metadata["file"]}
    assert everyone == set(theirs.target_names)
    assert len(ours) == len(theirs.images)


def test_olivetti_has_forty_identities_of_scikit_learn(tmp_path, monkeypatch):
    joblib = pytest.importorskip("joblib")
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path))
    from sklearn.datasets import fetch_olivetti_faces

    faces = np.random.default_rng(0).uniform(0, 1, (400, 4096)).astype(np.float32)
    joblib.dump(faces, tmp_path / "olivetti_py3.pkz")
    dataset = load_dataset("olivetti")
    assert dataset.images.shape == (400, 64, 64, 1)
    theirs = fetch_olivetti_faces().images.astype(np.float64)
    assert (dataset.images[..., 0] == np.round(theirs * 255)).all()
    assert np.bincount(dataset.labels["identity"]).tolist() == [10] * 40
    assert np.bincount(dataset.split).tolist() == [320, 40, 40]
