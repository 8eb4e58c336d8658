"""Illustrated faces with and without glasses in every drawing style: sub-populations to hide."""

from dataclasses import replace

import numpy as np

from clmle.data.base import Dataset, Progress
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.data.toonfaces.build import CREDITS, SIZES, Plan, load_toonfaces, render_state
from clmle.data.toonfaces.styles import STYLES

NAMES = tuple(f"{style.name} {kind}" for style in STYLES for kind in ("bare", "glasses"))


def load_toonfaces_styles(
    size: str = "quick", *, image_size: int = 40, seed: int = 0, progress: Progress | None = None
) -> Dataset:
    """Load the faces of :func:`load_toonfaces` with one label: drawing style, bare or glasses.

    Merged to two classes, the styles become hidden sub-populations whose sizes can be chosen.
    """
    faces = load_toonfaces(size, image_size=image_size, seed=seed, progress=progress)
    glasses = faces.attributes["Eyeglasses"]
    style = np.array([NAMES.index(f"{name} bare") for name in faces.metadata["style"]])
    face = np.where(glasses >= 0, style + glasses, -1).astype(np.int64)
    return replace(
        faces,
        name="toonfaces-styles",
        attributes={},
        labels={**faces.labels, "face": face},
        class_names={**faces.class_names, "face": NAMES},
        default="face",
    )


register_dataset(
    DatasetInfo(
        name="toonfaces-styles",
        title="Illustrated faces by drawing style",
        description="Rendered faces with and without glasses in five drawing styles; no download.",
        load=load_toonfaces_styles,
        targets=("face",),
        sizes=tuple(SIZES),
        render_state=lambda *plan: render_state(Plan.of(*plan)),
        credits=CREDITS,
        order=4,
    )
)
