"""Corrections of the method: the formula as printed, its problem, and the corrected formula."""

from __future__ import annotations

import tomllib
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
    switches: tuple[str, str]
    trial: tuple[str, str] | None = None


def _read() -> tuple[Correction, ...]:
    text = (files("clmle.paper") / "corrections.toml").read_text(encoding="utf-8")
    return tuple(
        Correction(**{k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()})
        for entry in tomllib.loads(text)["correction"]
    )


CORRECTIONS = _read()
ALL_AT_ONCE = ("components", "clmle-paper")  # the study and variant without any correction
