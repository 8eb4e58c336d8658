"""A folder that a visitor drops as one zip file, unpacked within limits."""

import shutil
import stat
import tempfile
import zipfile
import zlib
from io import BytesIO
from pathlib import Path, PurePosixPath

from app.widgets.progress import Show
from clmle import InputError

MOST_FILES = 20_000
MOST_BYTES = 2**30  # unpacked
MOST_OF_FILE = 64 * 2**20
MOST_RATIO = 50  # unpacked over packed bytes of one file: images and tables compress less
KINDS = {
    "png", "jpg", "jpeg", "jfif", "webp", "bmp", "gif", "tif", "tiff", "pgm", "ppm",
    "csv", "tsv", "txt", "json", "parquet", "npz", "npy", "mat",
}  # fmt: skip
BLOCK = 1 << 16
REPORT_EVERY = 100  # files


def unpack(
    name: str, content: bytes, folder: Path, free: int, progress: Show | None = None
) -> Path:
    """Unpack a zip file into ``folder``, all of it or nothing; the path of the data in it.

    Files of other kinds than images and tables are left out. ``free`` is the number of bytes that
    may be written. ``progress`` gets the numbers of files that are written and of all.
    """
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            members = checked(name, archive, min(free, MOST_BYTES))
            folder.parent.mkdir(parents=True, exist_ok=True)
            home = Path(tempfile.mkdtemp(prefix=".unpacked-", dir=folder.parent))
            try:
                for number, (member, path) in enumerate(members):
                    if progress is not None and number % REPORT_EVERY == 0:
                        progress(number, len(members))
                    _write(name, archive, member, home / path)
                home.chmod(0o755)
                home.rename(folder)
            finally:
                shutil.rmtree(home, ignore_errors=True)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{name} cannot be unpacked ({error}); pack the folder again.") from error
    return data_in(folder)


def checked(
    name: str, archive: zipfile.ZipFile, free: int
) -> list[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """The members to unpack with their paths, none of which leads out of the folder."""
    members = archive.infolist()
    if len(members) > MOST_FILES:
        raise InputError(
            f"{name} holds {len(members):,} files, and {MOST_FILES:,} are allowed; unpack it on "
            "this computer and enter the path of the folder."
        )
    found: dict[str, tuple[zipfile.ZipInfo, PurePosixPath]] = {}
    total = 0
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/") or ".")
        kind = stat.S_IFMT(member.external_attr >> 16)
        if path.is_absolute() or ".." in path.parts or str(path)[1:2] == ":" or "\0" in str(path):
            raise InputError(
                f"{name} holds the file {str(path)[:80]!r} outside of its folder; pack it again."
            )
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise InputError(f"{name} holds the link {str(path)[:80]!r}; pack files only.")
        hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
        if member.is_dir() or hidden or path.suffix[1:].lower() not in KINDS:
            continue
        if member.flag_bits & 1:
            raise InputError(f"{name} needs a password; pack the folder again without one.")
        if str(path).casefold() in found:
            raise InputError(f"{name} holds {str(path)[:80]!r} twice; pack the folder again.")
        size = member.file_size
        if size > MOST_OF_FILE or size > MOST_RATIO * max(member.compress_size, 4096):
            raise InputError(
                f"{name} would unpack {str(path)[:80]!r} to {size / 2**20:,.0f} MB, more than an "
                "image or a table of a folder may have; enter the path of the folder."
            )
        total += size
        found[str(path).casefold()] = member, path
    if total > free:
        raise InputError(
            f"{name} would unpack to {total / 2**20:,.0f} MB, and {max(free, 0) / 2**20:,.0f} MB "
            "are allowed; unpack it on this computer and enter the path of the folder."
        )
    if not found:
        raise InputError(f"{name} holds no image and no table; pack the folder of the images.")
    return list(found.values())


def _write(name: str, archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    """Unpack one member; its real size counts, not the one that the archive states."""
    path.parent.mkdir(parents=True, exist_ok=True)
    left = member.file_size
    with archive.open(member) as packed, open(path, "xb") as out:
        while block := packed.read(BLOCK):
            left -= len(block)
            if left < 0:
                raise InputError(f"{name} is damaged: {member.filename[:80]!r} has another size.")
            out.write(block)


def data_in(folder: Path) -> Path:
    """The folder itself, or what is in it if that is a single folder or a single file."""
    inside = list(folder.iterdir())
    while len(inside) == 1 and inside[0].is_dir():
        folder = inside[0]
        inside = list(folder.iterdir())
    alone = len(inside) == 1 and inside[0].suffix in (".parquet", ".npz", ".csv", ".tsv")
    return inside[0] if alone else folder
