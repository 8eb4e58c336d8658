"""Image folders: layouts, labels and invalid files; errors name the mistake in one sentence."""

import csv

import numpy as np
import pytest
from PIL import Image

from clmle import InputError
from clmle.data import SPLITS, describe, load_dataset, load_folder


def test_folder_of_classes_reads_every_mode_and_names_the_broken_file(image_folder):
    with pytest.warns(UserWarning, match=r"1 of 43 files .* broken\.png"):
        dataset = load_folder(image_folder, image_size=24)
    assert dataset.images.shape == (42, 24, 24, 3)
    task = dataset.task()
    assert task.class_names == ("cats", "dogs")
    means = [dataset.images[task.labels == c].mean() for c in (0, 1)]
    assert means[0] < means[1] - 60
    for split in SPLITS:
        assert (task.class_counts(split) > 0).all()


def test_csv_of_labels_gives_attributes_classes_and_unknowns(image_folder, tmp_path):
    files = sorted(f.relative_to(image_folder) for f in image_folder.rglob("*.png"))
    files = [f for f in files if "broken" not in f.name]
    table = tmp_path / "labels.csv"
    with open(table, "w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["image_id", "Smiling", "Kind", "identity", "Young"])
        for i, f in enumerate(files):
            young = "" if i % 4 == 0 else str(1 if i % 2 else -1)
            writer.writerow([f, i % 2, f.parts[0], i // 3, young])
        writer.writerow(["gone.png", 1, "cats", 99, "1"])
    with pytest.warns(UserWarning, match=r"gone\.png"):
        dataset = load_folder(image_folder, labels=table)
    assert set(dataset.attributes) == {"Smiling", "Young"}
    assert dataset.class_names["Kind"] == ("cats", "dogs")
    assert (dataset.attributes["Young"][::4] == -1).all()
    assert dataset.attributes["Young"].min() == -1
    groups = np.arange(len(dataset)) // 3
    for g in np.unique(groups):
        assert len(set(dataset.split[groups == g])) == 1


def test_train_and_test_folders_are_kept(tmp_path):
    for split in ("train", "test"):
        for name in "ab":
            (tmp_path / "d" / split / name).mkdir(parents=True)
            for i in range(10):
                Image.new("RGB", (9, 9)).save(tmp_path / "d" / split / name / f"{i}.png")
    task = load_folder(tmp_path / "d").task()
    assert task.class_counts("test").tolist() == [10, 10]
    assert len(task.train) + len(task.validation) == 20


def test_sixteen_bits_transparency_and_rotation(tmp_path):
    folder = tmp_path / "d"
    for name in "ab":
        (folder / name).mkdir(parents=True)
        for i in range(3):
            Image.new("RGB", (9, 9)).save(folder / name / f"z{i}.png")
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    Image.fromarray(ramp).save(folder / "a" / "deep.png")
    Image.new("RGBA", (30, 30), (0, 0, 0, 0)).save(folder / "a" / "clear.png")
    turned = Image.new("RGB", (40, 40), "black")
    turned.paste("white", (0, 0, 40, 20))  # white at the top, at the right after rotation
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(folder / "a" / "turned.jpg", exif=exif)
    dataset = load_folder(folder)
    names = [f.split("/")[-1] for f in dataset.metadata["file"]]
    images = dict(zip(names, dataset.images, strict=True))
    assert images["deep.png"][:5].mean() < 40 < 215 < images["deep.png"][-5:].mean()
    assert images["clear.png"].min() == 255
    assert images["turned.jpg"][:, 25:].mean() > 240
    assert images["turned.jpg"][:, :15].mean() < 15


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: p / "nowhere", "no folder"),
        (lambda p: p, "no sub-folders"),
        (lambda p: (p / "a").mkdir() or p, "no image"),
    ],
)
def test_mistakes_are_named(tmp_path, make, message):
    with pytest.raises(InputError, match=message):
        load_folder(make(tmp_path))


def test_labels_that_name_no_file_are_named(image_folder, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("file,x\nnothing.png,1\n")
    with pytest.raises(InputError, match=r"nothing\.png"):
        load_folder(image_folder, labels=table)
    table.write_text("who,x\nnothing.png,1\n")
    with pytest.raises(InputError, match="column of file names"):
        load_folder(image_folder, labels=table)


def test_unknown_names_and_targets_are_named():
    with pytest.raises(InputError, match="celebs"):
        load_dataset("celebs")
    with pytest.raises(InputError, match="Glasses"):
        load_dataset("digits").task("Glasses")


def test_description_counts_every_image_once():
    dataset = load_dataset("digits")
    rows = describe(dataset)
    assert sum(r["train"] + r["validation"] + r["test"] for r in rows) == len(dataset)
