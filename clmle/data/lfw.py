"""Labeled Faces in the Wild as scikit-learn keeps it: photographs, and the lists of pairs."""

import io
import os
from pathlib import Path

import numpy as np

from clmle.data.base import Dataset, Progress
from clmle.data.benchmarks import fetched, sklearn_home
from clmle.data.celeba.images import width_of
from clmle.data.lfwa import PHOTOGRAPH
from clmle.data.pixels import check_image_size, content
from clmle.data.recognition.faces import identity_dataset, read_faces
from clmle.data.recognition.identities import listed
from clmle.data.recognition.pairs import OpenSetData, read_pairs
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.errors import InputError
from clmle.files import expanded, read_lines

FOLDERS = ("lfw_funneled", "lfw")  # of scikit-learn
UNSEEN = "pairsDevTest.txt"  # 500 + 500 pairs of identities that pairsDevTrain.txt does not have


def is_lfw_home(path: str | os.PathLike[str]) -> bool:
    """Whether a folder is scikit-learn's ``lfw_home``."""
    return _photographs(expanded(path)) is not None and (expanded(path) / UNSEEN).is_file()


def _photographs(home: Path) -> Path | None:
    return next((home / name for name in FOLDERS if (home / name).is_dir()), None)


def load_lfw_home(
    path: str | os.PathLike[str],
    *,
    image_size: int = 55,
    seed: int = 0,
    progress: Progress | None = None,
) -> Dataset:
    """Load the identities of a folder ``lfw_home``, cropped to the face as LFWA.

    Identities of ``pairsDevTest.txt`` are in no split: they are the unseen identities of
    :func:`load_lfw_pairs`.
    """
    home = expanded(path)
    images, files, problems = _read(home, image_size, progress)
    identities = np.array([name.split("/")[0] for name in files])
    unseen = np.isin(identities, sorted(_unseen(home)))
    left_out = problems | dict.fromkeys(np.flatnonzero(unseen).tolist(), "unseen identity")
    metadata = {"file": np.array(files), "part": np.where(unseen, "unseen", "known")}
    return identity_dataset("lfw", images, left_out, identities, metadata, seed)


def load_lfw_pairs(
    path: str | os.PathLike[str],
    *,
    image_size: int | tuple[int, int] = 55,
    progress: Progress | None = None,
) -> OpenSetData:
    """The pairs of ``pairsDevTest.txt``, whose identities :func:`load_lfw_home` leaves out."""
    home = expanded(path)
    images, files, problems = _read(home, image_size, progress)
    pairs = read_pairs(home / UNSEEN, files, [files[i] for i in problems])
    return OpenSetData("lfw, pairsDevTest", images, pairs, metadata={"file": np.array(files)})


def _read(
    home: Path,
    image_size: int | tuple[int, int],
    progress: Progress | None,
) -> tuple[np.ndarray, list[str], dict[int, str]]:
    """Pixels and names of all photographs, and why some cannot be read."""
    folder = _photographs(home)
    facts = listed(folder) if folder is not None else []
    if folder is None or not facts:
        raise InputError(f"{home} has no photographs in {FOLDERS[0]}; get LFW again.")
    files = [name for name, _, _ in facts]
    sides = (image_size, width_of(image_size)) if isinstance(image_size, int) else tuple(image_size)
    sides = check_image_size((sides[0], sides[1]), 16, 250)

    def read(i: int) -> np.ndarray | str:
        pixels = PHOTOGRAPH.read(lambda: io.BytesIO(content(folder / files[i])), sides)
        return f"{files[i]} ({pixels})" if isinstance(pixels, str) else pixels

    source = (PHOTOGRAPH.box, facts)
    images, problems = read_faces(
        folder, f"files of {folder}", source, len(files), sides, read, progress
    )
    return images, files, problems


def _unseen(home: Path) -> set[str]:
    """Identities that the list of unseen pairs names; none where there is no list."""
    if not (home / UNSEEN).is_file():
        return set()
    rows = [line.split() for line in read_lines(home / UNSEEN)[1:]]
    return {row[0] for row in rows if row} | {row[2] for row in rows if len(row) == 4}


def _home() -> Path:
    """scikit-learn's folder of LFW; downloaded by scikit-learn where it is not there."""
    home = sklearn_home() / "lfw_home"
    if not is_lfw_home(home):
        from sklearn.datasets import fetch_lfw_pairs

        fetched(fetch_lfw_pairs, f"LFW is not in {home}", "lfw_home", subset="test")
    return home


def load_lfw_by_name(
    image_size: int = 55, *, seed: int = 0, progress: Progress | None = None
) -> Dataset:
    """LFW from scikit-learn's folder, downloaded on first use."""
    return load_lfw_home(_home(), image_size=image_size, seed=seed, progress=progress)


def _open_set(
    size: str, *, image_size: int | tuple[int, int] = 55, progress: Progress | None = None
) -> OpenSetData:
    return load_lfw_pairs(_home(), image_size=image_size, progress=progress)


register_dataset(
    DatasetInfo(
        name="lfw",
        title="Labeled Faces in the Wild",
        description="13,233 photographs of 5,749 identities; downloaded by scikit-learn.",
        load=load_lfw_by_name,
        kind="identities",
        targets=("identity",),
        image_size=55,
        is_downloaded=lambda: is_lfw_home(sklearn_home() / "lfw_home"),
        load_open_set=_open_set,
        credits="LFW: G. Huang, M. Ramesh, T. Berg, E. Learned-Miller, 2007.",
        order=31,
    )
)
register_dataset(
    DatasetInfo(
        name="lfw_home",
        title="LFW of scikit-learn",
        description="scikit-learn's folder lfw_home with photographs and lists of pairs.",
        load=load_lfw_home,
        kind="identities",
        recognize=is_lfw_home,
        targets=("identity",),
        image_size=55,
        order=13,
    )
)
