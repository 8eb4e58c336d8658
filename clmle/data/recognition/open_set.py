"""Test data of open-set recognition: identities without any training image."""

import os

from clmle.data.base import Progress
from clmle.data.recognition.pairs import OpenSetData, load_lfw
from clmle.data.recognition.verification_bin import load_bin
from clmle.data.recognition.youtube import FRAMES, load_youtube_faces
from clmle.data.registry import find_dataset, registered_datasets
from clmle.errors import InputError, quoted
from clmle.files import expanded


def load_open_set(
    where: str | os.PathLike[str] = "toonfaces-identities",
    *,
    size: str = "quick",
    image_size: int | tuple[int, int] = 40,
    progress: Progress | None = None,
) -> OpenSetData:
    """Load unseen identities by the name of a data set, or from a file or folder."""
    info = find_dataset(str(where))
    if info is not None and info.load_open_set is not None:
        open_set: OpenSetData = info.load_open_set(size, image_size=image_size, progress=progress)
        return open_set
    path = expanded(where)
    if os.path.isfile(path) and path.suffix == ".bin":
        return load_bin(path, image_size=image_size, progress=progress)
    if not os.path.isdir(path):
        own = ", ".join(i.name for i in registered_datasets() if i.load_open_set is not None)
        raise InputError(
            f"{quoted(str(where))} is not a test set; give {own}, a .bin file, or a folder laid "
            "out as LFW or YouTube Faces."
        )
    if path.name in FRAMES or any((path / name).is_dir() for name in FRAMES):
        return load_youtube_faces(path, image_size=image_size, progress=progress)
    return load_lfw(path, image_size=image_size, progress=progress)
