"""The registry of data sets: every loader's file registers what is known without loading."""

import inspect
import os
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from clmle.data.base import Dataset
from clmle.errors import InputError, quoted
from clmle.files import expanded

KINDS = ("attributes", "label", "identities")


@dataclass(frozen=True)
class RenderState:
    """Progress of rendering a data set.

    Parameters
    ----------
    done, total : int
        Images rendered, and in all.
    running : bool
        Whether a process renders at the moment.
    seconds_per_image : float
        Measured time; 0 if unknown.
    """

    done: int
    total: int
    running: bool = False
    seconds_per_image: float = 0.0


@dataclass(frozen=True)
class DatasetInfo:
    """What is known of a data set before it is loaded.

    Parameters
    ----------
    name : str
        Name that :func:`load_dataset` and the command line accept. For a format of files and
        folders, its name in lists.
    title, description : str
        Title and one line for lists and for the app.
    load : callable
        Returns the :class:`Dataset`. All parameters are optional, except that a format takes the
        path first. The parameters ``image_size``, ``size``, ``seed``, ``progress`` and ``labels``
        are filled from the configuration of a run where ``load`` has them; ``identities`` is true
        where a run learns the identities of a file or folder.
    kind : {"attributes", "label", "identities"}
        Binary attributes, classes of one label, or identities to recognize.
    recognize : callable(path) -> bool, optional
        Makes this a format: whether the file or folder at ``path``, which may also be a pattern
        such as ``train-*.parquet``, has this format.
    general : bool
        The format to read any folder with that is said to be of this ``kind``.
    targets : tuple of str, or callable(path) -> tuple of str
        Attributes and labels, where they are known without loading.
    feature_dim : callable(path) -> int or None, optional
        For tables of features in place of images: the number of features.
    image_size, channels : int
        Pixels down in the presets, and channels of the images.
    mirror : bool
        Whether a mirrored image keeps its label.
    grad_clip_norm : float
        Gradient clipping in the presets for several attributes; 0 for none.
    fixed_test : bool
        The test images are given and the same for every seed of the split.
    sizes : tuple of str
        Values of the option ``size`` of ``load``.
    render_state : callable(size, image_size, seed) -> RenderState, optional
        For images that are rendered on first use.
    is_downloaded : callable() -> bool, optional
        For files that a library downloads on first use: whether they are on this computer.
    load_open_set : callable(size, image_size, progress), optional
        Loads the unseen identities that belong to the data set
        (:class:`clmle.data.recognition.OpenSetData`).
    credits : str
        Authors and license of the images, shown next to them.
    order : int
        Position in lists, and order in which formats are tried.
    """

    name: str
    title: str
    description: str
    load: Callable[..., Dataset]
    kind: str = "label"
    recognize: Callable[[str], bool] | None = None
    general: bool = False
    targets: tuple[str, ...] | Callable[[str], tuple[str, ...]] = ()
    feature_dim: Callable[[str], int | None] | None = None
    image_size: int = 40
    channels: int = 3
    mirror: bool = True
    grad_clip_norm: float = 0.0
    fixed_test: bool = False
    sizes: tuple[str, ...] = ()
    render_state: Callable[[str, int, int], RenderState] | None = None
    is_downloaded: Callable[[], bool] | None = None
    load_open_set: Callable[..., Any] | None = None
    credits: str = ""
    order: int = 50

    @property
    def options(self) -> tuple[str, ...]:
        """Options of ``load``, without the path of a format."""
        names = tuple(inspect.signature(self.load).parameters)
        return names if self.recognize is None else names[1:]

    def target_names(self, path: str = "") -> tuple[str, ...]:
        """Attributes and labels that are known without loading; empty where none are known."""
        return self.targets(path) if callable(self.targets) else self.targets

    @property
    def needs_download(self) -> bool:
        """Whether loading downloads files that are not on this computer."""
        return self.is_downloaded is not None and not self.is_downloaded()

    def is_ready(self, size: str, image_size: int, seed: int = 0) -> bool:
        """Whether loading needs no rendering and no download first."""
        return not self.needs_download and not self._to_render(size, image_size, seed)

    def state(self, size: str = "quick") -> str:
        """Whether the data set can be opened at once, in words for lists."""
        if self.recognize is not None:
            return "by path"
        missing = self._to_render(size, self.image_size, 0)
        if missing:
            return f"to be rendered: {missing:,} images"
        return "needs a download" if self.needs_download else "ready"

    def _to_render(self, size: str, image_size: int, seed: int) -> int:
        if self.render_state is None:
            return 0
        state = self.render_state(size, image_size, seed)
        return state.total - state.done


DATASETS: dict[str, DatasetInfo] = {}


def register_dataset(info: DatasetInfo) -> DatasetInfo:
    """Add a data set to the registry; a data set of the same name is replaced.

    Parameters
    ----------
    info : DatasetInfo
        The entry, with the function that loads the data set.

    Returns
    -------
    DatasetInfo
        ``info`` itself.

    Examples
    --------
    >>> from clmle.data import dataset_info, register_dataset
    >>> register_dataset(dataset_info("digits")).name
    'digits'

    Raises
    ------
    InputError
        ``kind`` is unknown.
    """
    if info.kind not in KINDS:
        raise InputError(
            f"kind of {info.name} is {info.kind!r}; choose one of: {', '.join(KINDS)}."
        )
    DATASETS[info.name] = info
    return info


def registered_datasets() -> tuple[DatasetInfo, ...]:
    """All data sets and formats in the order of lists."""
    _import_all()
    return tuple(sorted(DATASETS.values(), key=lambda info: (info.order, info.name)))


def dataset_names() -> tuple[str, ...]:
    """Names of the data sets that are loaded by name, without a folder.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> "digits" in dataset_names()
    True
    """
    return tuple(info.name for info in registered_datasets() if info.recognize is None)


def load_dataset(name: str, *, identities: bool = False, **options: Any) -> Dataset:
    """Load a data set by its name, or the file or folder at a path.

    Parameters
    ----------
    name : str
        A name of :func:`dataset_names`, or the path of a file or folder. The format is recognized
        by the files (:func:`dataset_info`): CelebA, LFWA, CIFAR, ``train.rec``, Parquet, ``.npz``,
        a sub-folder for each identity, or a sub-folder for each class.
    identities : bool
        The identities are to be learned: sub-folders of a folder in no particular format are
        identities, however few, and every identity has training images.
    **options
        Options of the loader, such as ``image_size`` or ``seed``. With ``labels``, the path of a
        CSV file, a folder holds images of classes.

    Returns
    -------
    Dataset

    Raises
    ------
    InputError
        There is no such data set or folder, or its loader has no such option.

    Examples
    --------
    >>> digits = load_dataset("digits", ratio=10)
    >>> digits.targets, digits.images.shape[1:]
    (('label',), (16, 16, 1))
    """
    kind = "label" if "labels" in options else "identities" if identities else None
    info = dataset_info(name, kind)
    for option in options:
        if option not in info.options:
            raise InputError(f"{name} has no option {option!r}; it has: {', '.join(info.options)}.")
    if identities and "identities" in info.options:
        options["identities"] = True
    return info.load(**options) if info.recognize is None else info.load(name, **options)


def find_dataset(name: str, kind: str | None = None) -> DatasetInfo | None:
    """Return the entry of a data set, file or folder, or None if there is none of them."""
    infos = registered_datasets()
    named = next((i for i in infos if i.recognize is None and i.name == name), None)
    path = expanded(name)
    if named is not None or not (os.path.exists(path) or "*" in name):
        return named
    for info in infos:
        if info.recognize is None:
            continue
        if info.general and kind is not None:
            if info.kind == kind and os.path.isdir(path):
                return info
        elif info.recognize(name):
            return info
    return None


def dataset_info(name: str, kind: str | None = None) -> DatasetInfo:
    """The registry's entry of a data set, or of the format of the file or folder at a path."""
    info = find_dataset(name, kind)
    if info is None and os.path.isfile(expanded(name)):
        from clmle.data.folder.forms import form_of_file

        if form := form_of_file(expanded(name)):
            raise InputError(f"{name} cannot be read: {form}.")
        raise InputError(
            f"{name} is a file in no format that is read here; give a folder of images, or a "
            "Parquet or .npz file with images (clmle data --list lists all formats)."
        )
    if info is None:
        raise InputError(
            f"There is no data set, file or folder {quoted(name)}; "
            f"give one of {', '.join(dataset_names())}, or the path of a folder of images."
        )
    return info


def has_identities(name: str, attribute: str = "") -> bool:
    """Whether a run on a data set, or on the file or folder at a path, learns identities."""
    info = find_dataset(name)
    if attribute == "identity" and (info is None or info.recognize is not None):
        return True
    return info is not None and info.kind == "identities"


@cache
def _import_all() -> None:
    """Import every module of this package once, so that each registers its data sets."""
    package = import_module("clmle.data")
    for module in pkgutil.walk_packages(package.__path__, "clmle.data."):
        import_module(module.name)
