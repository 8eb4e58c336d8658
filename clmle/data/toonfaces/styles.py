"""Attributes of each drawing style, and the variants of the drawings that show them.

Ambiguous variants (a shaved side, a turban, a half-open mouth) are left out, so that every label is
correct. An attribute that is not in ``Style.shows`` is unknown for that style.
"""

from dataclasses import dataclass, field

MOUTHS = ("smile_open", "smile_closed", "other_open", "other_closed")
HAIR_COLORS = {
    "Black_Hair": ("#0e0e0e", "#1b1512", "#15161c"),
    "Brown_Hair": ("#5a3a22", "#6a4528", "#724133", "#4f2f1a"),
    "Blond_Hair": ("#e5c15d", "#ecd08b", "#dfb960", "#f2d572"),
    "Gray_Hair": ("#9c9c9c", "#acaeb1", "#b9bcc0"),
    "other": ("#c93305", "#cb6820", "#4f9fd0", "#f07f9f", "#3f9f3c", "#7a3f9f"),
}
SKINS = ("#f2c9a0", "#edb98a", "#d9955f", "#c07a48", "#9e5622", "#77401c", "#614335")
PALE_SKINS = ("#fff3ea", "#fdf0ec", "#fff6f0")


def numbered(prefix: str, *numbers: int) -> tuple[str, ...]:
    """variant01, variant02, ..."""
    return tuple(f"{prefix}{n:02d}" for n in numbers)


@dataclass(frozen=True)
class Style:
    """One drawing style: its variants of each attribute, and the position of the face.

    ``crop`` is (center x, center y, side) of the square that is cropped, in fractions of the
    canvas. ``hair`` are variants that do not hide the face, ``ear_free`` those of them that do not
    hide the ear. ``shows`` are the attributes that this style can show.
    """

    name: str
    crop: tuple[float, float, float]
    shows: frozenset[str]
    hair_component: str
    hair: tuple[str, ...]
    mouths: dict[str, tuple[str, ...]]
    glasses: tuple[str, tuple[str, ...]]
    ear_free: tuple[str, ...] = ()
    earrings: tuple[str, ...] = ()
    beard: tuple[str, tuple[str, ...]] = ("", ())
    mustache: tuple[str, tuple[str, ...]] = ("", ())
    hats: tuple[str, ...] = ()
    bald: dict[str, object] = field(default_factory=dict)
    skin: str = ""
    hair_colors: tuple[str, ...] = ()
    mouth_under_beard: bool = False
    fixed: tuple[tuple[str, object], ...] = ()


COMMON = {"Eyeglasses", "Smiling", "Mouth_Slightly_Open", "Blurry"}
COLORED = {"Black_Hair", "Brown_Hair", "Blond_Hair", "Gray_Hair", "Pale_Skin"}
AVATAAARS_HAIR = (
    "bob", "bun", "curly", "curvy", "dreads", "dreads01", "dreads02", "frizzle", "fro",
    "miaWallace", "shaggy", "shaggyMullet", "shortCurly", "shortFlat", "shortRound", "shortWaved",
    "straight01", "straight02", "straightAndStrand", "theCaesar", "theCaesarAndSidePart",
)  # fmt: skip

STYLES = (
    Style(
        name="avataaars",
        crop=(0.5, 0.47, 0.82),
        shows=frozenset(COMMON | COLORED | {"Beard", "Mustache", "Wearing_Hat", "Bald"}),
        hair_component="top",
        hair=AVATAAARS_HAIR,
        mouths={
            "smile_open": ("smile", "default"),
            "smile_closed": ("twinkle",),
            "other_open": ("concerned", "screamOpen"),
            "other_closed": ("serious",),
        },
        glasses=(
            "accessories",
            ("kurt", "prescription01", "prescription02", "round", "sunglasses", "wayfarers"),
        ),
        beard=("facialHair", ("beardLight", "beardMajestic", "beardMedium")),
        mustache=("facialHair", ("moustacheFancy", "moustacheMagnum")),
        hats=("hat", "winterHat02", "winterHat03", "winterHat04", "winterHat1"),
        bald={"topProbability": 0},
        skin="skinColor",
        hair_colors=("hairColor", "facialHairColor"),
        fixed=(("eyesVariant", ["default", "happy", "side", "squint", "closed", "surprised"]),),
    ),
    Style(
        name="adventurer",
        crop=(0.5, 0.5, 0.96),
        shows=frozenset(COMMON | COLORED | {"Mustache", "Wearing_Earrings", "Bald"}),
        hair_component="hair",
        hair=(
            *numbered("long", 1, 2, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 17, 19, 21, 22, 23),
            *numbered("short", 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 14, 16, 17, 18),
        ),
        ear_free=(
            *numbered("long", 2, 10, 11, 12, 13, 15, 19, 21, 23),
            *numbered("short", 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 14, 17, 18),
        ),
        earrings=numbered("variant", 2, 4, 6),
        mouths={
            "smile_open": numbered("variant", 1, 5, 25, 26, 27, 28),
            "smile_closed": numbered("variant", 2, 29),
            "other_open": numbered("variant", 3, 7, 14, 15),
            "other_closed": numbered("variant", 4, 6, 9, 17),
        },
        glasses=("glasses", numbered("variant", 1, 2, 3, 4, 5)),
        mustache=("details", ("mustache",)),
        bald={"hairProbability": 0},
        skin="skinColor",
        hair_colors=("hairColor",),
    ),
    Style(
        name="lorelei",
        crop=(0.5, 0.47, 0.86),
        shows=frozenset(COMMON | COLORED | {"Beard", "Wearing_Earrings"}),
        hair_component="hair",
        hair=numbered(
            "variant",
            *(n for n in range(1, 49) if n not in (25, 27, 28, 34, 40, 41, 45)),
        ),
        ear_free=numbered(
            "variant", 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 22, 26, 31, 33, 36, 38, 39, 43, 44, 47
        ),
        earrings=numbered("variant", 1, 3),
        mouths={
            "smile_open": numbered("happy", 5, 6, 7, 16),
            "smile_closed": numbered("happy", 1, 2, 4),
            "other_open": numbered("sad", 1, 6, 7),
            "other_closed": numbered("sad", 3, 4, 5, 9),
        },
        glasses=("glasses", numbered("variant", 1, 2, 3, 4, 5)),
        beard=("beard", numbered("variant", 1, 2)),
        skin="skinColor",
        hair_colors=("hairColor",),
        mouth_under_beard=True,
    ),
    Style(
        name="notionists",
        crop=(0.49, 0.4, 0.56),
        shows=frozenset(COMMON | {"Beard", "Mustache", "Wearing_Hat", "Bald"}),
        hair_component="hair",
        hair=numbered(
            "variant", *(n for n in range(1, 61) if n not in (8, 14, 26, 32, 42, 45, 46, 60))
        ),
        mouths={
            "smile_open": numbered("variant", 5, 6, 8, 14, 30),
            "smile_closed": numbered("variant", 3, 17, 22, 23),
            "other_open": numbered("variant", 1, 7, 15, 27),
            "other_closed": numbered("variant", 4, 18, 19, 20, 21),
        },
        glasses=("glasses", numbered("variant", *range(1, 12))),
        beard=("beard", numbered("variant", 2, 8, 12)),
        mustache=("beard", numbered("variant", 3, 5, 6, 7, 9, 10)),
        hats=("hat", "variant14"),
        bald={"hairProbability": 0},
        fixed=(("gestureProbability", 0),),
    ),
    Style(
        name="micah",
        crop=(0.5, 0.44, 0.84),
        shows=frozenset(COMMON | COLORED | {"Beard", "Wearing_Earrings", "Bald"}),
        hair_component="hair",
        hair=("dannyPhantom", "fonze", "full", "pixie"),
        ear_free=("dannyPhantom", "fonze", "full", "pixie"),
        earrings=("hoop", "stud"),
        mouths={
            "smile_open": ("laughing",),
            "smile_closed": ("smile", "smirk"),
            "other_open": ("surprised",),
            "other_closed": ("frown", "sad", "pucker"),
        },
        glasses=("glasses", ("round", "square")),
        beard=("facialHair", ("beard",)),
        bald={"hairVariant": ["mrClean"]},
        skin="baseColor",
        hair_colors=("hairColor", "facialHairColor"),
    ),
)


def style_named(name: str) -> Style:
    """Return the style called ``name``."""
    return next(style for style in STYLES if style.name == name)
