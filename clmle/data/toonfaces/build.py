"""Rendering a whole set once: parallel, resumed after a kill, stored whole or not at all."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

import numpy as np

from clmle.data.base import Dataset
from clmle.data.registry import DatasetInfo, RenderState, register_dataset
from clmle.data.toonfaces.render import render
from clmle.data.toonfaces.specs import (
    ATTRIBUTES,
    draw_identities,
    draw_image,
    identity_sizes,
)
from clmle.data.toonfaces.styles import style_named
from clmle.errors import InputError
from clmle.files import (
    as_sentence,
    atomic_path,
    cache_dir,
    clear_unfinished,
    from_json,
    write_json,
)

VERSION = 1  # raise whenever a face would come out differently
SIZES = {
    "quick": (6_000, 1_000, 2_000),
    "standard": (30_000, 3_000, 6_000),
    "large": (162_770, 10_000, 19_962),
}
CHUNK = 250
SECONDS_PER_FACE = 0.004  # with two cores, for an estimate of the time left
SHOWN = ("turn", "zoom", "light", "side_light", "noise", "occluded", "mirror")

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Plan:
    """What is to be rendered: a size by name, the pixels of a side, a seed."""

    size: str
    image_size: int
    seed: int

    @property
    def total(self) -> int:
        return sum(SIZES[self.size])

    @property
    def n_chunks(self) -> int:
        return -(-self.total // CHUNK)

    @property
    def folder(self) -> str:
        return f"v{VERSION}-{self.size}-{self.image_size}-{self.seed}"

    @property
    def dataset(self) -> str:
        """The name of the data set, for a person to give."""
        return "toonfaces"

    def cast(self) -> list[tuple[int, int, dict[str, Any]]]:
        """(split, identity number, look) of every row; identities of a split are its own."""
        rows, number = [], 0
        for split, n_images in enumerate(SIZES[self.size]):
            rng = np.random.default_rng([self.seed, 1, split])
            sizes = identity_sizes(n_images, rng)
            for count, spec in zip(sizes, draw_identities(sizes, rng), strict=True):
                rows += [(split, number, spec)] * int(count)
                number += 1
        return rows


def load_toonfaces(
    size: str = "quick",
    *,
    image_size: int = 40,
    seed: int = 0,
    n_workers: int | None = None,
    progress: Progress | None = None,
    root: str | os.PathLike[str] | None = None,
) -> Dataset:
    """Illustrated faces with 14 binary attributes, rendered on first use and then cached.

    Parameters
    ----------
    size : {"quick", "standard", "large"}
        6,000, 30,000 or 162,770 (CelebA's) training images; validation and test images come
        on top (1,000 + 2,000; 3,000 + 6,000; 10,000 + 19,962), of other identities.
    image_size : int
        Pixels a side, 16 to 512.
    seed : int
        The same seed gives the same bytes, whatever the number of workers.
    n_workers : int, optional
        Processes; as many as cores by default.
    progress : callable(done, total), optional
        Told as images are rendered.
    root : path, optional
        Where to keep the set; :func:`clmle.files.cache_dir` by default.

    Returns
    -------
    Dataset
        ``attributes`` masked with -1 where a style cannot show one or something hides it;
        ``metadata`` identity, style and what else was drawn at random.

    Raises
    ------
    InputError
        Unknown size, pixels out of range, missing packages, a full disk.

    Notes
    -----
    Drawings by Pablo Stanley, Lisa Wischofsky, Zoish and Micah Lanier: docs/credits.md.
    """
    if size not in SIZES:
        raise InputError(f"toonfaces has no size {size!r}; choose one of: {', '.join(SIZES)}.")
    if not 16 <= image_size <= 512:
        raise InputError(f"image_size is {image_size}, but must be from 16 to 512 pixels.")
    return drawn(Plan(size, image_size, seed), n_workers, progress, root)


def drawn(
    plan: Plan,
    n_workers: int | None = None,
    progress: Progress | None = None,
    root: str | os.PathLike[str] | None = None,
) -> Dataset:
    """The faces of a plan, rendered where they are not there yet."""
    home = Path(root) if root is not None else cache_dir() / "toonfaces"
    target = home / plan.folder
    if _open(target, plan) is None:
        _build(target, plan, n_workers, progress)
    dataset = _open(target, plan)
    if dataset is None:
        raise InputError(f"{target} could not be read after rendering; remove it and try again.")
    return dataset


def render_state(plan: Plan, root: Path | None = None) -> RenderState:
    """How many faces of a plan are rendered, and whether a process holds the lock to render it."""
    target = (root or cache_dir() / "toonfaces") / plan.folder
    if (target / "meta.json").exists():
        return RenderState(plan.total, plan.total)
    done = min(plan.total, len(_finished(_building(target))) * CHUNK)
    return RenderState(done, plan.total, _is_locked(_lock(target)), SECONDS_PER_FACE)


def _is_locked(lock: Path) -> bool:
    try:
        import fcntl

        with open(lock) as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (ImportError, OSError):
        return False
    return False


# --- reading -----------------------------------------------------------------------------


def _open(target: Path, plan: Plan) -> Dataset | None:
    """The stored set, or None where there is none or it is damaged."""
    import pyarrow.parquet as parquet

    try:
        meta = from_json((target / "meta.json").read_text())
        images = np.load(target / "images.npy", mmap_mode="r")
        table = parquet.read_table(target / "table.parquet").to_pydict()
        if meta["total"] != plan.total or len(images) != plan.total:
            return None
    except (OSError, ValueError, KeyError, TypeError):
        return None
    metadata = {name: np.array(values) for name, values in table.items()}
    split = metadata.pop("split").astype(np.int8)
    attributes = {name: metadata.pop(name).astype(np.int8) for name in ATTRIBUTES}
    return Dataset(f"toonfaces {plan.size}", images, split, attributes, metadata=metadata)


# --- building ----------------------------------------------------------------------------


def _build(target: Path, plan: Plan, n_workers: int | None, progress: Progress | None) -> None:
    building = _building(target)
    try:
        building.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise as_sentence(error, building) from error
    with _alone(_lock(target), plan, building, progress):
        if _open(target, plan) is not None:
            return  # another process finished it meanwhile
        building.mkdir(exist_ok=True)
        clear_unfinished(building)
        _render_chunks(building, plan, n_workers, progress)
        _assemble(building, plan)
        if target.exists():
            shutil.rmtree(target)
        os.replace(building, target)


def _lock(target: Path) -> Path:
    return target.with_name(f"{target.name}.lock")


def _building(target: Path) -> Path:
    return target.with_name(target.name + ".building")


def _finished(building: Path) -> set[int]:
    return {int(file.stem.split("_")[1]) for file in building.glob("chunk_*.npy")}


def _render_chunks(
    building: Path, plan: Plan, n_workers: int | None, progress: Progress | None
) -> None:
    done = _finished(building)
    waiting = [c for c in range(plan.n_chunks) if c not in done]
    if progress is not None:
        progress(min(plan.total, len(done) * CHUNK), plan.total)
    workers = min(n_workers or os.cpu_count() or 1, max(1, len(waiting)))
    # Spawned, not forked: the caller may have threads (a GPU, a server).
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_end_with_parent) as pool:
        jobs = [pool.submit(_render_chunk, str(building), plan, c) for c in waiting]
        try:
            for n, job in enumerate(as_completed(jobs), start=len(done) + 1):
                job.result()
                if progress is not None:
                    progress(min(plan.total, n * CHUNK), plan.total)
        except BrokenProcessPool as error:
            raise InputError(
                "A process that draws faces ended early: memory ran out, or the program was read "
                "from standard input, which new processes cannot load again. "
                f"Run python -m clmle data {plan.dataset} --size {plan.size}; drawn faces are kept."
            ) from error
        finally:
            _end_workers(pool)


def _end_workers(pool: ProcessPoolExecutor) -> None:
    """Kill them: a pool that closes asks its workers to end, and waits for them.

    One that dies with that message in its hands keeps the others from theirs, for ever.
    """
    for worker in list((pool._processes or {}).values()):
        worker.kill()


def _end_with_parent() -> None:
    """A worker whose starter was killed would wait for work for ever."""

    def wait() -> None:
        starter = parent_process()
        if starter is not None:
            starter.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


_drawn: dict[Plan, list[tuple[int, int, dict[str, Any]]]] = {}


def _render_chunk(building: str, plan: Plan, chunk: int) -> None:
    """Render one chunk into its own two files; runs in a worker process."""
    import pyarrow
    import pyarrow.parquet as parquet

    if plan not in _drawn:
        _drawn[plan] = plan.cast()
    cast = _drawn[plan]
    rows = range(chunk * CHUNK, min((chunk + 1) * CHUNK, plan.total))
    images = np.empty((len(rows), plan.image_size, plan.image_size, 3), dtype=np.uint8)
    table = []
    for i, row in enumerate(rows):
        split, identity, spec = cast[row]
        image, labels = draw_image(spec, style_named(spec["style"]), _rng(plan, row))
        images[i] = render(spec, image, plan.image_size)
        shown = {name: image[name] for name in SHOWN}
        attributes = {name: labels[name] for name in ATTRIBUTES}
        table.append(
            {"split": split, "identity": identity, "style": spec["style"], **attributes, **shown}
        )
    with atomic_path(_table(building, chunk)) as temporary:
        parquet.write_table(pyarrow.Table.from_pylist(table), temporary)
    # Last: a chunk counts as finished when its images are there.
    with atomic_path(_images(building, chunk)) as temporary, open(temporary, "wb") as file:
        np.save(file, images)


def _images(building: str | Path, chunk: int) -> Path:
    return Path(building) / f"chunk_{chunk:05d}.npy"


def _table(building: str | Path, chunk: int) -> Path:
    return Path(building) / f"chunk_{chunk:05d}.parquet"


def _rng(plan: Plan, row: int) -> np.random.Generator:
    return np.random.default_rng([plan.seed, 2, row])


def _assemble(building: Path, plan: Plan) -> None:
    """images.npy and table.parquet from the chunks, meta.json last."""
    import pyarrow
    import pyarrow.parquet as parquet

    chunks = range(plan.n_chunks)
    try:
        shape = (plan.total, plan.image_size, plan.image_size, 3)
        images = np.lib.format.open_memmap(
            building / "images.npy", mode="w+", dtype=np.uint8, shape=shape
        )
        for chunk in chunks:
            images[chunk * CHUNK : (chunk + 1) * CHUNK] = np.load(_images(building, chunk))
        images.flush()
        del images
        table = pyarrow.concat_tables([parquet.read_table(_table(building, c)) for c in chunks])
        parquet.write_table(table.combine_chunks(), building / "table.parquet")
        write_json(building / "meta.json", {"version": VERSION, "total": plan.total})
        for file in building.glob("chunk_*"):
            file.unlink()
    except OSError as error:
        raise as_sentence(error, building) from error


@contextmanager
def _alone(lock: Path, plan: Plan, building: Path, progress: Progress | None) -> Iterator[None]:
    """Only one process renders a set; others wait and show its progress.

    The operating system lets go of the lock when its holder dies.
    """
    try:
        import fcntl
    except ImportError:  # no such locks on Windows: render without
        yield
        return
    with open(lock, "w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if progress is not None:
                    progress(min(plan.total, len(_finished(building)) * CHUNK), plan.total)
                time.sleep(0.5)
        yield


CREDITS = (
    "Drawings: avataaars by Pablo Stanley, adventurer (CC BY 4.0) and lorelei (CC0) by Lisa "
    "Wischofsky, notionists (CC0) by Zoish, micah (CC BY 4.0) by Micah Lanier."
)
register_dataset(
    DatasetInfo(
        name="toonfaces",
        title="Illustrated faces",
        description="Rendered faces with 14 imbalanced binary attributes; no download.",
        load=load_toonfaces,
        kind="attributes",
        targets=ATTRIBUTES,
        sizes=tuple(SIZES),
        render_state=lambda *plan: render_state(Plan(*plan)),
        credits=CREDITS,
        order=0,
    )
)
