"""Attributes of each drawing style, and the variants of the drawings that show them: styles.toml.

An attribute that is not in ``Style.shows`` is unknown for that style.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any

MOUTHS = ("smile_open", "smile_closed", "other_open", "other_closed")
_DATA = tomllib.loads((files("clmle.data.toonfaces") / "styles.toml").read_text(encoding="utf-8"))
HAIR_COLORS: Mapping[str, Sequence[str]] = _DATA["hair_colors"]
SKINS: Sequence[str] = _DATA["skins"]
PALE_SKINS: Sequence[str] = _DATA["pale_skins"]


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


STYLES = tuple(Style(**entry) for entry in _DATA["style"])
_BY_NAME = {style.name: style for style in STYLES}
style_named = _BY_NAME.__getitem__
