"""A small CelebA as its authors ship it, for tests to break."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

N, PEOPLE = 120, 30
ATTR, PART = "Anno/list_attr_celeba.txt", "Eval/list_eval_partition.txt"
NAMES = ("5_o_Clock_Shadow", "Bald", "Young")


def name_of(i):
    return f"{i + 1:06d}.jpg"


class Home(type(Path())):
    """A path that remembers what was written below it."""


@pytest.fixture
def celeba(tmp_path, monkeypatch):
    """A small copy laid out as the authors ship it; photographs of one gray level each."""
    monkeypatch.setenv("CLMLE_CACHE", str(tmp_path / "cache"))
    home = Home(tmp_path / "CelebA")
    for folder in ("Img/img_align_celeba", "Anno", "Eval"):
        (home / folder).mkdir(parents=True)
    rng = np.random.default_rng(0)
    values = rng.choice([-1, 1], (N, len(NAMES)))
    parts = np.repeat([0, 1, 2], [80, 20, 20])
    people = np.concatenate([rng.integers(1, 21, 80), rng.integers(21, 31, 40)])
    marks = rng.integers(0, 178, (N, 10))
    for i in range(N):
        Image.new("RGB", (178, 218), (i, 2 * i, 255 - i)).save(
            home / "Img/img_align_celeba" / name_of(i), quality=95
        )
    rows = [f"{name_of(i)} {' '.join(f'{v:2d}' for v in values[i])}" for i in range(N)]
    write(home / "Anno/list_attr_celeba.txt", [str(N), " ".join(NAMES), *rows])
    write(home / "Eval/list_eval_partition.txt", [f"{name_of(i)} {parts[i]}" for i in range(N)])
    write(home / "Anno/identity_CelebA.txt", [f"{name_of(i)} {people[i]}" for i in range(N)])
    head = "lefteye_x lefteye_y righteye_x righteye_y nose_x nose_y leftmouth_x leftmouth_y "
    rows = [f"{name_of(i)} {' '.join(map(str, marks[i]))}" for i in range(N)]
    write(
        home / "Anno/list_landmarks_align_celeba.txt",
        [str(N), head + "rightmouth_x rightmouth_y", *rows],
    )
    home.facts = values, parts, people, marks
    return home


def write(path, lines):
    path.write_text("\n".join(lines) + "\n")


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def zipped(home, compression=zipfile.ZIP_STORED):
    """A folder as packed by macOS, with a "._" copy of every file; the folder is emptied."""
    with zipfile.ZipFile(home / "Img/img_align_celeba.zip", "w", compression) as file:
        for path in sorted((home / "Img/img_align_celeba").iterdir()):
            file.writestr(f"__MACOSX/img_align_celeba/{path.name}", b"shadow")
            file.write(path, f"img_align_celeba/{path.name}")
            path.unlink()


def say_all(path, text):
    lines = path.read_text().splitlines()
    rows = [f"{line.split()[0]} {' '.join([text] * len(NAMES))}" for line in lines[2:]]
    write(path, [*lines[:2], *rows])
