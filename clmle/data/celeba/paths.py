"""Where in a folder the files of CelebA lie: copies differ in depth and in capitals."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

DEEP = 2  # folders below the one that is named


def within(folder: Path, names: Sequence[str]) -> Iterator[Path]:
    """Files and folders of these names (lower case), however capitalized, nearest first."""
    level = [os.fspath(folder)]
    for depth in range(DEEP + 1):
        below = []
        for place in level:
            for entry in entries(place):
                if entry.name.lower() in names:
                    yield Path(entry.path)
                elif depth < DEEP and entry.is_dir():
                    below.append(entry.path)
        level = below


def entries(folder: str | os.PathLike[str]) -> list[os.DirEntry[str]]:
    """What is in a folder, in order of name; nothing where it cannot be looked into."""
    try:
        with os.scandir(folder) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError:
        return []
