"""All files below a folder: images, recognized by their content, and why others are left out."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from clmle.data.paths import is_folder

SUFFIXES = {
    ".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jif", ".jfif", ".bmp", ".dib", ".gif", ".tif",
    ".tiff", ".webp", ".ppm", ".pgm", ".pbm", ".pnm",
}  # fmt: skip
NOT_DECODED = {
    ".heic", ".heif", ".avif", ".jp2", ".j2k", ".jxl", ".svg", ".psd", ".eps", ".exr", ".hdr",
    ".tga", ".ico", ".dcm", ".dicom", ".nii", ".raw", ".cr2", ".cr3", ".nef", ".arw", ".dng",
    ".raf", ".orf", ".rw2",
}  # fmt: skip
STARTS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
# Folders and files that operating systems and archivers add.
SYSTEM = {
    "__macosx", "@eadir", "$recycle.bin", "system volume information", "lost+found",
    "__pycache__", "thumbs.db", "desktop.ini",
}  # fmt: skip
HIDDEN, NO_IMAGE, EMPTY = "hidden or of the system", "not an image", "a folder without images"
CONVERT = "of a format that is not decoded; convert it to PNG or JPEG"

Skipped = dict[str, list[str]]  # reason -> files


@dataclass(frozen=True)
class Scan:
    """Images below a folder, as sorted paths relative to it, and other files by reason."""

    images: list[str]
    skipped: Skipped = field(default_factory=dict)


def scan(folder: Path) -> Scan:
    """Find the images below a folder; links are followed."""
    images: list[str] = []
    skipped: Skipped = {}
    _walk(os.fspath(folder), "", images, skipped, set())
    return Scan(sorted(images), skipped)


def _walk(
    parent: str, prefix: str, images: list[str], skipped: Skipped, seen: set[tuple[int, int]]
) -> None:
    """Add the files of ``parent``, whose path relative to the folder is ``prefix``."""

    def skip(reason: str, name: str) -> None:
        skipped.setdefault(reason, []).append(name)

    try:
        state = os.stat(parent)
        with os.scandir(parent) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        return skip(f"a folder that cannot be read ({error.strerror})", prefix)
    if (state.st_dev, state.st_ino) in seen:  # a link to a folder above
        return None
    seen.add((state.st_dev, state.st_ino))
    before = len(images)
    for entry in entries:
        name = prefix + entry.name
        if is_hidden(entry.name):
            skip(HIDDEN, name)
        elif is_folder(entry):
            _walk(entry.path, f"{name}/", images, skipped, seen)
        elif reason := why_skipped(entry):
            skip(reason, name)
        else:
            images.append(name)
    if len(images) == before and prefix:
        skip(EMPTY, prefix)
    return None


def is_hidden(name: str) -> bool:
    """Whether a file or folder is hidden or belongs to the system."""
    return name.startswith(".") or name.lower() in SYSTEM


def why_skipped(entry: os.DirEntry[str]) -> str:
    """Why a file is left out; empty if it is an image by its ending or content."""
    ending = entry.name[entry.name.rfind(".") :].lower()  # splitext is slow for 100,000 files
    try:
        if not entry.is_file():
            return "no file"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if ending in SUFFIXES:
        return ""
    if ending in NOT_DECODED:
        return CONVERT
    try:
        with open(entry.path, "rb") as file:
            head = file.read(132)
        size = entry.stat().st_size
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if head.startswith(STARTS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return ""
    if head[:2] == b"BM" and int.from_bytes(head[2:6], "little") == size:
        return ""
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3] in b"\n\r\t #" and len(head) > 8:
        return ""
    if head[128:] == b"DICM" or head[4:8] == b"ftyp" or head[4:8] == b"jP  ":
        return CONVERT
    return NO_IMAGE


def sentence(skipped: Skipped, folder: Path) -> str:
    """How many files were left out and why, in one sentence; hidden ones are not named."""
    parts = []
    for reason, files in sorted(skipped.items()):
        if reason != HIDDEN:
            more = ", ..." if len(files) > 3 else ""
            parts.append(f"{len(files):,} {reason} ({', '.join(map(printable, files[:3]))}{more})")
    return f"Files of {folder} are left out: {'; '.join(parts)}." if parts else ""


def printable(name: str) -> str:
    """A file name as text that can be written; bytes that are not UTF-8 become escapes."""
    if name.isascii():
        return name
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
