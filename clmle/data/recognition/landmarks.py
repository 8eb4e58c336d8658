"""Five landmarks of faces: from a text file, or found by a detector where one is installed."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from clmle.data.folder import SUFFIXES
from clmle.data.pixels import read_pixels
from clmle.data.recognition.faces import text_lines
from clmle.errors import InputError
from clmle.files import expanded, write_text

FAR = 1e9  # of any pixel

Detect = Callable[[np.ndarray], np.ndarray | None]


def read_landmarks(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Landmarks (5, 2) float32 of images by name, from lines of a name and ten numbers.

    x and y of left eye, right eye, nose, left and right corner of the mouth. Spaces, tabs or commas
    separate; a first line that counts the images, and one of column names, are passed over (as in
    CelebA's ``list_landmarks_align_celeba.txt``).

    Raises
    ------
    InputError
        An odd line, named; a name twice; or no line.
    """
    file = expanded(path)
    found: dict[str, np.ndarray] = {}
    for number, line in enumerate(text_lines(file), start=1):
        parts = line.replace(",", " ").rsplit(maxsplit=10)
        if not parts or (not found and number <= 2 and not _numbers(parts[1:11])):
            continue
        values = _numbers(parts[1:])
        if len(parts) != 11 or len(values) != 10:
            raise InputError(
                f"{file}, line {number} is {line[:60]!r}, but must be a name and ten numbers."
            )
        if parts[0] in found:
            raise InputError(f"{file}, line {number} names {parts[0]} a second time; remove one.")
        found[parts[0]] = np.array(values, dtype=np.float32).reshape(5, 2)
    if not found:
        raise InputError(f"{file} holds no line of landmarks; get it again.")
    return found


def landmarks_of(file: str, points: dict[str, np.ndarray]) -> np.ndarray | None:
    """Landmarks of a file below a folder: by its whole name there, else by its last part."""
    found = points.get(file)
    return points.get(file.rsplit("/", 1)[-1]) if found is None else found


def find_landmarks(
    folder: str | os.PathLike[str],
    target: str | os.PathLike[str],
    detect: Detect | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[int, int]:
    """Detect landmarks of every image below ``folder`` and write them to the file ``target``.

    ``detect`` is :func:`detector` by default. Images that cannot be read or show no face get no
    line.

    Returns
    -------
    How many images have landmarks, and how many there are.
    """
    home = expanded(folder)
    files = sorted(p for p in home.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not files:
        raise InputError(f"{home} holds no image; check the path.")
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
    """A function from an image (height, width, 3) uint8 to landmarks (5, 2) float32, or None.

    It is MTCNN (Zhang and others, 2016) of the package facenet-pytorch; of several faces the
    most certain one is taken.

    Raises
    ------
    InputError
        The package is not installed.
    """
    try:
        from facenet_pytorch import MTCNN
    except ImportError as error:
        raise InputError(
            "Landmarks can only be detected where the package facenet-pytorch is installed; "
            "install it, or give a file of landmarks (a name and ten numbers a line)."
        ) from error
    network: Any = MTCNN(select_largest=False, device=device)

    def detect(image: np.ndarray) -> np.ndarray | None:
        _, chances, points = network.detect(image, landmarks=True)
        if points is None or chances[0] is None:
            return None
        return np.asarray(points[int(np.argmax(chances))], dtype=np.float32)

    return detect


def _numbers(texts: list[str]) -> list[float]:
    """The texts as finite numbers; none at all where one of them is not."""
    try:
        values = [float(t) for t in texts]
    except ValueError:
        return []
    return values if all(abs(v) < FAR for v in values) else []
