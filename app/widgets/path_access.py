"""Which folders and files a visitor of the app may let the server read.

On the visitor's own computer: all. A server that others can reach reads only the folders that its
administrator lists in CLMLE_DATA (separated as in PATH).
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import streamlit as st

from app.guard import is_loopback
from app.visitors import own_runs_dir
from clmle import Config, InputError, data

VARIABLE = "CLMLE_DATA"


def open_path(text: str, folder: str = "") -> str:
    """The path of ``text`` that a visitor may read, without links; it is what has to be read.

    A table of labels may be given relative to the ``folder`` of its images.
    """
    homes = open_folders()
    if not text or homes is None:
        return text
    homes.append(uploads_dir().resolve())
    with suppress(OSError, ValueError, RuntimeError):  # an impossible path
        path = Path(os.path.expanduser(text))
        if folder and not path.exists() and Path(folder, path).exists():
            path = Path(folder, path)
        path = path.resolve()
        if _is_inside(path, homes) and not _leads_out(path, homes):
            return str(path)
    raise InputError(
        f"{text} is not open to this page, or has links that lead out of what is; the "
        f"administrator of the server lists the allowed folders in {VARIABLE}."
    )


def open_folders() -> list[Path] | None:
    """The folders that the administrator lists; None where all are open to the visitor."""
    allowed = os.environ.get(VARIABLE)
    if allowed is None:
        return None if is_loopback(st.get_option("server.address")) else []
    return [Path(part).resolve() for part in allowed.split(os.pathsep) if part]


def is_open_folder(path: Path) -> bool:
    """Whether the visitor may see what is in a folder. :func:`open_path` decides what is read."""
    homes = open_folders()
    return homes is None or _is_inside(path.resolve(), homes)


def _is_inside(path: Path, homes: list[Path]) -> bool:
    return any(path.is_relative_to(home) for home in homes)


def _leads_out(path: Path, homes: list[Path]) -> bool:
    """Whether a link below ``path``, which loaders follow, leads to something outside.

    With a file of features its table of labels is read, which has the same name but for the ending.
    """
    if path.is_file():
        tables = (other for other in path.parent.iterdir() if other.stem == path.stem)
        return not all(_is_inside(table.resolve(), homes) for table in tables)
    # Of a pattern of files, all that it may match is searched.
    todo, seen = [next(p for p in (path, *path.parents) if "*" not in str(p))], set()
    while todo:
        folder = todo.pop()
        if folder in seen or not folder.is_dir():
            continue
        seen.add(folder)
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_symlink():
                    target = Path(entry.path).resolve()
                    if not _is_inside(target, homes):
                        return True
                    todo.append(target)
                elif entry.is_dir():
                    todo.append(Path(entry.path))
    return False


def uploads_dir() -> Path:
    """Folder of the data files that visitors drop on a page, next to their runs."""
    return own_runs_dir() / "uploads"


def with_open_paths(config: Config) -> Config:
    """The configuration with :func:`open_path` of all files and folders that it names."""
    one = config.data
    known = one.dataset in data.dataset_names()
    dataset = one.dataset if known else open_path(one.dataset)
    return replace(
        config,
        data=replace(one, dataset=dataset, labels=open_path(one.labels, dataset)),
        train=replace(config.train, init_from=open_path(config.train.init_from)),
    )


def check_paths(configs: Iterable[Config]) -> None:
    """Refuse configurations that name a file or folder which is not open, or through links."""
    for one in configs:
        if with_open_paths(one) != one:
            raise InputError("Give files and folders by their whole paths, without ~ and links.")
