"""Contents of files: skipped files, copies, gray values of more than 8 bits, other forms."""

import shutil

import numpy as np
import pytest
from PIL import Image

from clmle import InputError
from clmle.data import dataset_info, load_folder
from clmle.data.folder import copies_of
from tests.data.folder.made import RNG, counts, deep_colors, picture, read, tree


def test_images_are_recognized_by_their_content(tmp_path):
    for kind in "ab":
        for i, (suffix, form) in enumerate(
            [(".jfif", "JPEG"), ("", "PNG"), (".txt", "GIF"), (".img", "WEBP"), (".x", "BMP"),
             (".y", "TIFF"), (".z", "PPM")]
        ):  # fmt: skip
            picture(tmp_path / kind / f"{i}{suffix}", form)
    (tmp_path / "a" / "notes.txt").write_text("BMP is a format, P6 another")
    (tmp_path / "a" / "new.HEIC").write_bytes(bytes(40))
    (tmp_path / "b" / "phone").write_bytes(b"\0\0\0\x18ftypavif" + bytes(40))
    (tmp_path / "b" / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    with pytest.warns(UserWarning, match=r"1 not an image \(a/notes\.txt\)") as caught:
        dataset = load_folder(tmp_path, image_size=8)
    assert any("2 of a format that is not decoded" in str(w.message) for w in caught)
    assert len(dataset) == 14
    assert sorted(f for files in dataset.skipped.values() for f in files) == [
        "a/new.HEIC", "a/notes.txt", "b/broken.jpg", "b/phone",
    ]  # fmt: skip


def test_copies_are_in_one_split(tmp_path):
    home = tree(tmp_path / "d", a=12, b=12)
    for i in range(8):
        shutil.copy(home / "a" / f"a{i:02d}.png", home / "a" / f"copy{i}.png")
        Image.open(home / "b" / f"b{i:02d}.png").save(home / "b" / f"again{i}.bmp")
    for seed in range(5):
        dataset = read(home, seed=seed)
        split = dict(zip(dataset.metadata["file"].tolist(), dataset.split.tolist(), strict=True))
        for i in range(8):
            assert split[f"a/a{i:02d}.png"] == split[f"a/copy{i}.png"]
            assert split[f"b/b{i:02d}.png"] == split[f"b/again{i}.bmp"]
    assert "16 images are copies" in dataset.warnings[0]


def test_copies_of_test_images_are_left_out_of_training(tmp_path):
    home = tree(tmp_path / "d", train__a=10, train__b=10, test__a=4, test__b=4)
    for i in range(3):
        shutil.copy(home / "test" / "a" / f"test__a{i:02d}.png", home / "train" / "a" / f"c{i}.png")
    dataset = read(home)
    assert counts(dataset) == {"a": (9, 1, 4), "b": (9, 1, 4)}
    assert (dataset.split == -1).sum() == 3
    assert any("3 training or validation images are copies" in w for w in dataset.warnings)


def test_copies_agree_with_a_comparison_of_all_pairs():
    images = RNG.integers(0, 2, (60, 2, 2, 1), dtype=np.uint8)
    flat = images.reshape(60, -1)
    first = [int(np.flatnonzero((flat == row).all(axis=1))[0]) for row in flat]
    plain = [i for i, row in enumerate(flat) if len(set(row.tolist())) == 1]
    want = [i if i in plain else j for i, j in enumerate(first)]
    assert copies_of(images).tolist() == want
    assert 0 < len(plain) < 60


@pytest.mark.parametrize(
    ("top", "dtype", "suffix"),
    [(1.0, np.float32, "tif"), (255, np.float32, "tif"), (4095, np.uint16, "png"),
     (1023, np.uint16, "tif"), (65535, np.uint16, "png"), (60000, np.int32, "tif")],
)  # fmt: skip
def test_one_range_for_all_deep_images(tmp_path, top, dtype, suffix):
    light = np.linspace(0, 1, 64).reshape(8, 8)
    for i in range(4):
        picture(tmp_path / "dark" / f"{i}.{suffix}", pixels=(light * top / 4).astype(dtype))
        picture(tmp_path / "light" / f"{i}.{suffix}", pixels=(light * top).astype(dtype))
    dataset = read(tmp_path)
    dark, bright = (dataset.images[dataset.labels["label"] == c].max() for c in (0, 1))
    scale = 255 * top / 65535 if top == 60000 else 255
    assert abs(float(bright) - scale) <= 1
    assert abs(float(dark) - scale / 4) <= 1
    assert any("more than 8 bits" in text for text in dataset.warnings)


@pytest.mark.parametrize(("channels", "suffix"), [(3, "png"), (2, "png"), (4, "png"), (3, "tif")])
def test_deep_colors_have_one_range(tmp_path, channels, suffix):
    light = RNG.integers(0, 4096, (8, 8, channels)).astype(np.uint16)
    light[0, 0] = 4095
    if channels in (2, 4):
        light[..., -1] = 65535  # opaque
    dark = np.where(light == 65535, light, light // 5)
    deep_colors(tmp_path / "dark" / f"0.{suffix}", dark)
    deep_colors(tmp_path / "light" / f"0.{suffix}", light)
    picture(tmp_path / "light" / "1.png")
    dataset = read(tmp_path)
    assert dataset.value_range == (0, 4095)
    for row, values in enumerate((dark, light)):
        colors = values[..., :3] if channels > 2 else values[..., :1]
        assert (dataset.images[row] == (colors / 4095 * 255).astype(np.uint8)).all()
    assert (read(tmp_path).images == dataset.images).all()
    given = read(tmp_path, value_range=(0, 1023))
    assert given.images[1].max() == 255
    assert (given.images[0] == (colors // 5 / 1023 * 255).astype(np.uint8)).all()
    assert any("beyond this range" in text for text in given.warnings)


@pytest.mark.parametrize(("low", "high", "black"), [(0, 1.02, 0), (-0.01, 1.0, 0), (-1.01, 1, 127)])
def test_real_numbers_may_exceed_their_range_a_little(tmp_path, low, high, black):
    for name in "ab":
        ramp = np.linspace(low, high, 64).reshape(8, 8).astype(np.float32)
        picture(tmp_path / name / "0.tif", pixels=ramp)
        picture(tmp_path / name / "1.tif", pixels=ramp * 0)
    dataset = read(tmp_path)
    assert not any("beyond" in text or "black" in text.split()[0] for text in dataset.warnings)
    assert dataset.images[0].max() == 255
    assert (dataset.images[1] == black).all()


def test_negative_values_have_the_range_of_the_data(tmp_path):
    for name, low in (("a", -1000), ("b", 0)):
        for i in range(3):
            ramp = np.linspace(low, 2000, 64).reshape(8, 8).astype(np.int32)
            picture(tmp_path / name / f"{i}.tif", pixels=ramp)
    dataset = read(tmp_path)
    assert dataset.images.min() == 0
    assert dataset.images.max() == 255
    assert dataset.images[dataset.labels["label"] == 1].min() == 85


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["annotations/instances_val2017.json", "val2017/1.png"], "COCO"),
        (["Annotations/1.xml", "JPEGImages/1.png"], "Pascal VOC"),
        (["train/images/1.png", "train/labels/1.txt"], "YOLO"),
        (["images.txt", "image_class_labels.txt", "images/1/1.png"], "CUB-200"),
        (["train/cat.0.jpg", "train/dog.1.jpg"], "Dogs vs. Cats"),
        (["train-images-idx3-ubyte.gz"], "MNIST"),
        (["train_32x32.mat"], "SVHN"),
        (["photos.zip"], "archive"),
        (["img_align_celeba/000001.jpg"], "CelebA"),
        (["x.tfrecord-00000-of-00001"], "TensorFlow"),
        (["data_batch_1.bin"], "binary version of CIFAR"),
        (["stl10_binary/train_X.bin"], "STL-10"),
        (["train.pkl"], "pickled"),
        (["a/1.dcm", "b/2.dcm"], "DICOM"),
        (["a/1.heic", "b/2.heic"], "format that is not decoded"),
        (["bounding_box_train/0002_c1s1.png", "query/0003_c1s1.png"], "Market-1501"),
    ],
)
def test_forms_that_are_not_read_are_named(names, message, tmp_path):
    for name in names:
        file = tmp_path / "d" / name
        if file.suffix in (".png", ".jpg"):
            picture(file)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"\x1f\x8b or other")
    with pytest.raises(InputError, match=message):
        load_folder(tmp_path / "d")


@pytest.mark.parametrize(
    ("name", "message"), [("a.zip", "archive"), ("labels.csv", "--labels"), ("x.mat", "MATLAB")]
)
def test_files_in_place_of_folders_are_named(name, message, tmp_path):
    (tmp_path / name).write_bytes(b"abc")
    with pytest.raises(InputError, match=message):
        dataset_info(str(tmp_path / name))


def test_images_that_are_almost_black_are_reported(tmp_path):
    for i in range(4):
        pixels = RNG.integers(0, 17, (8, 8), dtype=np.uint8)
        picture(tmp_path / "ab"[i % 2] / f"{i}.png", pixels=pixels)
    assert any("almost black" in text for text in read(tmp_path).warnings)


def test_an_unlabeled_folder_is_read_where_labels_are_not_needed(tmp_path):
    folder = tmp_path / "photos"  # the cache is in tmp_path, too
    for i in range(3):
        picture(folder / f"{i}.png")
    dataset = read(folder, labeled=False)
    assert len(dataset) == 3
    assert dataset.targets == ()
    with pytest.raises(InputError, match="no sub-folders"):
        read(folder)
