"""Random specifications of faces: fixed for an identity, and varying between its images.

Labels are drawn first, at rates like CelebA's; variants, colors and effects follow from them. Fixed
for an identity are style, hair, colors, skin, baldness, beard and mustache. Drawn for every image
are glasses, hat, earrings, expression, pose, light, blur, noise and occlusion.
"""

from typing import Any

import numpy as np

from clmle.data.toonfaces.styles import HAIR_COLORS, MOUTHS, PALE_SKINS, SKINS, STYLES, Style

# Fraction of positives among the images that can have the attribute, as in CelebA except for Beard
# (CelebA labels its absence, at 83 %).
RATES = {
    "Eyeglasses": 0.065, "Wearing_Hat": 0.049, "Bald": 0.022, "Beard": 0.165, "Mustache": 0.042,
    "Wearing_Earrings": 0.189, "Black_Hair": 0.239, "Blond_Hair": 0.148, "Brown_Hair": 0.205,
    "Gray_Hair": 0.042, "Smiling": 0.482, "Mouth_Slightly_Open": 0.483, "Pale_Skin": 0.043,
    "Blurry": 0.051,
}  # fmt: skip
ATTRIBUTES = tuple(RATES)
IMAGES_PER_IDENTITY = 20.0
SIGMA = 0.986  # of the log-normal number of images: 39 % have under 0.47 times the mean
FRAME_COLORS = ("#262e33", "#25557c", "#7a1f2b", "#111111", "#3c4f5c")
JEWEL_COLORS = ("#ffcc00", "#e02020", "#f5f5f5", "#20b0e0")
CLOTH_COLORS = ("#65c9ff", "#5199e4", "#25557c", "#929598", "#a7ffc4", "#ff488e", "#ff5c5c")

FaceSpec = dict[str, Any]


def identity_sizes(n_images: int, rng: np.random.Generator) -> np.ndarray:
    """Long-tailed numbers of images that add up to ``n_images``, largest first."""
    sizes: list[int] = []
    mu = np.log(IMAGES_PER_IDENTITY) - SIGMA**2 / 2
    while sum(sizes) < n_images:
        sizes.append(int(np.clip(rng.lognormal(mu, SIGMA), 1, max(10, n_images // 20))))
    sizes[-1] -= sum(sizes) - n_images
    return np.sort(np.array(sizes))[::-1]


def draw_identities(sizes: np.ndarray, rng: np.random.Generator) -> list[FaceSpec]:
    """One specification for each identity; fixed attributes have their rates over images."""
    n = len(sizes)
    style_of = np.resize(rng.permutation(len(STYLES)), n)[rng.permutation(n)]
    styles = [STYLES[i] for i in style_of]
    bald = _quota("Bald", sizes, np.array(["Bald" in s.shows for s in styles]), rng)
    colored = np.array(["Black_Hair" in s.shows for s in styles])
    color = np.full(n, "other", dtype=object)
    for name in HAIR_COLORS:
        if name != "other":
            free = colored & ~bald & (color == "other")
            # The rate is a fraction of all with a color, including those that have one already.
            target = RATES[name] * sizes[colored & ~bald].sum()
            color[_fill(target, sizes, free, rng)] = name
    pale = _quota("Pale_Skin", sizes, colored, rng)
    beard = _quota("Beard", sizes, np.array([bool(s.beard[1]) for s in styles]), rng)
    can_mustache = np.array([bool(s.mustache[1]) for s in styles]) & ~beard
    mustache = _quota("Mustache", sizes, can_mustache, rng)
    specs = []
    for i, style in enumerate(styles):
        specs.append(
            {
                "style": style.name,
                "seed": int(rng.integers(2**31)),
                "bald": bool(bald[i]),
                "hair": str(rng.choice(style.hair)),
                "hair_class": str(color[i]),
                "hair_color": str(rng.choice(HAIR_COLORS[str(color[i])])),
                "pale": bool(pale[i]),
                "skin": str(rng.choice(PALE_SKINS if pale[i] else SKINS)),
                "beard": str(rng.choice(style.beard[1])) if beard[i] else "",
                "mustache": str(rng.choice(style.mustache[1])) if mustache[i] else "",
            }
        )
    return specs


def draw_image(
    identity: FaceSpec, style: Style, rng: np.random.Generator
) -> tuple[FaceSpec, dict[str, int]]:
    """Specification of one image, and its labels (1, 0, or -1 if the attribute is hidden)."""

    def happens(attribute: str) -> bool:
        return attribute in style.shows and bool(rng.random() < RATES[attribute])

    hat = happens("Wearing_Hat") and not identity["bald"]
    ear_seen = identity["bald"] or identity["hair"] in style.ear_free
    earrings = happens("Wearing_Earrings") and bool(ear_seen)
    smiling, is_open = happens("Smiling"), happens("Mouth_Slightly_Open")
    mouth = MOUTHS[2 * (not smiling) + (not is_open)]
    mouth_hidden = bool(identity["beard"]) and style.mouth_under_beard
    labels = {
        "Eyeglasses": happens("Eyeglasses"),
        "Wearing_Hat": hat,
        "Bald": -1 if hat else identity["bald"],
        "Beard": bool(identity["beard"]),
        # Whether a beard includes a mustache is ambiguous.
        "Mustache": -1 if identity["beard"] else bool(identity["mustache"]),
        "Wearing_Earrings": earrings if ear_seen else -1,
        "Smiling": -1 if mouth_hidden else smiling,
        "Mouth_Slightly_Open": -1 if mouth_hidden else is_open,
        "Pale_Skin": identity["pale"],
        "Blurry": happens("Blurry"),
    }
    for name in HAIR_COLORS:
        if name != "other":
            hidden = hat or identity["bald"]
            labels[name] = -1 if hidden else identity["hair_class"] == name
    labels = {a: int(labels[a]) if a in style.shows else -1 for a in ATTRIBUTES}
    return _varying(style, labels, hat, earrings, mouth, rng), labels


def _varying(
    style: Style,
    labels: dict[str, int],
    hat: bool,
    earrings: bool,
    mouth: str,
    rng: np.random.Generator,
) -> FaceSpec:
    """The parts of an image's specification, given its labels."""
    return {
        "mouth": str(rng.choice(style.mouths[mouth])),
        "expression": int(rng.integers(2**31)),
        "glasses": str(rng.choice(style.glasses[1])) if labels["Eyeglasses"] == 1 else "",
        "frame": str(rng.choice(FRAME_COLORS)),
        "hat": str(rng.choice(style.hats)) if hat else "",
        "cloth": str(rng.choice(CLOTH_COLORS)),
        "earrings": str(rng.choice(style.earrings)) if earrings else "",
        "jewel": str(rng.choice(JEWEL_COLORS)),
        "background": "#{:02x}{:02x}{:02x}".format(*rng.integers(120, 256, 3)),
        "turn": float(np.clip(rng.normal(0, 6), -15, 15)),
        "zoom": float(rng.uniform(0.94, 1.1)),
        "shift": [float(v) for v in rng.uniform(-0.04, 0.04, 2)],
        "mirror": bool(rng.random() < 0.5),
        "light": float(rng.uniform(0.8, 1.15)),
        "contrast": float(rng.uniform(0.85, 1.1)),
        "side_light": float(np.clip(rng.normal(0, 0.12), -0.25, 0.25)),
        "blur": float(rng.uniform(1.5, 2.2)) if labels["Blurry"] == 1 else 0.0,
        "noise": float(rng.uniform(0, 7)),
        "occluded": bool(rng.random() < 0.15),
        "pixels": int(rng.integers(2**31)),
    }


def _quota(
    attribute: str, sizes: np.ndarray, able: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Identities with the attribute, (n,) bool, at its rate over images."""
    chosen = np.zeros(len(sizes), dtype=bool)
    chosen[_fill(RATES[attribute] * sizes[able].sum(), sizes, able, rng)] = True
    return chosen


def _fill(
    target: float, sizes: np.ndarray, able: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Identities in random order whose images add up to about ``target``."""
    chosen, total = [], 0
    for i in rng.permutation(np.flatnonzero(able)):
        # No single identity may have most of the images of a rare attribute.
        if sizes[i] <= max(2, target / 3) and total + sizes[i] <= target * 1.05:
            chosen.append(i)
            total += int(sizes[i])
    return np.array(chosen, dtype=np.int64)
