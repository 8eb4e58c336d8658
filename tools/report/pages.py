"""All pages of results with their figures: made, written, and checked for being up to date."""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from clmle.data import registered_datasets
from clmle.errors import InputError
from clmle.files import write_text
from clmle.studies.baselines import is_comparison
from clmle.studies.catalog.margin_loss import STUDIES as MARGIN_LOSS
from clmle.studies.study_results import StudyResults, read_studies, task_label
from clmle.text import counted, listed
from tools.report import (
    ablation,
    comparison,
    convergence,
    imbalance_sweep,
    index,
    level_field,
    long_tail,
    margin_loss,
    number_format,
    paper,
    pooled,
    recognition,
    reproduction,
    tuning,
)
from tools.report.kinds import TUNINGS
from tools.report.markdown import Page
from tools.report.presets import preset_of

Writer = Callable[[Page, StudyResults], None]
OWN: Mapping[str, Writer] = {
    "recognition": recognition.write,
    "imbalance": imbalance_sweep.write,
    "convergence": convergence.write,
    "resnet32": long_tail.write,
    **dict.fromkeys(TUNINGS, tuning.write),
    **{
        study.name: margin_loss.write_regime if "regime" in study.name else margin_loss.write
        for study in MARGIN_LOSS
    },
}


def _intact(studies: list[StudyResults]) -> list[StudyResults]:
    """The studies; an error if one has a damaged line, since pages show all results or none."""
    for study in studies:
        if study.damaged:
            raise InputError(study.damaged[0])
    return studies


def study_page(study: StudyResults) -> Page:
    """The page of one study: question, setup, verdict, table, figures, provenance."""
    page = Page(study.title)
    page.text(study.question)
    page.table(["setup", ""], setup(study), texts=2)
    writer = OWN.get(study.name, comparison.write if is_comparison(study.name) else ablation.write)
    writer(page, study)
    page.heading("Provenance")
    page.blocks.append(f"```sh\n{study.command}\n```")
    hours = sum(s["seconds"] for s in study.summaries) / 3600
    page.text(
        f"{counted(len(study.summaries), 'trial')} in `{study.path}`, {hours:.2f} hours of "
        f"training on {listed(machines(study))}. Seconds in a table are those of one machine and "
        "number format, on which several trials may have run at a time."
    )
    return page


def setup(study: StudyResults) -> list[list[str]]:
    """Rows of the table of data, seeds and budget."""
    fixed = {info.name for info in registered_datasets() if info.fixed_test}
    own = study.values("data.split") == [-1] and not fixed & {*study.values("data.dataset")}
    ratios = [f"{r:g} : 1" for r in study.values("data.ratio") if r != 1]
    return [
        ["data", f"{study.dataset}; {counted(len(study.tasks), 'task')}: "
                 f"{listed(map(task_label, study.tasks))}"],
        ["imbalance ratio", listed(ratios) or "as in the data"],
        ["seeds", f"{len(study.seeds)} ({listed(study.seeds)}), "
                  f"{'each with its own' if own else 'all with the same'} test images"],
        ["budget", study.budget()],
        ["number format", number_format.description(study.summaries)],
        ["preset of clmle", preset_of(study)],
    ]  # fmt: skip


def machines(study: StudyResults) -> list[str]:
    """The machines of a study's trials, most trials first."""
    found = Counter(_machine(s.get("machine")) for s in study.summaries)
    return [f"{name} ({counted(n, 'trial')})" for name, n in found.most_common()]


def make_pages(studies: Sequence[StudyResults]) -> dict[str, Page]:
    """Every page by the name of its file; the same results give the same pages."""
    pages = {study.name: study_page(study) for study in studies}
    pages["pooled"] = Page("All tasks of all data sets together")
    pooled.write(pages["pooled"], studies)
    pages["level-field"] = Page("A level field")
    level_field.write(pages["level-field"], studies)
    pages["paper"] = Page("The paper's tables")
    paper.write(pages["paper"], studies)
    pages["reproduction"] = Page("The paper's claims")
    reproduction.write(pages["reproduction"], studies)
    pages["index"] = Page("Results")
    index.write(pages["index"], studies)
    return pages


def make_texts(studies: Sequence[StudyResults], pages: Mapping[str, Page]) -> dict[str, str]:
    """Content of every file below the documentation folder, without the figures."""
    return {
        **{f"results/{name}.md": page.markdown() for name, page in pages.items()},
        "results/summary.json": index.numbers(studies),
        "_includes/main_results.md": index.main_table(studies) + "\n",
    }


def write_results(
    results: str | os.PathLike[str] = "docs/results", out: str | os.PathLike[str] = "docs"
) -> list[Path]:
    """Write pages and figures below ``out``, figures first; a file is complete or as before."""
    from clmle.figures.export import to_svgs

    studies = _intact(read_studies(results))
    pages = make_pages(studies)
    drawn = _figures(pages, Path(out))
    to_svgs({os.fspath(path): figure for path, figure in drawn.items()})
    texts = make_texts(studies, pages)
    for name, text in texts.items():
        (Path(out) / name).parent.mkdir(parents=True, exist_ok=True)
        write_text(Path(out) / name, text)
    return [*drawn, *(Path(out) / name for name in texts)]


def stale(
    results: str | os.PathLike[str] = "docs/results", out: str | os.PathLike[str] = "docs"
) -> list[Path]:
    """Pages and figures that are missing or out of date; needs no browser."""
    from clmle.figures.export import digest, digest_in

    studies = _intact(read_studies(results))
    pages = make_pages(studies)
    drawn = _figures(pages, Path(out))
    old = [path for path, figure in drawn.items() if digest_in(path) != digest(figure)]
    for name, text in make_texts(studies, pages).items():
        path = Path(out) / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            old.append(path)
    return old


def _figures(pages: Mapping[str, Page], out: Path) -> dict[Path, Any]:
    return {
        out / "figures" / name: figure
        for page in pages.values()
        for name, figure in page.figures.items()
    }


def _machine(facts: Any) -> str:
    if not facts:
        return "an unrecorded machine"
    return (
        f"{facts.get('device', 'unknown')}, {counted(facts.get('threads', 1), 'thread')} each, "
        f"PyTorch {facts.get('torch', 'unknown')}"
    )
