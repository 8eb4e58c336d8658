"""LFWA files in both MATLAB formats, valid and damaged."""

import h5py
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from clmle import InputError
from clmle.data import dataset_info, is_lfwa, load_dataset, load_lfwa
from clmle.data.base import TEST, TRAIN, VALIDATION
from clmle.presets import preset_config

NAMES = ("5 o'Clock Shadow", "Bald", "Young")
PEOPLE = 12


def write_hdf5(path, **variables):
    """As MATLAB 7.3 does: columns first, cell arrays as references, texts as UTF-16 numbers."""
    with h5py.File(path, "w") as file:
        for name, value in variables.items():
            if isinstance(value, list):
                references = np.empty((1, len(value)), dtype=h5py.ref_dtype)
                for i, text in enumerate(value):
                    codes = np.frombuffer(text.encode("utf-16-le"), dtype=np.uint16)
                    references[0, i] = file.create_dataset(
                        f"#refs#/{name}{i}", data=codes[:, None]
                    ).ref
                file.create_dataset(name, data=references)
            else:
                file.create_dataset(name, data=np.asarray(value).T)


def write_old(path, **variables):
    cells = {
        n: np.array(v, dtype=object)[:, None] if isinstance(v, list) else np.asarray(v)
        for n, v in variables.items()
    }
    savemat(path, cells)


@pytest.fixture(params=[write_hdf5, write_old])
def lfwa(request, tmp_path, monkeypatch):
    monkeypatch.setenv("CLMLE_CACHE", str(tmp_path / "cache"))
    home = tmp_path / "LFWA"
    rng = np.random.default_rng(0)
    files = []
    for person in range(PEOPLE):
        (home / "lfw" / f"P_{person}").mkdir(parents=True)
        for i in range(1 + person % 4):
            files.append(f"P_{person}\\P_{person}_{i + 1:04d}.jpg")
            gray = 10 * len(files)
            Image.new("RGB", (250, 250), (gray % 256, 0, 255 - gray % 256)).save(
                home / "lfw" / files[-1].replace("\\", "/"), quality=95
            )
    labels = rng.integers(0, 2, (len(files), len(NAMES))).astype(float)
    first = int(0.6 * len(files))
    parts = {
        "indices_img_train": np.arange(1, first + 1.0)[:, None],
        "indices_img_test": np.arange(first + 1.0, len(files) + 1)[:, None],
    }
    write = request.param
    write(home / "lfw_att_40.mat", AttrName=list(NAMES), name=files, label=labels)
    write(home / "indices_train_test.mat", **parts)
    return home, files, labels, first, write


def test_labels_splits_identities_and_pixels_match_the_files(lfwa):
    home, files, labels, first, _ = lfwa
    data = load_dataset(str(home), image_size=55)
    assert is_lfwa(home)
    wanted = ("5_o'Clock_Shadow", "Bald", "Young")
    assert tuple(data.attributes) == wanted
    assert data.targets == dataset_info(str(home)).target_names(str(home))
    np.testing.assert_array_equal(np.stack(list(data.attributes.values()), 1), labels)
    assert data.images.shape == (len(files), 55, 47, 3)
    for i in range(len(files)):
        assert abs(int(data.images[i, 20, 20, 0]) - 10 * (i + 1) % 256) <= 4
    assert set(np.flatnonzero(data.split == TEST)) == set(range(first, len(files)))
    owner = data.labels["identity"]
    train, validation = (set(owner[data.split == s]) for s in (TRAIN, VALIDATION))
    assert train
    assert validation
    assert not train & validation
    assert preset_config("quick", "clmle", str(home)).data.image_size == 55


def test_missing_and_damaged_photographs_are_left_out_and_named(lfwa):
    home, files, *_ = lfwa
    (home / "lfw" / files[1].replace("\\", "/")).unlink()
    (home / "lfw" / files[2].replace("\\", "/")).write_bytes(b"no image")
    with pytest.warns(UserWarning, match=r"2 of \d+ photographs are left out") as caught:
        data = load_lfwa(home)
    (said,) = [str(w.message) for w in caught if w.category is UserWarning]
    assert "_0001.jpg (missing)" in said or "_0002.jpg (missing)" in said
    assert "(not an image)" in said
    assert (data.split[[1, 2]] == -1).all()
    assert data.warnings == (said,)
    whole = (home / "lfw" / files[3].replace("\\", "/")).read_bytes()
    for i in (1, 2):  # repaired in place
        (home / "lfw" / files[i].replace("\\", "/")).write_bytes(whole)
    assert load_lfwa(home).warnings == ()


def test_damaged_tables_are_one_sentence_errors(lfwa):
    home, files, labels, _, write = lfwa
    table, parts = home / "lfw_att_40.mat", home / "indices_train_test.mat"
    write(table, AttrName=list(NAMES), name=files, label=labels[:-1])
    with pytest.raises(InputError, match="labels of shape"):
        load_lfwa(home)
    write(table, AttrName=list(NAMES), name=["../../secret.jpg", *files[1:]], label=labels)
    with pytest.raises(InputError, match="lies outside"):
        load_lfwa(home)
    write(table, name=files, label=labels)
    with pytest.raises(InputError, match="no variable AttrName"):
        load_lfwa(home)
    write(table, AttrName=list(NAMES), name=files, label=labels)
    write(parts, indices_img_train=np.array([[1.0], [999.0]]), indices_img_test=np.ones((1, 1)))
    with pytest.raises(InputError, match="holds 999"):
        load_lfwa(home)
    table.write_bytes(table.read_bytes()[:300])
    with pytest.raises(InputError, match="cannot be read"):
        load_lfwa(home)
    parts.unlink()
    with pytest.raises(InputError, match=r"lacks indices_train_test\.mat"):
        load_lfwa(home)
