"""The run folders below a folder."""

import os
from pathlib import Path

from clmle.errors import InputError
from clmle.files import leads_out
from clmle.run_folder.folder import RunFolder


def list_runs(root: str | os.PathLike[str]) -> list[RunFolder]:
    """List the run folders under a folder, newest first.

    A folder that contains links out of itself is left out: a run folder from another person must
    not lead to other files of the user.

    Parameters
    ----------
    root : path
        Folder of run folders, such as :func:`clmle.runs_dir`.

    Returns
    -------
    list of RunFolder

    Examples
    --------
    >>> from clmle import list_runs
    >>> list_runs("no-such-folder")
    []
    """
    root = Path(root)
    if not root.is_dir():
        return []
    folders = [p for p in root.iterdir() if not leads_out(p) and _is_run(p) and not _foreign(p)]
    return [RunFolder(p) for p in sorted(folders, key=lambda p: p.name, reverse=True)]


def old_runs_sentence(root: str | os.PathLike[str]) -> str:
    """Return a sentence on run folders of version 0.1 under ``root``; empty where there is none.

    They hold ``settings.json`` where ``config.json`` is expected.
    """
    old = sorted(
        path.parent.name
        for path in Path(root).glob("*/settings.json")
        if not path.with_name("config.json").exists()
    )
    if not old:
        return ""
    return (
        f"{len(old):,} run folders in {root} were written by version 0.1 and cannot be read "
        f"(such as {old[-1]}); train them again, or open them with version 0.1."
    )


def _is_run(folder: Path) -> bool:
    """Whether the folder holds a run; one that has lost its config is a damaged run."""
    try:
        names = set(os.listdir(folder))
    except OSError:  # a file, or closed to this user
        return False
    return "config.json" in names or ("status.json" in names and "settings.json" not in names)


def _foreign(folder: Path) -> bool:
    try:
        with os.scandir(folder) as entries:
            links = [Path(entry.path) for entry in entries if entry.is_symlink()]
    except OSError:
        return False
    return any(map(leads_out, links))


def open_run(root: str | os.PathLike[str], name: str) -> RunFolder:
    """Open a run by its name.

    Parameters
    ----------
    root : path
        As in :func:`list_runs`.
    name : str
        Name of the run.

    Returns
    -------
    RunFolder

    Raises
    ------
    InputError
        If there is no such run; the message names the newest ones.

    Examples
    --------
    >>> from clmle import open_run
    >>> open_run("no-such-folder", "first")
    Traceback (most recent call last):
    ...
    clmle.errors.InputError: There is no run 'first' in no-such-folder; there is none yet.
    """
    folder = Path(root) / name
    if Path(name).name != name or name == ".." or not _is_run(folder):
        if Path(name).name == name and (folder / "settings.json").exists():
            raise InputError(
                f"Run {name} was written by version 0.1 and cannot be read; train it again, or "
                "open it with version 0.1."
            )
        known = [run.name for run in list_runs(root)][:5]
        hint = f"the newest are: {', '.join(known)}" if known else "there is none yet"
        raise InputError(f"There is no run {name!r} in {root}; {hint}.")
    return RunFolder(folder)
