"""The notebooks in reading order."""

from __future__ import annotations

from pathlib import Path

from nbformat import NotebookNode

HERE = Path(__file__).resolve().parent
LESSONS = (
    "first_steps",
    "imbalance_on_a_circle",
    "clmle_step_by_step",
    "margins",
    "embeddings_through_training",
    "ablations",
    "attributes",
    "recognition",
    "your_own_faces",
    "beating_the_default",
)


def path_of(lesson: str) -> Path:
    """The file of a notebook."""
    return HERE / f"{lesson}.ipynb"


def title_of(notebook: NotebookNode) -> str:
    """The only heading of the first level."""
    return next(
        line[2:].strip()
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
        if line.startswith("# ")
    )
