"""YouTube Faces: videos as folders of frames, and a list of pairs of videos."""

import os
import re
from pathlib import Path

import numpy as np

from clmle.data.base import Progress
from clmle.data.pixels import first_shape, read_pixels
from clmle.data.recognition.faces import read_faces, sides_of
from clmle.data.recognition.identities import is_image
from clmle.data.recognition.pairs import OpenSetData, Pairs, is_count, list_of_pairs
from clmle.errors import InputError, shown
from clmle.files import expanded, read_lines

FRAMES = ("aligned_images_DB", "frame_images_DB")  # cropped frames first
LISTS = ("splits.txt", "splits.csv")


def load_youtube_faces(
    folder: str | os.PathLike[str],
    splits: str | os.PathLike[str] | None = None,
    *,
    frames: int = 100,
    image_size: int | tuple[int, int] = 112,
    progress: Progress | None = None,
) -> OpenSetData:
    """Load the videos of YouTube Faces that are in its list of pairs."""
    home = expanded(folder)
    base = next((home / f for f in FRAMES if (home / f).is_dir()), home)
    if not base.is_dir():
        raise InputError(f"There is no folder {base}; check the path.")
    if frames < 0:
        raise InputError(f"frames is {frames}, but must be 0 (all) or more.")
    path = list_of_pairs(splits, home, base, LISTS)
    names, lines, pairs = read_splits(path)
    files, video = [], []
    for number, name in enumerate(names):
        mine = _frames(base / name, frames)
        if not mine:
            raise InputError(
                f"{path}, line {lines[number]} names {name}, but {base} has no frame of it."
            )
        files += [f"{name}/{f}" for f in mine]
        video += [number] * len(mine)
    sides = sides_of(image_size, first_shape(base / f for f in files[:100]))

    def read(i: int) -> np.ndarray | str:
        pixels = read_pixels(base / files[i], sides)
        return f"{files[i]} ({pixels})" if isinstance(pixels, str) else pixels

    facts = (len(files), frames, [os.stat(base / n).st_mtime_ns for n in names])
    images, problems = read_faces(
        base, f"frames of {base}", facts, len(files), sides, read, progress
    )
    owner = np.array(video, dtype=np.int64)
    owner[list(problems)] = -1
    empty = np.flatnonzero(np.bincount(owner[owner >= 0], minlength=len(names)) == 0)
    if len(empty):
        raise InputError(f"No frame of {names[empty[0]]} in {base} can be read; get it again.")
    return OpenSetData(
        home.name, images, pairs, video=owner, video_names=tuple(names),
        metadata={"file": np.array(files)},
    )  # fmt: skip


def read_splits(path: Path) -> tuple[list[str], list[int], Pairs]:
    """Names of the videos, the line where each is first named, and pairs of their numbers.

    A line is "split, Name/video, Other/video, 1 or 0". Further fields and a line of column names
    at the top are ignored.
    """
    names: dict[str, int] = {}
    named: list[int] = []
    rows: list[tuple[int, int, int, int]] = []
    for number, line in enumerate(read_lines(path), start=1):
        parts = [part.strip() for part in line.split(",")]
        if not line.strip() or (not rows and not parts[0].isdecimal()):
            continue
        if len(parts) < 4 or not is_count(parts[0]) or parts[3] not in ("0", "1"):
            raise InputError(
                f"{path}, line {number} is {line[:60]!r}, but must be split, first video, "
                "second video, and 1 (same) or 0, with commas between."
            )
        for video in parts[1:3]:
            if not re.fullmatch(r"[^/\\]+/[^/\\]+", video) or ".." in video.split("/"):
                raise InputError(
                    f"{path}, line {number} has {shown(video)!r}, but a video is Name/number."
                )
            if video not in names:
                names[video] = len(names)
                named.append(number)
        rows.append((names[parts[1]], names[parts[2]], int(parts[3]), int(parts[0])))
    if not rows:
        raise InputError(f"{path} has no pair; get it again.")
    table = np.array(rows, dtype=np.int64)
    fold = np.unique(table[:, 3], return_inverse=True)[1].astype(np.int64)
    return list(names), named, Pairs(table[:, 0], table[:, 1], table[:, 2] == 1, fold)


def _frames(folder: Path, most: int) -> list[str]:
    """Names of the frames, sorted by the last number in the name."""
    if "\0" in str(folder) or not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        names = [e.name for e in entries if is_image(e)]
    names.sort(key=lambda n: (int((re.findall(r"\d+", n) or ["0"])[-1]), n))
    if most and len(names) > most:
        names = [names[i] for i in np.linspace(0, len(names) - 1, most).round().astype(int)]
    return names
