"""Corrections of the method: the formula as printed, its problem, and the corrected formula."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class Correction:
    """One correction of the published method (``corrections.toml``); formulas are in LaTeX.

    ``switches`` are the options, or names of the library, of the printed and of the corrected
    version. ``trial`` is the study and its variant without the correction; the effect of the
    correction is the difference to the method with all corrections.
    """

    name: str
    where: str
    printed: str
    problem: str
    corrected: str
    explanation: str
    switches: Sequence[str]
    trial: Sequence[str] | None = None


_TEXT = (files("clmle.paper") / "corrections.toml").read_text(encoding="utf-8")
CORRECTIONS = tuple(Correction(**entry) for entry in tomllib.loads(_TEXT)["correction"])
ALL_AT_ONCE = ("components", "clmle-paper")  # the study and variant without any correction
