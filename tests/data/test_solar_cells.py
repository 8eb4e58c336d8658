"""Solar cells: published labels, whole modules in one split, cache, and a missing package."""

import shutil
from importlib import resources
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from clmle import InputError
from clmle.config import Config, DataConfig, TrainConfig
from clmle.data import load_dataset, load_solar_cells, solar_cells
from clmle.data.base import SPLITS
from clmle.training import prepare


@pytest.fixture(autouse=True)
def _shared_cache(tmp_path_factory, monkeypatch):
    """The 2,624 images are read once for all tests of this file."""
    home = tmp_path_factory.getbasetemp() / "solar-cells-cache"
    monkeypatch.setenv("CLMLE_CACHE", str(home))


@pytest.fixture
def small_package(tmp_path, monkeypatch):
    """A copy of the package with its first 200 images, to be damaged, and a separate cache."""
    data = tmp_path / "data"
    (data / "images").mkdir(parents=True)
    source = resources.files("elpv_dataset") / "data"
    lines = (source / "labels.csv").read_text().splitlines()[:200]
    (data / "labels.csv").write_text("\n".join(lines))
    for i in range(1, 201):
        shutil.copy(source / "images" / f"cell{i:04d}.png", data / "images")
    monkeypatch.setattr(solar_cells, "_package", lambda: (data, "0"))
    monkeypatch.setenv("CLMLE_CACHE", str(tmp_path / "cache"))
    return data


def test_class_counts_are_the_published_ones():
    dataset = load_solar_cells(16)
    assert dataset.images.shape == (2624, 16, 16, 1)
    assert np.bincount(dataset.labels["severity"]).tolist() == [1508, 295, 106, 715]
    by_type = {
        kind: np.bincount(dataset.labels["severity"][dataset.metadata["type"] == kind]).tolist()
        for kind in ("mono", "poly")
    }
    assert by_type == {"mono": [588, 117, 56, 313], "poly": [920, 178, 50, 402]}


def test_attributes_follow_the_probabilities_and_uncertain_labels_are_unknown():
    dataset = load_solar_cells(16)
    probability = dataset.metadata["probability"].round(2)
    found = {
        p: {n: set(v[probability == p].tolist()) for n, v in dataset.attributes.items()}
        for p in sorted(set(probability.tolist()))
    }
    assert {p: v["Defective"] for p, v in found.items()} == {
        0.0: {0}, 0.33: {-1}, 0.67: {-1}, 1.0: {1},
    }  # fmt: skip
    assert {p: v["Likely defective"] for p, v in found.items()} == {
        0.0: {0}, 0.33: {0}, 0.67: {1}, 1.0: {1},
    }  # fmt: skip
    mono = dataset.attributes["Monocrystalline"] == 1
    np.testing.assert_array_equal(mono, dataset.metadata["type"] == "mono")
    task = dataset.task()
    assert task.name == "solar-cells/Defective"
    assert sum(len(task.rows(s)) for s in SPLITS) == 1508 + 715


@pytest.mark.parametrize("seed", range(5))
def test_no_block_of_modules_is_split_and_every_class_is_in_every_part(seed):
    dataset = load_solar_cells(16, seed=seed)
    for block in range(len(solar_cells.BLOCKS)):
        assert len(set(dataset.split[dataset.metadata["block"] == block])) == 1
    for c in range(4):
        share = np.bincount(dataset.split[dataset.labels["severity"] == c], minlength=3)
        share = share / share.sum()
        np.testing.assert_allclose(share, solar_cells.FRACTIONS, atol=0.13)
    np.testing.assert_array_equal(dataset.split, load_solar_cells(16, seed=seed).split)


def test_seeds_give_different_splits():
    assert (load_solar_cells(16, seed=0).split != load_solar_cells(16, seed=1).split).any()


def test_borders_of_blocks_are_borders_of_modules():
    """Blocks do not mix the two types, and the appearance of images changes at their borders."""
    dataset = load_solar_cells(16)
    runs = [len(list(cells)) for _, cells in groupby(dataset.metadata["type"])]
    assert set(np.cumsum([0, *runs])[:-1]) <= set(solar_cells.BLOCKS)
    means = dataset.images.astype(float).mean(axis=(0, 3))
    pixels = (dataset.images[..., 0] - means).reshape(len(dataset), -1)

    def jump(cut):
        left, right = pixels[cut - 24 : cut], pixels[cut : cut + 24]
        return np.abs(np.median(left, axis=0) - np.median(right, axis=0)).mean()

    borders = [jump(cut) for cut in solar_cells.BLOCKS[1:]]
    within = [
        jump(start + 30)
        for start, end in zip(solar_cells.BLOCKS, solar_cells.BLOCKS[1:], strict=False)
        if end - start in (60, 54, 72)
    ]
    assert np.median(borders) > 1.5 * np.median(within)


def test_images_are_area_means_of_the_photographs():
    from PIL import Image

    dataset = load_solar_cells(15)
    folder = Path(str(resources.files("elpv_dataset"))) / "data"
    for row in (0, 777, 2623):
        with Image.open(folder / dataset.metadata["file"][row]) as image:
            photograph = np.asarray(image, dtype=np.float64)
        expected = photograph.reshape(15, 20, 15, 20).mean(axis=(1, 3))
        # Rows and columns are averaged one after the other, rounded each time.
        np.testing.assert_allclose(dataset.images[row, :, :, 0], expected, atol=1.0)


def test_the_imbalance_ratio_makes_defects_rare():
    data = DataConfig("solar-cells", image_size=16, imbalance="step", ratio=20)
    _, task = prepare(Config("softmax", None, data, TrainConfig()))
    sound, defective = task.class_counts("train")
    assert sound / defective == pytest.approx(20, rel=0.05)
    _, full = prepare(Config("softmax", None, DataConfig("solar-cells", image_size=16)))
    np.testing.assert_array_equal(task.test, full.test)


def test_the_second_load_uses_the_cache(small_package):
    reported = []
    first = load_solar_cells(12, progress=lambda *p: reported.append(p))
    assert reported[-1] == (200, 200)
    shutil.rmtree(small_package / "images")
    again = load_solar_cells(12, progress=lambda *p: pytest.fail("read again"))
    assert isinstance(again.images, np.memmap)
    np.testing.assert_array_equal(first.images, again.images)


def test_a_damaged_cache_is_rebuilt(small_package, tmp_path):
    first = np.array(load_solar_cells(12).images)
    (file,) = (tmp_path / "cache" / "solar-cells").glob("*/images.npy")
    file.write_bytes(file.read_bytes()[:-500])
    np.testing.assert_array_equal(load_solar_cells(12).images, first)


@pytest.mark.parametrize("damage", ["missing", "cut", "other"])
def test_an_error_names_an_invalid_image(small_package, damage):
    file = small_package / "images" / "cell0123.png"
    if damage == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:2000] if damage == "cut" else b"no image")
    with pytest.raises(InputError, match=r"cell0123\.png .*pip install --force-reinstall"):
        load_solar_cells(12)


def test_an_error_names_invalid_labels(small_package):
    (small_package / "labels.csv").write_text("images/cell0001.png  much  mono\n")
    with pytest.raises(InputError, match=r"labels\.csv"):
        load_solar_cells(12)


def test_a_missing_package_is_an_error_with_the_install_command(monkeypatch):
    def absent(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(solar_cells.resources, "files", absent)
    with pytest.raises(InputError, match="pip install elpv-dataset"):
        load_dataset("solar-cells", image_size=16)


@pytest.mark.parametrize("size", [7, 301])
def test_an_invalid_image_size_is_an_error(size):
    with pytest.raises(InputError, match="8 to 300"):
        load_solar_cells(size)
