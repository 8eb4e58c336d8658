"""Rendering of a whole set once, by several processes; an interrupted rendering is resumed."""

import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from clmle.data.base import Dataset, Progress
from clmle.data.pixel_cache import cached_pixels, unfinished
from clmle.data.pixels import check_image_size
from clmle.data.registry import DatasetInfo, RenderState, register_dataset
from clmle.data.toonfaces import specs
from clmle.data.toonfaces.render import render
from clmle.data.toonfaces.specs import ATTRIBUTES, FaceSpec, draw_image
from clmle.data.toonfaces.styles import style_named
from clmle.errors import InputError
from clmle.files import atomic_path, cache_dir

VERSION = 1  # of the cache; increase it whenever the pixels or labels of a face change
SIZES = {
    "quick": (6_000, 1_000, 2_000),
    "standard": (30_000, 3_000, 6_000),
    "large": (162_770, 10_000, 19_962),
}
ROWS = 1000  # of the table of labels, drawn by one process at a time
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
    def folder(self) -> str:
        return f"v{VERSION}-{self.prefix}{self.size}-{self.image_size}-{self.seed}"

    def parts(self) -> Sequence[Iterable[tuple[int, FaceSpec]]]:
        """(number of images, specification) of the identities of every split."""
        parts = []
        for split, n_images in enumerate(self.counts):
            rng = np.random.default_rng([self.seed, 1, split])
            sizes = specs.identity_sizes(n_images, rng)
            parts.append(zip(sizes.tolist(), specs.draw_identities(sizes, rng), strict=True))
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
    import pyarrow
    import pyarrow.parquet as parquet

    check_image_size(plan.image_size, 16, 512)
    target, shape = _target(plan), (plan.image_size, plan.image_size, 3)
    with _workers(plan, n_workers) as pool:
        images, _ = cached_pixels(
            target, f"toonfaces {VERSION}", plan.total, shape,
            lambda row: pool.submit(_face, plan, row).result(), progress,
        )  # fmt: skip
        try:
            table = parquet.read_table(target / "table.parquet")
        except (OSError, ValueError):
            parts = pool.map(partial(_labels, plan), range(0, plan.total, ROWS))
            table = pyarrow.concat_tables(map(pyarrow.table, parts)).combine_chunks()
            with atomic_path(target / "table.parquet") as temporary:
                parquet.write_table(table, temporary)
    metadata = {name: np.array(values) for name, values in table.to_pydict().items()}
    split = metadata.pop("split").astype(np.int8)
    attributes = {name: metadata.pop(name).astype(np.int8) for name in ATTRIBUTES}
    return Dataset(f"{plan.dataset} {plan.size}", images, split, attributes, metadata=metadata)


def render_state(plan: Plan) -> RenderState:
    """How many faces of a plan are rendered, and whether a process is rendering them."""
    if (_target(plan) / "meta.json").exists():
        return RenderState(plan.total, plan.total)
    done, running = unfinished(_target(plan))
    return RenderState(done, plan.total, running, SECONDS_PER_FACE)


def _target(plan: Plan) -> Path:
    return cache_dir() / "toonfaces" / plan.folder


@contextmanager
def _workers(plan: Plan, n_workers: int | None) -> Iterator[ProcessPoolExecutor]:
    """Processes that render, started when there is something to render."""
    # Spawned, not forked: the caller may have threads (a GPU, a server).
    pool = ProcessPoolExecutor(n_workers, get_context("spawn"), _end_with_parent)
    try:
        with pool:
            try:
                yield pool
            finally:
                # A pool that closes sends messages to its workers and waits for them. A worker
                # that dies while it reads its message blocks the others for ever.
                for worker in list((pool._processes or {}).values()):
                    worker.kill()
    except BrokenProcessPool as error:
        raise InputError(
            "A rendering process ended early: memory ran out, or the program was read from "
            "standard input, which new processes cannot load again. Run "
            f"python -m clmle data {plan.dataset} --size {plan.size}; rendered faces are kept."
        ) from error


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


def _drawn(plan: Plan, row: int) -> tuple[FaceSpec, FaceSpec, dict[str, int]]:
    """Specification of the identity in a row, of the image, and its labels."""
    spec = _face_specs(plan)[row][2]
    rng = np.random.default_rng([plan.seed, 2, row])
    return spec, *draw_image(spec, style_named(spec["style"]), rng)


def _face(plan: Plan, row: int) -> np.ndarray:
    """Render the face in a row; runs in a worker process."""
    spec, image, _ = _drawn(plan, row)
    return render(spec, image, plan.image_size)


def _labels(plan: Plan, start: int) -> dict[str, np.ndarray]:
    """Columns of the table of labels, of some rows; runs in a worker process."""
    rows = []
    for row in range(start, min(start + ROWS, plan.total)):
        split, identity, _ = _face_specs(plan)[row]
        spec, image, labels = _drawn(plan, row)
        rows.append(
            {"split": split, "identity": identity, "style": spec["style"]}
            | {name: labels[name] for name in ATTRIBUTES}
            | {name: image[name] for name in DRAWN}
        )
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


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
