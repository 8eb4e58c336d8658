"""Search for the files of a data set: copies differ in depth and in capital letters."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

DEPTH = 2  # levels of sub-folders that are searched


def within(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    """Files and folders with one of ``names`` (lower case) in any capitals, nearest first."""
    level = [os.fspath(folder)]
    for depth in range(DEPTH + 1):
        below = []
        for parent in level:
            for entry in entries(parent):
                if entry.name.lower() in names:
                    yield Path(entry.path)
                elif depth < DEPTH and is_folder(entry):
                    below.append(entry.path)
        level = below


def folders_within(folder: Path, names: Sequence[str]) -> list[Path]:
    """Folders with one of ``names``, in the order of ``names``.

    Some copies hold a second folder of the same name inside, which is then taken.
    """
    found = sorted(within(folder, names), key=lambda path: names.index(path.name.lower()))
    inner = ((path / path.name, path) for path in found if path.is_dir())
    return [inside if inside.is_dir() else path for inside, path in inner]


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether an entry is a folder, or a link to one; links in a ring are none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def entries(folder: str | os.PathLike[str]) -> list[os.DirEntry[str]]:
    """Entries of a folder, sorted by name; none if it cannot be read."""
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError:
        return []
