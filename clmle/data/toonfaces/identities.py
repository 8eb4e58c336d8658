"""Illustrated identities for face recognition: a long tail, and unseen ones for testing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from clmle.data.base import UNKNOWN, Dataset, Progress
from clmle.data.pixels import check_image_size
from clmle.data.recognition.faces import held_out
from clmle.data.recognition.pairs import OpenSetData, Pairs
from clmle.data.registry import DatasetInfo, RenderState, register_dataset
from clmle.data.toonfaces.build import CREDITS, VERSION, Plan, load_plan, render_state
from clmle.data.toonfaces.specs import FaceSpec, draw_identities, identity_sizes
from clmle.data.toonfaces.styles import HAIR_COLORS, PALE_SKINS, SKINS, STYLES, style_named
from clmle.errors import InputError

PARTS = ("training", "test", "distractor")
# Training images, test identities, images of each, distractors (identities of one image each).
SIZES = {
    "quick": (3_600, 100, 8, 1_000),
    "standard": (30_000, 500, 10, 10_000),
    "large": (211_500, 1_000, 10, 50_000),  # about as many identities as CASIA-WebFace, 10,575
}
FOLDS = 10
PAIRS_EACH = 6  # matched pairs for each test identity, and as many mismatched ones
REDRAWS = 10  # of a specification that is taken, before another style is tried


@dataclass(frozen=True)
class IdentityPlan(Plan):
    """What to render; ``counts`` as in SIZES."""

    counts: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def total(self) -> int:
        train, n_identities, each, distractors = self.counts
        return train + n_identities * each + distractors

    @property
    def folder(self) -> str:
        return f"v{VERSION}-identities-{self.size}-{self.image_size}-{self.seed}"

    @property
    def dataset(self) -> str:
        return "toonfaces-identities"

    def face_specs(self) -> list[tuple[int, int, FaceSpec]]:
        """(part, identity number, specification) of every image; no identity is in two parts."""
        train, n_identities, each, distractors = self.counts
        taken: set[tuple[Any, ...]] = set()
        parts: dict[int, list[tuple[int, FaceSpec]]] = {}
        # Test identities first, as later ones must differ from all earlier ones.
        for part in (1, 2, 0):
            rng = np.random.default_rng([self.seed, 3, part])
            sizes = (
                identity_sizes(train, rng)
                if part == 0
                else np.full(n_identities if part == 1 else distractors, each if part == 1 else 1)
            )
            specs = [unique_spec(spec, taken, rng) for spec in draw_identities(sizes, rng)]
            parts[part] = list(zip(sizes.tolist(), specs, strict=True))
        rows, number = [], 0
        for part in range(3):
            for count, spec in parts[part]:
                rows += [(part, number, spec)] * count
                number += 1
        return rows


@dataclass(frozen=True)
class RecognitionSet:
    """Training and test data of face recognition, all on the same images.

    Attributes
    ----------
    training : Dataset
        With the label ``identity`` for training images only; the others are in no split.
    verification : OpenSetData
        Pairs of test images in ten folds, half of them matched; no identity is in two folds.
    identities : (n,) int64
        Identity of every image of all parts.
    probes, distractors : (p,), (d,) int64
        Indices of the test images, and of images of identities with a single image.
    """

    training: Dataset
    verification: OpenSetData
    identities: np.ndarray
    probes: np.ndarray
    distractors: np.ndarray


def load_toonfaces_recognition(
    size: str = "quick",
    *,
    image_size: int = 40,
    seed: int = 0,
    n_workers: int | None = None,
    progress: Progress | None = None,
    root: str | os.PathLike[str] | None = None,
) -> RecognitionSet:
    """Load illustrated identities for training and testing; rendered on first use, then cached.

    The number of images of a training identity is log-normal with a tail as long as that of
    CASIA-WebFace: 39 % have less than half of the mean, 20. Test identities and distractors are
    not among the training identities. The images of a mismatched pair have the same drawing style,
    since different styles would make the pair trivial.
    """
    if size not in SIZES:
        raise InputError(
            f"toonfaces-identities has no size {size!r}; choose one of: {', '.join(SIZES)}."
        )
    check_image_size(image_size, 16, 512)
    plan = IdentityPlan(size, image_size, seed, SIZES[size])
    return recognition_set(load_plan(plan, n_workers, progress, root), seed)


def load_toonfaces_identities(
    size: str = "quick",
    *,
    image_size: int = 40,
    seed: int = 0,
    n_workers: int | None = None,
    progress: Progress | None = None,
    root: str | os.PathLike[str] | None = None,
) -> Dataset:
    """Load illustrated identities for training; rendered on first use, then cached."""
    return load_toonfaces_recognition(
        size, image_size=image_size, seed=seed, n_workers=n_workers, progress=progress, root=root
    ).training


def recognition_set(faces: Dataset, seed: int = 0) -> RecognitionSet:
    """Training part, identities and pairs of faces whose ``split`` is the part of every image."""
    identities = faces.metadata["identity"].astype(np.int64)
    # Training identities have the first numbers.
    identity = np.where(faces.split == 0, identities, UNKNOWN)
    name = faces.name.replace("toonfaces", "toonfaces-identities", 1)
    metadata = {**faces.metadata, "part": np.array(PARTS)[faces.split]}
    training = Dataset(
        name,
        faces.images,
        held_out(identity, seed),
        labels={"identity": identity},
        metadata=metadata,
    )
    probes = np.flatnonzero(faces.split == 1)
    pairs = draw_pairs(probes, identities[probes], faces.metadata["style"][probes], seed)
    return RecognitionSet(
        training,
        OpenSetData(name, faces.images, pairs, metadata=metadata),
        identities,
        probes,
        np.flatnonzero(faces.split == 2),
    )


def draw_pairs(
    rows: np.ndarray, identities: np.ndarray, styles: np.ndarray, seed: int = 0, folds: int = FOLDS
) -> Pairs:
    """Draw matched and mismatched pairs of ``rows`` (p,), in folds without a common identity.

    Mismatched pairs have one style.
    """
    rng = np.random.default_rng([seed, 4])
    names, first_index = np.unique(identities, return_index=True)
    # Assigned style by style, so that each fold has identities of every style.
    order = rng.permutation(len(names))
    order = order[np.argsort(styles[first_index][order], kind="stable")]
    fold_of = np.empty(len(names), dtype=np.int64)
    fold_of[order] = np.arange(len(names)) % folds
    fold_of_row = fold_of[np.searchsorted(names, identities)]
    each = PAIRS_EACH * len(names) // folds
    chosen = []
    for fold in range(folds):
        here = np.flatnonzero(fold_of_row == fold)
        a, b = (here[i] for i in np.triu_indices(len(here), 1))
        same = identities[a] == identities[b]
        for wanted in (same, ~same & (styles[a] == styles[b])):
            able = np.flatnonzero(wanted)
            if len(able) < each:
                raise InputError(
                    f"Fold {fold + 1} has {len(able)} pairs to choose {each} from; take a larger "
                    "size."
                )
            taken = np.sort(rng.choice(able, each, replace=False))
            chosen.append((rows[a[taken]], rows[b[taken]], same[taken], np.full(each, fold)))
    first, second, matched, in_fold = map(np.concatenate, zip(*chosen, strict=True))
    return Pairs(first, second, matched, in_fold)


def unique_spec(spec: FaceSpec, taken: set[tuple[Any, ...]], rng: np.random.Generator) -> FaceSpec:
    """``spec``, or one with an appearance that is not in ``taken`` yet; it is then added.

    Hair, hair color and skin are drawn again first. A style with few variants may not have a free
    one, and then another style is drawn.
    """
    style = style_named(spec["style"])
    for _ in range(REDRAWS):
        if appearance(spec) not in taken:
            break
        spec = spec | {
            "seed": int(rng.integers(2**31)),
            "hair": str(rng.choice(style.hair)),
            "hair_color": str(rng.choice(HAIR_COLORS[spec["hair_class"]])),
            "skin": str(rng.choice(PALE_SKINS if spec["pale"] else SKINS)),
        }
    while appearance(spec) in taken:
        spec = draw_identities(np.ones(len(STYLES), dtype=np.int64), rng)[0]
    taken.add(appearance(spec))
    return spec


def appearance(spec: FaceSpec) -> tuple[Any, ...]:
    """The parts of a specification by which two identities differ."""
    style = style_named(spec["style"])
    return (
        spec["style"],
        spec["bald"] or spec["hair"],
        spec["hair_color"] if style.hair_colors and not spec["bald"] else "",
        spec["skin"] if style.skin else spec["seed"],  # else the nose differs
        spec["beard"],
        spec["mustache"],
    )


def load_open_set_faces(
    size: str = "quick",
    *,
    image_size: int | tuple[int, int] = 40,
    progress: Progress | None = None,
) -> OpenSetData:
    """Load test identities and distractors, without the training images."""
    side = image_size if isinstance(image_size, int) else image_size[0]
    faces = load_toonfaces_recognition(size, image_size=side, progress=progress)
    kept = np.union1d(faces.probes, faces.distractors)
    pairs = faces.verification.pairs
    first, second, probes, distractors = (
        np.searchsorted(kept, indices)
        for indices in (pairs.first, pairs.second, faces.probes, faces.distractors)
    )
    return OpenSetData(
        faces.verification.name,
        faces.verification.images[kept],
        Pairs(first, second, pairs.same, pairs.fold),
        faces.identities[kept],
        probes,
        distractors,
    )


def _state(size: str, image_size: int, seed: int) -> RenderState:
    return render_state(IdentityPlan(size, image_size, seed, SIZES[size]))


register_dataset(
    DatasetInfo(
        name="toonfaces-identities",
        title="Illustrated identities",
        description="Rendered faces of identities with a long tail, and unseen ones; no download.",
        load=load_toonfaces_identities,
        kind="identities",
        targets=("identity",),
        sizes=tuple(SIZES),
        render_state=_state,
        load_open_set=load_open_set_faces,
        credits=CREDITS,
        order=3,
    )
)
