"""Names of files in a table, and the files of the folder that they mean."""

import os
import re
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from unicodedata import normalize

NUMBER = re.compile(r"0*([0-9]+)(\.0+)?")


class FileNames:
    """Files of a folder by all the ways in which a table may write them.

    Tables differ from the files in slashes, capitals, Unicode normalization, the folders in front
    and in the ending.
    """

    def __init__(self, folder: Path, files: Sequence[str]) -> None:
        self.files = set(files)
        self.home = _normal(folder.resolve().name)
        self.keys: dict[str, list[str]] = {}
        for file in files:
            parts = _normal(file).split("/")
            for start in range(len(parts)):
                tail = "/".join(parts[start:])
                for key in {tail, os.path.splitext(tail)[0]}:
                    self.keys.setdefault(key, []).append(file)
            number = NUMBER.fullmatch(os.path.splitext(parts[-1])[0])
            if number:  # programs that read 000123 as a number write 123
                self.keys.setdefault(f"number {number[1]}", []).append(file)

    def matches(self, names: Sequence[str]) -> list[list[str]]:
        """Files that each name fits: one, none, or several where it is ambiguous."""
        split = [_normal(name).split("/") for name in names]
        folders = [parts[:-1] for parts in split if parts[-1]]
        pairs = zip(min(folders), max(folders), strict=False) if folders else ()
        n_common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        return [self._match(n, parts, n_common) for n, parts in zip(names, split, strict=True)]

    def _match(self, name: str, parts: list[str], n_common: int) -> list[str]:
        if name in self.files:
            return [name]
        while parts and parts[0] in ("", ".", ".."):
            parts, n_common = parts[1:], max(0, n_common - 1)
        if not parts or ".." in parts or not parts[-1]:
            return []
        # Folders in front that say nothing: those of all names, and the folder itself.
        starts = [0, *(i + 1 for i, p in enumerate(parts[:-1]) if p == self.home)]
        for start in (*starts, *range(1, n_common + 1)):
            key = "/".join(parts[start:])
            found = self.keys.get(key, [])
            if len(found) > 1:  # a file of this very path comes before those in sub-folders
                found = [f for f in found if _normal(f) == key] or [
                    f for f in found if os.path.splitext(_normal(f))[0] == key
                ] or found  # fmt: skip
            if found:
                return found
        number = NUMBER.fullmatch(parts[-1]) if len(parts) == 1 else None
        return self.keys.get(f"number {number[1]}", []) if number else []


def _normal(name: str) -> str:
    if not name.isascii():
        name = normalize("NFC", name)
    return name.strip().strip("\"'").replace("\\", "/").casefold()
