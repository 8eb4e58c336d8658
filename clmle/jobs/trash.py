"""Deleted runs: moved to a folder next to the others, from where they can be restored.

``.trash/20260131-220000-2/20260130-101500-first-clmle``: a folder for every deletion, named by
its time (UTC), with the run folders as they were.
"""

import calendar
import os
import shutil
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from clmle.errors import InputError, some
from clmle.files import as_sentence
from clmle.jobs.lock import run_lock
from clmle.run_folder import ACTIVE, RunFolder

FOLDER = ".trash"
STAMP = "%Y%m%d-%H%M%S"
KEPT_DAYS = 30


@dataclass(frozen=True)
class Batch:
    """Runs that were deleted together: the folder that holds them, and their names."""

    path: Path
    names: tuple[str, ...]


def trash_runs(runs: Sequence[RunFolder]) -> list[Batch]:
    """Delete runs, damaged or whole, that no process trains; :func:`restore_runs` undoes it.

    Raises
    ------
    InputError
        If one of them is active; then none is deleted.
    """
    active = [run.name for run in runs if _is_active(run)]
    if active:
        verb = "is" if len(active) == 1 else "are"
        raise InputError(f"Run {some(active, 3)} {verb} still running; stop it first.")
    found = []
    for root in dict.fromkeys(run.path.parent for run in runs):
        empty_trash(root, KEPT_DAYS)
        batch = _new_batch(root)
        try:
            for run in runs:
                if run.path.parent == root and run.path.is_dir():
                    with run_lock(run), suppress(FileNotFoundError):  # deleted meanwhile
                        os.rename(run.path, batch / run.name)
        finally:
            if names := _names(batch):
                found.append(Batch(batch, names))
            else:
                batch.rmdir()
    return found


def trashed(root: str | os.PathLike[str]) -> list[Batch]:
    """The deletions under a folder of runs that can be undone, the latest first."""
    trash = _trash(Path(root))
    if not trash.is_dir():
        return []
    batches = [Batch(path, _names(path)) for path in trash.iterdir() if _seconds(path) is not None]
    whole = [batch for batch in batches if batch.names]
    return sorted(whole, key=lambda batch: _order(batch.path), reverse=True)


def restore_runs(root: str | os.PathLike[str], batch: Batch | None = None) -> list[RunFolder]:
    """Put deleted runs back, those of the latest deletion unless ``batch`` is given.

    Raises
    ------
    InputError
        If there is nothing to restore, or a run of one of the names exists again.
    """
    root = Path(root)
    batch = batch or next(iter(trashed(root)), None)
    if batch is None:
        raise InputError(f"No run was deleted from {root}, or the trash was emptied.")
    taken = [name for name in batch.names if (root / name).exists()]
    if taken:
        raise InputError(f"Run {some(taken, 3)} exists again in {root}; rename its folder first.")
    for name in batch.names:
        try:
            os.rename(batch.path / name, root / name)
        except FileNotFoundError:  # restored by another session
            continue
        except OSError as error:
            raise as_sentence(error, root / name) from error
    with suppress(OSError):
        batch.path.rmdir()
    return [RunFolder(root / name) for name in batch.names]


def empty_trash(root: str | os.PathLike[str], older_than_days: float = 0.0) -> int:
    """Remove deleted runs for good; returns how many."""
    removed = 0
    for batch in trashed(root):
        age = time.time() - (_seconds(batch.path) or 0.0)
        if age >= older_than_days * 86400:
            removed += len(batch.names)
            shutil.rmtree(batch.path, ignore_errors=True)
    return removed


def _is_active(run: RunFolder) -> bool:
    with suppress(InputError):  # of a damaged status, only the lock shows whether it is trained
        return run.status()["state"] in ACTIVE
    return False


def _new_batch(root: Path) -> Path:
    stamp = time.strftime(STAMP, time.gmtime())
    trash = _trash(root)
    for number in range(1, 1000):
        batch = trash / (stamp if number == 1 else f"{stamp}-{number}")
        try:
            batch.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise as_sentence(error, batch) from error
        return batch
    raise InputError(f"{trash} is full of deletions of this second; wait a moment and try again.")


def _trash(root: Path) -> Path:
    trash = root / FOLDER
    if trash.is_symlink():
        raise InputError(f"{trash} is a link, not a folder; remove it.")
    return trash


def _names(batch: Path) -> tuple[str, ...]:
    try:
        return tuple(sorted(p.name for p in batch.iterdir() if p.is_dir() and not p.is_symlink()))
    except FileNotFoundError:  # restored by another session
        return ()


def _seconds(batch: Path) -> float | None:
    """Unix time of a deletion; None for something else."""
    try:
        return float(calendar.timegm(time.strptime(batch.name[:15], STAMP)))
    except ValueError:
        return None


def _order(batch: Path) -> tuple[str, int]:
    number = batch.name[16:]
    return batch.name[:15], int(number) if number.isdecimal() else 1
