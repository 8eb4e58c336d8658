"""Studies as the pages know them: those shipped with the laboratory, and one's own."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st

from clmle.errors import InputError
from clmle.files import leads_out, runs_dir

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "docs" / "results"


def study_files() -> dict[str, Path]:
    """Results files by what people call them; one's own first, the latest on top."""
    files = [p for p in (runs_dir() / "studies").glob("*.jsonl") if not leads_out(p)]
    own = sorted(files, key=lambda p: -p.stat().st_mtime)
    found = {f"{path.stem} (mine)": path for path in own}
    return found | {f"{path.stem} (shipped)": path for path in sorted(SHIPPED.glob("*.jsonl"))}


def stamp(path: Path) -> tuple[str, int, int]:
    """What tells whether a file has changed."""
    facts = path.stat()
    return str(path), facts.st_mtime_ns, facts.st_size


def open_study(path: Path) -> Any:
    """The study in a results file, read anew only when the file has changed.

    Raises
    ------
    InputError
        A line that is not a result.
    """
    try:
        return _read(*stamp(path))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).") from error


def readable_studies() -> tuple[dict[str, Any], list[str]]:
    """Studies that hold a result, by what people call them; a sentence for each broken file."""
    found, broken = {}, []
    for name, path in study_files().items():
        try:
            study = open_study(path)
        except InputError as error:
            broken.append(str(error))
            continue
        if study.summaries:
            found[name] = study
    return found, broken


def shipped_study(name: str) -> Any:
    """A shipped study, or None where there is none such."""
    path = SHIPPED / f"{name}.jsonl"
    return open_study(path) if path.exists() else None


@st.cache_resource(max_entries=64, show_spinner=False)
def _read(path: str, changed: int, size: int) -> Any:
    from clmle.studies.background import BackgroundStudy
    from clmle.studies.study_results import described, read_study

    file = Path(path)
    study = read_study(file.stem, file)
    job = BackgroundStudy(file)
    request = None
    if job.job_path.exists():
        with suppress(InputError):  # a broken job has a card of its own that says so
            request = job.request()
    if request is not None:
        title, question, order = described(request.study)
        if request.study == "grid":
            title = "A free grid" if file.stem == "grid" else f"Grid {file.stem}"
            question, order = "", []
        asked = " ".join(request.arguments())
        study = replace(study, title=title, question=question, order=order, asked=asked)
    # Commands are shown as they are typed in the laboratory's own folder.
    inside = file.resolve().is_relative_to(ROOT)
    where = file.resolve().relative_to(ROOT) if inside else file
    return replace(study, path=where.as_posix())


@st.cache_data(max_entries=200, show_spinner="Drawing")
def drawn(
    file: tuple[str, int, int], name: str, measure: str, base: str, variants: tuple[str, ...]
) -> Any:
    """A picture of the study in ``file`` (as :func:`stamp` gives it), of ``variants`` alone."""
    from clmle.studies.study_figures import study_figure

    study = _read(*file)
    return study_figure(study.only(variants) if variants else study, name, measure, base)


@st.cache_data(max_entries=100, show_spinner="Counting")
def tabled(file: tuple[str, int, int], base: str, variants: tuple[str, ...]) -> Any:
    """The table of the study in ``file``."""
    from clmle.studies.study_figures import study_table

    study = _read(*file)
    return study_table(study.only(variants) if variants else study, base)
