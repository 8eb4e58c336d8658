"""Illustrated identities for face recognition: a long tail, and unseen ones for testing."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from clmle.data.base import UNKNOWN, Dataset, Progress
from clmle.data.recognition.faces import held_out
from clmle.data.recognition.pairs import OpenSetData, Pairs
from clmle.data.registry import DatasetInfo, register_dataset
from clmle.data.toonfaces.build import CREDITS, Plan, load_plan, render_state
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


class IdentityPlan(Plan):
    """What to render; ``counts`` as in SIZES."""

    dataset = "toonfaces-identities"
    prefix = "identities-"
    sizes = SIZES

    @property
    def total(self) -> int:
        train, n_identities, each, distractors = self.counts
        return train + n_identities * each + distractors

    def parts(self) -> Sequence[Iterable[tuple[int, FaceSpec]]]:
        """(number of images, specification) of the identities of every part."""
        train, n_identities, each, distractors = self.counts
        fixed = {1: np.full(n_identities, each), 2: np.full(distractors, 1)}
        taken: set[tuple[Any, ...]] = set()
        parts = {}
        # Test identities first, as later ones must differ from all earlier ones.
        for part in (1, 2, 0):
            rng = np.random.default_rng([self.seed, 3, part])
            sizes = fixed[part] if part else identity_sizes(train, rng)
            specs = [unique_spec(spec, taken, rng) for spec in draw_identities(sizes, rng)]
            parts[part] = zip(sizes.tolist(), specs, strict=True)
        return [parts[part] for part in range(3)]


def load_toonfaces_identities(
    size: str = "quick",
    *,
    image_size: int = 40,
    seed: int = 0,
    n_workers: int | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Load illustrated identities for training; rendered on first use, then cached.

    The number of images of an identity is log-normal with a tail as long as that of
    CASIA-WebFace: 39 % have less than half of the mean, 20. Test identities and distractors, which
    :func:`load_toonfaces_open_set` loads, are not among the identities.
    """
    faces = load_plan(IdentityPlan.of(size, image_size, seed), n_workers, progress)
    return training_part(faces, seed)


def load_toonfaces_open_set(
    size: str = "quick",
    *,
    image_size: int | tuple[int, int] = 40,
    seed: int = 0,
    progress: Progress | None = None,
) -> OpenSetData:
    """Test identities, ten folds of pairs of their images, and distractors."""
    side = image_size if isinstance(image_size, int) else image_size[0]
    faces = load_plan(IdentityPlan.of(size, side, seed), progress=progress)
    return open_set_part(faces, seed)


def training_part(faces: Dataset, seed: int = 0) -> Dataset:
    """Training data of faces whose ``split`` is the part of every image."""
    identity = np.where(faces.split == 0, faces.metadata["identity"].astype(np.int64), UNKNOWN)
    return Dataset(
        faces.name, faces.images, held_out(identity, seed), labels={"identity": identity},
        metadata={**faces.metadata, "part": np.array(PARTS)[faces.split]},
    )  # fmt: skip


def open_set_part(faces: Dataset, seed: int = 0) -> OpenSetData:
    """Test data of faces whose ``split`` is the part of every image."""
    kept = np.flatnonzero(faces.split > 0)
    identities = faces.metadata["identity"][kept].astype(np.int64)
    probes, distractors = (np.flatnonzero(faces.split[kept] == part) for part in (1, 2))
    pairs = draw_pairs(probes, identities[probes], faces.metadata["style"][kept][probes], seed)
    return OpenSetData(faces.name, faces.images[kept], pairs, identities, probes, distractors)


def draw_pairs(
    rows: np.ndarray, identities: np.ndarray, styles: np.ndarray, seed: int = 0
) -> Pairs:
    """Draw pairs of ``rows`` (p,) in folds without a common identity; mismatched of one style."""
    # Two drawing styles would make a mismatched pair trivial.
    rng = np.random.default_rng([seed, 4])
    names, first_index = np.unique(identities, return_index=True)
    # Assigned style by style, so that each fold has identities of every style.
    order = rng.permutation(len(names))
    order = order[np.argsort(styles[first_index][order], kind="stable")]
    fold_of = np.empty(len(names), dtype=np.int64)
    fold_of[order] = np.arange(len(names)) % FOLDS
    fold_of_row = fold_of[np.searchsorted(names, identities)]
    each = PAIRS_EACH * len(names) // FOLDS
    chosen = []
    for fold in range(FOLDS):
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
    """``spec``, or one with an appearance that is not in ``taken`` yet; it is then added."""
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


register_dataset(
    DatasetInfo(
        name="toonfaces-identities",
        title="Illustrated identities",
        description="Rendered faces of identities with a long tail, and unseen ones; no download.",
        load=load_toonfaces_identities,
        kind="identities",
        targets=("identity",),
        sizes=tuple(SIZES),
        render_state=lambda *plan: render_state(IdentityPlan.of(*plan)),
        load_open_set=load_toonfaces_open_set,
        credits=CREDITS,
        order=3,
    )
)
