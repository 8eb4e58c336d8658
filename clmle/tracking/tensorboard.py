"""Event files of TensorBoard in the run folder: scalars, embeddings, hardest images."""

import json
import shutil
import warnings
from typing import Any

import numpy as np

from clmle.run_folder import RunFolder
from clmle.tracking._base import RunImages, Scalars, Tracker

GAP = 2  # pixels between images
COLUMNS = 4


class TensorBoard(Tracker):
    """Writes ``RUN/tensorboard``; every process that trains the run writes it from the beginning.

    The run folder holds all that it needs, so a resumed run has no event twice.
    """

    rewrites = True

    def __init__(self, run: RunFolder, images: RunImages | None, again: str) -> None:
        super().__init__(run, images, again)
        from torch.utils.tensorboard import SummaryWriter

        folder = run.path / "tensorboard"
        shutil.rmtree(folder, ignore_errors=True)
        self.began = (run.path / "config.json").stat().st_mtime
        self.writer: Any = SummaryWriter(str(folder))
        self.writer.add_text("config", f"```\n{json.dumps(run.config(), indent=2)}\n```", 0)

    def scalars(self, found: Scalars) -> None:
        for name, value in found.values.items():
            self.writer.add_scalar(name, value, found.step, walltime=self.began + found.seconds)
        self.writer.flush()

    def validation(self, line: dict[str, Any]) -> None:
        rows = np.array(line.get("hardest", ()), dtype=np.int64)
        if self.images is None or not len(rows):
            return
        step = int(line["step"])
        names = self.images.classes(rows)
        listed = [f"1. row {row}: {name}" for row, name in zip(rows, names, strict=True)]
        self.writer.add_text("hardest of validation", "\n".join(listed), step)
        pixels = self.images.pixels(rows)
        if pixels.ndim == 4:
            self.writer.add_image("hardest of validation", grid(pixels), step, dataformats="HWC")
        self.writer.flush()

    def embedding(self, round: int, step: int) -> None:
        stored = self.run.embedding(round)
        rows, pixels = stored["rows"], None
        columns: dict[str, list[str]] = {"row": list(map(str, rows))}
        if self.images is not None:
            columns = {"class": self.images.classes(rows), **columns}
            found = self.images.pixels(rows)
            pixels = thumbnails(found) if found.ndim == 4 else None
        columns["split"] = [("train", "validation", "test")[s] for s in stored["split"]]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of a folder that exists
            self.writer.add_embedding(
                stored["features"],
                metadata=list(zip(*columns.values(), strict=True)),
                metadata_header=list(columns),
                label_img=pixels,
                global_step=round,
                tag="embedding",
            )
        self.writer.flush()

    def finish(self, result: dict[str, Any] | None) -> None:
        self.writer.close()


def grid(images: np.ndarray) -> np.ndarray:
    """Images (n, height, width, channels) uint8 in rows of four, on white."""
    n, height, width, channels = images.shape
    lines = -(-n // COLUMNS)
    shape = (lines * (height + GAP) - GAP, COLUMNS * (width + GAP) - GAP, channels)
    whole = np.full(shape, 255, dtype=np.uint8)
    for i, image in enumerate(images):
        down, right = (i // COLUMNS) * (height + GAP), (i % COLUMNS) * (width + GAP)
        whole[down : down + height, right : right + width] = image
    return whole


def thumbnails(images: np.ndarray) -> Any:
    """Squares (n, 3, side, side) from 0 to 1, as the projector needs them."""
    import torch

    side = min(images.shape[1:3])
    top, left = ((length - side) // 2 for length in images.shape[1:3])
    squares = images[:, top : top + side, left : left + side]
    if squares.shape[3] == 1:
        squares = squares.repeat(3, axis=3)
    return torch.from_numpy(np.ascontiguousarray(squares.transpose(0, 3, 1, 2))).float() / 255


TRACKER = TensorBoard
