"""Executed notebooks as Markdown pages with interactive figures.

``NOTEBOOK.md`` shows text, code, printed results and tables. Every figure is an SVG (or a PNG that
the notebook created) in ``NOTEBOOK/``, together with an HTML page that can be zoomed and played.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from clmle.errors import InputError
from clmle.figures.export import to_svgs
from clmle.figures.layout import title_of as figure_title
from clmle.files import atomic_path, write_text
from notebooks.lessons import title_of

PLOTLY = "application/vnd.plotly.v1+json"


@dataclass
class Page:
    """Markdown of one notebook, and the files that it shows by their relative paths."""

    lesson: str
    parts: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    images: dict[str, bytes] = field(default_factory=dict)

    @property
    def markdown(self) -> str:
        return "\n\n".join(self.parts) + "\n"


def page_of(lesson: str, notebook: NotebookNode) -> Page:
    """The page of an executed notebook; no file is written."""
    page = Page(lesson)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            page.parts.append(cell.source)
        elif cell.cell_type == "code":
            page.parts.append(f"```python\n{cell.source}\n```")
            for output in cell.outputs:
                _add(page, output)
    return page


def write_pages(notebooks: Mapping[str, NotebookNode], folder: Path) -> list[Path]:
    """Write a page for each executed notebook (name -> notebook) and an index to ``folder``.

    Returns the Markdown files, the index first.

    Raises
    ------
    InputError
        There is no browser to draw figures, or the folder cannot be written.
    """
    pages = [page_of(lesson, notebook) for lesson, notebook in notebooks.items()]
    drawn = {
        str(folder / f"{name}.svg"): figure
        for page in pages
        for name, figure in page.figures.items()
    }
    to_svgs(drawn)
    for page in pages:
        for name, figure in page.figures.items():
            _write_figure(figure, folder / f"{name}.html")
        for name, image in page.images.items():
            with atomic_path(folder / name) as temporary:
                temporary.write_bytes(image)
        write_text(folder / f"{page.lesson}.md", page.markdown)
    lines = [f"- [{title_of(n)}]({lesson}.md): {_promise(n)}" for lesson, n in notebooks.items()]
    write_text(folder / "index.md", "\n".join(["# Lessons", "", *lines, ""]))
    return [folder / "index.md", *(folder / f"{page.lesson}.md" for page in pages)]


def _add(page: Page, output: NotebookNode) -> None:
    """One output of a cell: a figure, an image, a table or printed text."""
    if output.output_type == "stream":
        page.parts.append(f"```text\n{output.text.rstrip()}\n```")
        return
    if output.output_type == "error":
        raise InputError(f"{page.lesson} failed with {output.ename}: {output.evalue}")
    data = output.data
    number = len(page.figures) + len(page.images) + 1
    name = f"{page.lesson}/figure-{number}"
    if PLOTLY in data:
        figure = figure_of(data[PLOTLY])
        page.figures[name] = figure
        words = figure_title(figure) or f"Figure {number}"
        page.parts.append(f"![{words}]({name}.svg)")
        page.parts.append(f"[{words}: to zoom, hover and play]({name}.html)")
    elif "image/png" in data:
        page.images[f"{name}.png"] = base64.b64decode(data["image/png"])
        page.parts.append(f"![Figure {number}]({name}.png)")
    elif "text/html" in data:
        table = re.sub(r"<style.*?</style>", "", data["text/html"], flags=re.DOTALL)
        # Blank or indented lines would end the table in Markdown.
        page.parts.append("\n".join(filter(None, map(str.strip, table.splitlines()))))
    elif "text/plain" in data:
        page.parts.append(f"```text\n{data['text/plain'].rstrip()}\n```")


def figure_of(spec: Mapping[str, Any]) -> Any:
    """The plotly figure of an output."""
    import plotly.graph_objects as go

    return go.Figure(
        {key: spec[key] for key in ("data", "layout", "frames") if key in spec}, skip_invalid=True
    )


def _write_figure(figure: Any, path: Path) -> None:
    """A page of the figure alone; plotly's script is written once and shared."""
    from plotly.offline import get_plotlyjs

    script = path.parent.parent / "plotly.min.js"
    if not script.exists():
        write_text(script, get_plotlyjs())
    page = figure.to_html(include_plotlyjs="../plotly.min.js", div_id="figure")
    write_text(path, page.replace("<head>", f"<head><title>{figure_title(figure)}</title>", 1))


def _promise(notebook: NotebookNode) -> str:
    """The first sentence after the title."""
    text = notebook.cells[0].source.partition("\n")[2].strip().replace("\n", " ")
    return re.split(r"(?<=[.?!])\s", text)[0]
