"""Attributes of each drawing style, and the variants of the drawings that show them: styles.toml.

An attribute that is not in ``Style.shows`` is unknown for that style.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

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


@dataclass(frozen=True)
class Style:
    """One drawing style: its variants of each attribute, and the position of the face.

    ``crop`` is (center x, center y, side) of the square that is cropped, in fractions of the
    canvas. ``hair`` are variants that do not hide the face, ``ear_free`` those of them that do not
    hide the ear. ``shows`` are the attributes that this style can show. ``glasses``, ``beard`` and
    ``mustache`` are the component of the drawing, and its variants.
    """

    name: str
    crop: tuple[float, float, float]
    shows: Sequence[str]
    hair_component: str
    hair: Sequence[str]
    mouths: Mapping[str, Sequence[str]]
    glasses: tuple[str, Sequence[str]]
    ear_free: Sequence[str] = ()
    earrings: Sequence[str] = ()
    beard: tuple[str, Sequence[str]] = ("", ())
    mustache: tuple[str, Sequence[str]] = ("", ())
    hats: Sequence[str] = ()
    bald: Mapping[str, Any] = field(default_factory=dict)
    skin: str = ""
    hair_colors: Sequence[str] = ()
    mouth_under_beard: bool = False
    fixed: Mapping[str, Any] = field(default_factory=dict)


_TEXT = (files("clmle.data.toonfaces") / "styles.toml").read_text(encoding="utf-8")
STYLES = tuple(Style(**entry) for entry in tomllib.loads(_TEXT)["style"])
_BY_NAME = {style.name: style for style in STYLES}
style_named = _BY_NAME.__getitem__
