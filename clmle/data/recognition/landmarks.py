"""Five landmarks of faces, from a text file or from a detector."""

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from clmle.data.folder.scan import SUFFIXES
from clmle.data.pixels import read_pixels
from clmle.errors import InputError
from clmle.files import expanded, read_lines, write_text

MAX_COORDINATE = 1e9

Detect = Callable[[np.ndarray], np.ndarray | None]


def read_landmarks(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read five landmarks of images from lines with a name and ten numbers.

    The numbers are x and y of left eye, right eye, nose, left and right corner of the mouth,
    separated by spaces, tabs or commas. At the top, a line with the number of images and a line of
    column names are ignored (as in CelebA's ``list_landmarks_align_celeba.txt``).
    """
    file = expanded(path)
    found: dict[str, np.ndarray] = {}
    for number, line in enumerate(read_lines(file), start=1):
        parts = line.replace(",", " ").rsplit(maxsplit=10)
        if not parts or (not found and number <= 2 and not _numbers(parts[1:11])):
            continue
        values = _numbers(parts[1:])
        if len(parts) != 11 or len(values) != 10:
            raise InputError(
                f"{file}, line {number} is {line[:60]!r}, but must be a name and ten numbers."
            )
        if parts[0] in found:
            raise InputError(f"{file}, line {number} has {parts[0]} a second time; remove one.")
        found[parts[0]] = np.array(values, dtype=np.float32).reshape(5, 2)
    if not found:
        raise InputError(f"{file} has no line of landmarks; get it again.")
    return found


def landmarks_of(file: str, points: dict[str, np.ndarray]) -> np.ndarray | None:
    """Landmarks of a file, by its path relative to the folder, else by its name alone."""
    found = points.get(file)
    return points.get(file.rsplit("/", 1)[-1]) if found is None else found


def find_landmarks(
    folder: str | os.PathLike[str],
    target: str | os.PathLike[str],
    detect: Detect | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[int, int]:
    """Detect the landmarks of all images in a folder and write them to a file."""
    home = expanded(folder)
    files = sorted(p for p in home.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not files:
        raise InputError(f"{home} has no image; check the path.")
    detect = detect or detector()
    lines = []
    for i, file in enumerate(files, start=1):
        pixels = read_pixels(file)
        points = None if isinstance(pixels, str) else detect(pixels)
        if points is not None:
            values = " ".join(f"{v:.2f}" for v in np.asarray(points).reshape(10))
            lines.append(f"{file.relative_to(home).as_posix()}\t{values}\n")
        if progress is not None:
            progress(i, len(files))
    write_text(target, "".join(lines))
    return len(lines), len(files)


def detector(device: str = "cpu") -> Detect:
    """Make a function from an image (height, width, 3) uint8 to landmarks (5, 2) float32, or None.

    The detector is MTCNN of the package facenet-pytorch. Of several faces the one with the highest
    probability is taken.
    """
    try:
        from facenet_pytorch import MTCNN
    except ImportError as error:
        raise InputError(
            "Landmarks are detected by the package facenet-pytorch, which is not installed; "
            "install it, or give a file of landmarks (lines with a name and ten numbers)."
        ) from error
    network: Any = MTCNN(select_largest=False, device=device)

    def detect(image: np.ndarray) -> np.ndarray | None:
        _, probabilities, points = network.detect(image, landmarks=True)
        if points is None or probabilities[0] is None:
            return None
        return np.asarray(points[int(np.argmax(probabilities))], dtype=np.float32)

    return detect


def _numbers(texts: list[str]) -> list[float]:
    """The texts as finite numbers; none if one of them is not a number."""
    try:
        values = [float(t) for t in texts]
    except ValueError:
        return []
    return values if all(abs(v) < MAX_COORDINATE for v in values) else []
