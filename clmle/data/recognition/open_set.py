"""Test data of open-set recognition: identities without any training image."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from clmle.data.base import Progress
from clmle.data.recognition.pairs import Pairs, load_lfw
from clmle.data.recognition.verification_bin import load_bin
from clmle.data.recognition.youtube import FRAMES, load_youtube_faces
from clmle.data.registry import find_dataset, registered_datasets
from clmle.errors import InputError, quoted
from clmle.files import expanded


@dataclass(frozen=True)
class OpenSetData:
    """Images of unseen identities for verification and identification.

    Attributes
    ----------
    name : str
    images : (n, height, width, channels) uint8
    pairs : Pairs
        Indices into ``images``, or of videos where there are any.
    identities : (n,) int64, optional
        Identity of every image.
    probes, distractors : arrays of int64, optional
        Indices of images of identities with several images, and of identities with one.
    video : (n,) int64, optional
        Video of every frame, -1 for none.
    """

    name: str
    images: np.ndarray
    pairs: Pairs
    identities: np.ndarray | None = None
    probes: np.ndarray | None = None
    distractors: np.ndarray | None = None
    video: np.ndarray | None = None


def load_open_set(
    where: str | os.PathLike[str] = "toonfaces-identities",
    *,
    size: str = "quick",
    image_size: int | tuple[int, int] = 40,
    progress: Progress | None = None,
) -> OpenSetData:
    """Load unseen identities by the name of a data set, or from a file or folder.

    Parameters
    ----------
    where : str or path
        A data set that has unseen identities, such as ``toonfaces-identities``; a file ``*.bin``
        (:func:`load_bin`); a folder with ``splits.txt`` and frames (YouTube Faces); a folder with
        ``pairs.txt`` in it or in the folder above (LFW).
    size : str
        Size of a rendered data set.
    image_size : int or (int, int)
        Height, or height and width, in pixels.
    progress : callable(done, total), optional

    Returns
    -------
    OpenSetData

    Raises
    ------
    InputError
        There is no such data set, file or folder, or the data are damaged.

    Examples
    --------
    >>> load_open_set("nowhere")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    clmle.errors.InputError: ...
    """
    info = find_dataset(str(where))
    if info is not None and info.load_open_set is not None:
        open_set: OpenSetData = info.load_open_set(size, image_size=image_size, progress=progress)
        return open_set
    path = expanded(where)
    if os.path.isfile(path) and path.suffix == ".bin":
        bin_set = load_bin(path, image_size=image_size, progress=progress)
        return OpenSetData(bin_set.name, bin_set.images, bin_set.pairs)
    if not os.path.isdir(path):
        own = ", ".join(i.name for i in registered_datasets() if i.load_open_set is not None)
        raise InputError(
            f"{quoted(str(where))} is not a test set; give {own}, a .bin file, or a folder laid "
            "out as LFW or YouTube Faces."
        )
    if path.name in FRAMES or any((path / name).is_dir() for name in FRAMES):
        videos = load_youtube_faces(path, image_size=image_size, progress=progress)
        return OpenSetData(path.name, videos.images, videos.pairs, video=videos.video)
    lfw = load_lfw(path, image_size=image_size, progress=progress)
    return OpenSetData(lfw.name, lfw.images, lfw.pairs)
