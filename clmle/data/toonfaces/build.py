"""Parallel rendering of a whole set, once: resumed after an interruption, stored atomically."""

import os
import shutil
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from clmle.data.base import Dataset, Progress
from clmle.data.pixel_cache import locked
from clmle.data.pixels import check_image_size
from clmle.data.registry import DatasetInfo, RenderState, register_dataset
from clmle.data.toonfaces.render import render
from clmle.data.toonfaces.specs import (
    ATTRIBUTES,
    FaceSpec,
    draw_identities,
    draw_image,
    identity_sizes,
)
from clmle.data.toonfaces.styles import style_named
from clmle.errors import InputError
from clmle.files import (
    as_sentence,
    cache_dir,
    clear_unfinished,
    from_json,
    read_arrays,
    write_arrays,
    write_json,
)

VERSION = 1  # of the cache; increase it whenever the pixels or labels of a face change
SIZES = {
    "quick": (6_000, 1_000, 2_000),
    "standard": (30_000, 3_000, 6_000),
    "large": (162_770, 10_000, 19_962),
}
CHUNK = 250
SECONDS_PER_FACE = 0.004  # with two cores, for an estimate of the time left
DRAWN = ("turn", "zoom", "light", "side_light", "noise", "occluded", "mirror")


@dataclass(frozen=True)
class Plan:
    """What to render: a size and its numbers of images, pixels a side, and a seed."""

    size: str
    image_size: int
    seed: int
    counts: tuple[int, ...]

    dataset: ClassVar[str] = "toonfaces"
    prefix: ClassVar[str] = ""
    sizes: ClassVar[Mapping[str, tuple[int, ...]]] = SIZES

    @classmethod
    def of(cls, size: str, image_size: int, seed: int) -> Self:
        """The plan of a size; an InputError if there is no such size."""
        if size not in cls.sizes:
            raise InputError(
                f"{cls.dataset} has no size {size!r}; choose one of: {', '.join(cls.sizes)}."
            )
        return cls(size, image_size, seed, cls.sizes[size])

    @property
    def total(self) -> int:
        return sum(self.counts)

    @property
    def n_chunks(self) -> int:
        return -(-self.total // CHUNK)

    @property
    def folder(self) -> str:
        return f"v{VERSION}-{self.prefix}{self.size}-{self.image_size}-{self.seed}"

    def parts(self) -> Sequence[Iterable[tuple[int, FaceSpec]]]:
        """(number of images, specification) of the identities of every split."""
        parts = []
        for split, n_images in enumerate(self.counts):
            rng = np.random.default_rng([self.seed, 1, split])
            sizes = identity_sizes(n_images, rng)
            parts.append(zip(sizes.tolist(), draw_identities(sizes, rng), strict=True))
        return parts

    def face_specs(self) -> list[tuple[int, int, FaceSpec]]:
        """(split, identity number, specification) of every image; no identity is in two splits."""
        identities = [(split, *each) for split, part in enumerate(self.parts()) for each in part]
        return [
            (split, number, spec)
            for number, (split, count, spec) in enumerate(identities)
            for _ in range(count)
        ]


def load_toonfaces(
    size: str = "quick",
    *,
    image_size: int = 40,
    seed: int = 0,
    n_workers: int | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Load illustrated faces with 14 binary attributes; rendered on first use, then cached.

    The rates of the attributes are those of CelebA. Labels are drawn before the faces are
    rendered, so that they are correct by construction.
    """
    return load_plan(Plan.of(size, image_size, seed), n_workers, progress)


def load_plan(
    plan: Plan, n_workers: int | None = None, progress: Progress | None = None
) -> Dataset:
    """The faces of a plan, rendered if they are not in the cache."""
    check_image_size(plan.image_size, 16, 512)
    target = _target(plan)
    if _open(target, plan) is None:
        _build(target, plan, n_workers, progress)
    dataset = _open(target, plan)
    if dataset is None:
        raise InputError(f"{target} could not be read after rendering; remove it and try again.")
    return dataset


def render_state(plan: Plan) -> RenderState:
    """How many faces of a plan are rendered, and whether a process is rendering them."""
    target = _target(plan)
    if (target / "meta.json").exists():
        return RenderState(plan.total, plan.total)
    done = _n_rendered(_building(target), plan)
    return RenderState(done, plan.total, _is_locked(_lock(target)), SECONDS_PER_FACE)


def _is_locked(lock: Path) -> bool:
    from filelock import FileLock, Timeout

    try:
        with FileLock(lock, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return False


def _open(target: Path, plan: Plan) -> Dataset | None:
    """The cached set, or None if there is none or it is damaged."""
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
    return Dataset(f"{plan.dataset} {plan.size}", images, split, attributes, metadata=metadata)


def _build(target: Path, plan: Plan, n_workers: int | None, progress: Progress | None) -> None:
    building = _building(target)

    def report() -> None:
        if progress is not None:
            progress(_n_rendered(building, plan), plan.total)

    try:
        building.mkdir(parents=True, exist_ok=True)
        with locked(_lock(target), report):
            if _open(target, plan) is not None:
                return  # another process has rendered it meanwhile
            building.mkdir(exist_ok=True)
            clear_unfinished(building)
            _render_chunks(building, plan, n_workers, progress)
            _assemble(building, plan)
            if target.exists():
                shutil.rmtree(target)
            os.replace(building, target)
    except OSError as error:
        raise as_sentence(error, building) from error


def _target(plan: Plan) -> Path:
    return cache_dir() / "toonfaces" / plan.folder


def _lock(target: Path) -> Path:
    return target.with_name(f"{target.name}.lock")


def _building(target: Path) -> Path:
    return target.with_name(target.name + ".building")


def _chunk(building: str | Path, chunk: int) -> Path:
    return Path(building) / f"chunk_{chunk:05d}.npz"


def _finished(building: Path) -> set[int]:
    return {int(file.stem.split("_")[1]) for file in building.glob("chunk_*.npz")}


def _n_rendered(building: Path, plan: Plan) -> int:
    return min(plan.total, len(_finished(building)) * CHUNK)


def _render_chunks(
    building: Path, plan: Plan, n_workers: int | None, progress: Progress | None
) -> None:
    done = _finished(building)
    waiting = [c for c in range(plan.n_chunks) if c not in done]
    if progress is not None:
        progress(_n_rendered(building, plan), plan.total)
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
                "A rendering process ended early: memory ran out, or the program was read from "
                "standard input, which new processes cannot load again. Run "
                f"python -m clmle data {plan.dataset} --size {plan.size}; rendered faces are kept."
            ) from error
        finally:
            _end_workers(pool)


def _end_workers(pool: ProcessPoolExecutor) -> None:
    """Kill the workers.

    A pool that closes sends messages to its workers and waits for them. A worker that dies while it
    reads its message blocks the others for ever.
    """
    for worker in list((pool._processes or {}).values()):
        worker.kill()


def _end_with_parent() -> None:
    """End a worker when its parent ends; it would otherwise wait for work for ever."""

    def wait() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


@cache
def _face_specs(plan: Plan) -> list[tuple[int, int, FaceSpec]]:
    return plan.face_specs()


def _render_chunk(building: str, plan: Plan, chunk: int) -> None:
    """Render one chunk into a file of its own; runs in a worker process."""
    images, table = [], []
    for row in range(chunk * CHUNK, min((chunk + 1) * CHUNK, plan.total)):
        split, identity, spec = _face_specs(plan)[row]
        image, labels = draw_image(spec, style_named(spec["style"]), _rng(plan, row))
        images.append(render(spec, image, plan.image_size))
        table.append(
            {"split": split, "identity": identity, "style": spec["style"]}
            | {name: labels[name] for name in ATTRIBUTES}
            | {name: image[name] for name in DRAWN}
        )
    columns = {name: np.array([row[name] for row in table]) for name in table[0]}
    write_arrays(_chunk(building, chunk), {"images": np.stack(images), **columns})


def _rng(plan: Plan, row: int) -> np.random.Generator:
    return np.random.default_rng([plan.seed, 2, row])


def _assemble(building: Path, plan: Plan) -> None:
    """Join the chunks to images.npy and table.parquet."""
    import pyarrow
    import pyarrow.parquet as parquet

    shape = (plan.total, plan.image_size, plan.image_size, 3)
    images = np.lib.format.open_memmap(
        building / "images.npy", mode="w+", dtype=np.uint8, shape=shape
    )
    tables = []
    for chunk in range(plan.n_chunks):
        columns = read_arrays(_chunk(building, chunk))
        images[chunk * CHUNK : (chunk + 1) * CHUNK] = columns.pop("images")
        tables.append(pyarrow.table(columns))
    images.flush()
    parquet.write_table(pyarrow.concat_tables(tables).combine_chunks(), building / "table.parquet")
    write_json(building / "meta.json", {"version": VERSION, "total": plan.total})
    for file in building.glob("chunk_*"):
        file.unlink()


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
        render_state=lambda *plan: render_state(Plan.of(*plan)),
        credits=CREDITS,
        order=0,
    )
)
