"""Studies on the pages: those shipped with the project, and those of the visitor."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st

from app.widgets.progress import counted
from clmle import InputError, runs_dir, studies

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "docs" / "results"


def study_files() -> dict[str, Path]:
    """Results files by name: the visitor's first, latest on top, then the shipped ones."""
    folder = runs_dir() / "studies"
    # A link to a file elsewhere is not followed.
    files = [p for p in folder.glob("*.jsonl") if p.resolve().is_relative_to(folder.resolve())]
    own = sorted(files, key=lambda p: -p.stat().st_mtime)
    found = {f"{path.stem} (mine)": path for path in own}
    return found | {f"{path.stem} (shipped)": path for path in sorted(SHIPPED.glob("*.jsonl"))}


def stamp(path: Path) -> tuple[str, int, int]:
    """What changes when a file changes."""
    facts = path.stat()
    return str(path), facts.st_mtime_ns, facts.st_size


def open_study(path: Path) -> Any:
    """The study in a results file, read again only when the file has changed."""
    try:
        return _read(*stamp(path))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}).") from error


def readable_studies() -> tuple[dict[str, Any], list[str]]:
    """Studies with a result by name, and an error for each broken file or line."""
    found, broken = {}, []
    for name, path in counted(list(study_files().items()), "results of studies read"):
        try:
            study = open_study(path)
        except InputError as error:
            broken.append(str(error))
            continue
        broken += study.damaged
        if study.summaries:
            found[name] = study
    return found, broken


def shipped_study(name: str) -> Any:
    """A shipped study, or None if there is no such study."""
    path = SHIPPED / f"{name}.jsonl"
    return open_study(path) if path.exists() else None


@st.cache_resource(max_entries=64, show_spinner=False)
def _read(path: str, changed: int, size: int) -> Any:
    file = Path(path)
    study = studies.read_study(file.stem, file)
    job = studies.BackgroundStudy(file)
    if job.job_path.exists():
        with suppress(InputError):  # the card of a broken job shows the error
            request = job.request()
            title, question, order = studies.described(request.study)
            if request.study == studies.FREE:
                title = "A free grid" if file.stem == studies.FREE else f"Grid {file.stem}"
                question, order = "", []
            asked = " ".join(request.arguments())
            study = replace(study, title=title, question=question, order=order, asked=asked)
    # Commands are shown as they are typed in the project's folder.
    inside = file.resolve().is_relative_to(ROOT)
    where = file.resolve().relative_to(ROOT) if inside else file
    return replace(study, path=where.as_posix())


def _chosen(file: tuple[str, int, int], variants: tuple[str, ...]) -> Any:
    study = _read(*file)
    return study.only(variants) if variants else study


@st.cache_data(max_entries=200, show_spinner="Drawing")
def drawn(
    file: tuple[str, int, int], name: str, metric: str, base: str, variants: tuple[str, ...]
) -> Any:
    """A figure of the study in ``file`` (a :func:`stamp`), of ``variants`` only."""
    return studies.study_figure(_chosen(file, variants), name, metric, base)


@st.cache_data(max_entries=100, show_spinner="Counting")
def tabled(file: tuple[str, int, int], base: str, variants: tuple[str, ...]) -> Any:
    """The table of the study in ``file``."""
    return studies.study_table(_chosen(file, variants), base)


@st.cache_data(max_entries=50, show_spinner=False)
def forecast(request: Any, jobs: int, changed: tuple) -> Any:
    """Trials and estimated time of a request; ``changed`` are the stamps of results files."""
    own: list = []
    shipped: list = []
    for path, *_ in changed:
        summaries = open_study(Path(path)).summaries
        (shipped if Path(path).parent == SHIPPED else own).extend(summaries)
    return studies.forecast(request.trials(), (), own, shipped, jobs)
