"""docs/RESULTS.md and its figures, made from files of results alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from clmle.files import write_text
from tools.report import (
    ablations,
    convergence,
    imbalance_sweep,
    provenance,
    published,
    ranking,
    recognition,
    summary,
    tuning,
)
from tools.report.markdown import Page
from clmle.studies.study_results import Study, read_studies

SECTIONS = (
    summary,
    ranking,
    recognition,
    tuning,
    imbalance_sweep,
    convergence,
    ablations,
    published,
    provenance,
)
INTRODUCTION = (
    "Made by `make results` from the summaries of runs; every sentence, table and figure "
    "follows from them and none is written by hand. A *cell* is one run: a method on a task "
    "with a seed."
)


def make_page(studies: Sequence[Study]) -> Page:
    """The page of these studies; the same studies give the same page."""
    page = Page()
    page.heading("Results", 1)
    page.text(INTRODUCTION)
    for part in SECTIONS:
        part.section(page, studies)
    return page


def write_results(
    results: str | os.PathLike[str] = "docs/results",
    out: str | os.PathLike[str] = "docs/RESULTS.md",
) -> list[Path]:
    """Write the page to ``out`` and its figures beside it in ``figures``; the paths written.

    Figures come first, and every file is either whole or as it was before.

    Raises
    ------
    InputError
        No folder of results, a broken line in it, or no browser to draw figures with.
    """
    from clmle.figures.export import to_svgs

    page, out = make_page(read_studies(results)), Path(out)
    drawn = {out.parent / "figures" / name: figure for name, figure in page.figures.items()}
    to_svgs({os.fspath(path): figure for path, figure in drawn.items()})
    write_text(out, page.markdown())
    return [*drawn, out]


def stale(
    results: str | os.PathLike[str] = "docs/results",
    out: str | os.PathLike[str] = "docs/RESULTS.md",
) -> list[Path]:
    """Page and figures that are missing or show something else; needs no browser."""
    from clmle.figures.export import digest, digest_in

    page, out = make_page(read_studies(results)), Path(out)
    drawn = {out.parent / "figures" / name: figure for name, figure in page.figures.items()}
    old = [path for path, figure in drawn.items() if digest_in(path) != digest(figure)]
    if not out.is_file() or out.read_text(encoding="utf-8") != page.markdown():
        old.append(out)
    return old
