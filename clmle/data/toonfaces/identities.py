"""Illustrated people to recognize: a long tail to learn from, and others to be tested on."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from clmle.data.base import UNKNOWN, Dataset
from clmle.data.recognition.faces import held_out
from clmle.data.recognition.open_set import OpenSetData
from clmle.data.recognition.pairs import Pairs, VerificationSet
from clmle.data.registry import DatasetInfo, RenderState, register_dataset
from clmle.data.toonfaces.build import CREDITS, VERSION, Plan, Progress, drawn, render_state
from clmle.data.toonfaces.specs import FaceSpec, draw_identities, identity_sizes
from clmle.data.toonfaces.styles import HAIR_COLORS, PALE_SKINS, SKINS, STYLES, style_named
from clmle.errors import InputError

PARTS = ("training", "test", "distractor")
# Training images, test identities, images of each, distractors (an identity of one image each).
PEOPLE = {
    "quick": (3_600, 100, 8, 1_000),
    "standard": (30_000, 500, 10, 10_000),
    "large": (211_500, 1_000, 10, 50_000),  # about as many identities as CASIA-WebFace, 10,575
}
FOLDS = 10
PAIRS_EACH = 6  # of one person, and as many of two, for each test identity
REDRAWS = 10  # of a look that somebody has, before another style is taken


@dataclass(frozen=True)
class PeoplePlan(Plan):
    """What is to be rendered; ``counts`` as in PEOPLE."""

    counts: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def total(self) -> int:
        train, people, each, distractors = self.counts
        return train + people * each + distractors

    @property
    def folder(self) -> str:
        return f"v{VERSION}-identities-{self.size}-{self.image_size}-{self.seed}"

    @property
    def dataset(self) -> str:
        return "toonfaces-identities"

    def cast(self) -> list[tuple[int, int, FaceSpec]]:
        """(part, identity number, look) of every row; nobody is in two parts."""
        train, people, each, distractors = self.counts
        taken: set[tuple[Any, ...]] = set()
        parts: dict[int, list[tuple[int, FaceSpec]]] = {}
        # Test identities first, so that none of the others looks like one of them.
        for part in (1, 2, 0):
            rng = np.random.default_rng([self.seed, 3, part])
            sizes = (
                identity_sizes(train, rng)
                if part == 0
                else np.full(people if part == 1 else distractors, each if part == 1 else 1)
            )
            specs = [distinct(spec, taken, rng) for spec in draw_identities(sizes, rng)]
            parts[part] = list(zip(sizes.tolist(), specs, strict=True))
        rows, number = [], 0
        for part in range(3):
            for count, spec in parts[part]:
                rows += [(part, number, spec)] * count
                number += 1
        return rows


@dataclass(frozen=True)
class RecognitionSet:
    """What recognition is learned from and tested on; all rows are of the same images.

    Attributes
    ----------
    training : Dataset
        ``labels`` identity of the training images alone; the others are in no split.
    verification : VerificationSet
        Pairs of test images in ten folds, half of one person; no person is in two folds.
    people : (n,) int64
        Number of the person of every image, of all parts.
    probes, distractors : (p,), (d,) int64
        Rows of the test images, and of images of people who are nobody else.
    """

    training: Dataset
    verification: VerificationSet
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
    """Illustrated people to recognize, rendered on first use and then cached.

    Training identities have log-normal numbers of images, as long a tail as CASIA-WebFace's: 39 %
    have less than half of the mean, 20. Test identities and distractors are other people. Pairs of
    two people are of one drawing style, since styles are told apart at a glance.

    Parameters
    ----------
    size : {"quick", "standard", "large"}
        3,600, 30,000 or 211,500 training images; 100, 500 or 1,000 test identities of 8 or 10
        images; 1,000, 10,000 or 50,000 distractors.
    image_size, seed, n_workers, progress, root
        As of :func:`clmle.data.load_toonfaces`.

    Raises
    ------
    InputError
        Unknown size, pixels out of range, missing packages, a full disk.
    """
    if size not in PEOPLE:
        raise InputError(
            f"toonfaces-identities has no size {size!r}; choose one of: {', '.join(PEOPLE)}."
        )
    if not 16 <= image_size <= 512:
        raise InputError(f"image_size is {image_size}, but must be from 16 to 512 pixels.")
    plan = PeoplePlan(size, image_size, seed, PEOPLE[size])
    return recognition_set(drawn(plan, n_workers, progress, root), seed)


def load_toonfaces_identities(
    size: str = "quick",
    *,
    image_size: int = 40,
    seed: int = 0,
    n_workers: int | None = None,
    progress: Progress | None = None,
    root: str | os.PathLike[str] | None = None,
) -> Dataset:
    """The identities of :func:`~clmle.data.toonfaces.load_toonfaces_recognition` to train on."""
    return load_toonfaces_recognition(
        size, image_size=image_size, seed=seed, n_workers=n_workers, progress=progress, root=root
    ).training


def recognition_set(faces: Dataset, seed: int = 0) -> RecognitionSet:
    """Parts, identities and pairs of faces whose split says of which part they are."""
    people = faces.metadata["identity"].astype(np.int64)
    trained = faces.split == 0
    identity = np.where(trained, people, UNKNOWN)  # training identities are numbered first
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
    pairs = draw_pairs(probes, people[probes], faces.metadata["style"][probes], seed)
    return RecognitionSet(
        training,
        VerificationSet(name, faces.images, pairs, metadata),
        people,
        probes,
        np.flatnonzero(faces.split == 2),
    )


def draw_pairs(
    rows: np.ndarray, people: np.ndarray, styles: np.ndarray, seed: int = 0, folds: int = FOLDS
) -> Pairs:
    """Balanced pairs of ``rows`` (p,) in folds without a common person, two people of one style.

    Raises
    ------
    InputError
        Too few people or images for a fold.
    """
    rng = np.random.default_rng([seed, 4])
    names, first_place = np.unique(people, return_index=True)
    # Dealt out style by style, so that each fold has people of every style.
    order = rng.permutation(len(names))
    order = order[np.argsort(styles[first_place][order], kind="stable")]
    fold_of = np.empty(len(names), dtype=np.int64)
    fold_of[order] = np.arange(len(names)) % folds
    own = fold_of[np.searchsorted(names, people)]
    each = PAIRS_EACH * len(names) // folds
    chosen = []
    for fold in range(folds):
        here = np.flatnonzero(own == fold)
        a, b = (here[i] for i in np.triu_indices(len(here), 1))
        same = people[a] == people[b]
        for wanted in (same, ~same & (styles[a] == styles[b])):
            able = np.flatnonzero(wanted)
            if len(able) < each:
                raise InputError(
                    f"Fold {fold + 1} has {len(able)} pairs to choose {each} from; take a larger "
                    "size."
                )
            taken = np.sort(rng.choice(able, each, replace=False))
            chosen.append((rows[a[taken]], rows[b[taken]], same[taken], np.full(each, fold)))
    columns = [np.concatenate(part) for part in zip(*chosen, strict=True)]
    return Pairs(columns[0], columns[1], columns[2], columns[3])


def distinct(spec: FaceSpec, taken: set[tuple[Any, ...]], rng: np.random.Generator) -> FaceSpec:
    """``look``, or another one that nobody has; it is then taken.

    Hair, its shade and skin are drawn anew first; a style of few variants runs out of them, and
    then it is another style's turn.
    """
    style = style_named(spec["style"])
    for _ in range(REDRAWS):
        if visible(spec) not in taken:
            break
        spec = spec | {
            "seed": int(rng.integers(2**31)),
            "hair": str(rng.choice(style.hair)),
            "hair_color": str(rng.choice(HAIR_COLORS[spec["hair_class"]])),
            "skin": str(rng.choice(PALE_SKINS if spec["pale"] else SKINS)),
        }
    while visible(spec) in taken:
        spec = draw_identities(np.ones(len(STYLES), dtype=np.int64), rng)[0]
    taken.add(visible(spec))
    return spec


def visible(spec: FaceSpec) -> tuple[Any, ...]:
    """What tells two people apart, of that which an identity's look fixes."""
    style = style_named(spec["style"])
    return (
        spec["style"],
        spec["bald"] or spec["hair"],
        spec["hair_color"] if style.hair_colors and not spec["bald"] else "",
        spec["skin"] if style.skin else spec["seed"],  # without a skin the nose must do
        spec["beard"],
        spec["mustache"],
    )


def load_open_set_faces(
    size: str = "quick",
    *,
    image_size: int | tuple[int, int] = 40,
    progress: Progress | None = None,
) -> OpenSetData:
    """Test identities and distractors of the illustrated faces, without the training images."""
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
    return render_state(PeoplePlan(size, image_size, seed, PEOPLE[size]))


register_dataset(
    DatasetInfo(
        name="toonfaces-identities",
        title="Illustrated identities",
        description="Rendered faces of identities with a long tail, and unseen ones; no download.",
        load=load_toonfaces_identities,
        kind="identities",
        targets=("identity",),
        sizes=tuple(PEOPLE),
        render_state=_state,
        load_open_set=load_open_set_faces,
        credits=CREDITS,
        order=3,
    )
)
