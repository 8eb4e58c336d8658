"""Outputs that are stored in the notebooks: pictures and tables that also show on a code host.

A figure is stored as PNG; where it is small, its plotly data stay next to it, so that JupyterLab
shows the figure to zoom. The digest of the code tells whether outputs belong to it.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from clmle.figures.export import to_pngs
from clmle.figures.layout import title_of as figure_title
from notebooks.pages import PLOTLY, figure_of

COLORS = 64  # of a picture
SMALL = 20_000  # bytes of a figure's data that are stored next to its picture
TIME = re.compile(r"\n*\*Running time: [^*]*\*\n?")


def code_digest(notebook: NotebookNode) -> str:
    """16 hexadecimal digits of the code of all cells."""
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256(json.dumps(code).encode()).hexdigest()[:16]


def with_outputs(
    notebook: NotebookNode,
    executed: NotebookNode,
    seconds: float,
    draw: Callable[[Sequence[Any]], list[str]] | None = None,
) -> NotebookNode:
    """``notebook`` with the outputs of its execution, which took ``seconds`` of one core."""
    figures = [
        figure_of(output.data[PLOTLY])
        for cell in executed.cells
        for output in cell.get("outputs", [])
        if PLOTLY in output.get("data", {})
    ]
    pictures = zip(figures, (draw or small_pictures)(figures), strict=True)
    number = 0
    for cell, done in zip(notebook.cells, executed.cells, strict=True):
        if cell.cell_type != "code":
            continue
        number += 1
        cell.execution_count = number
        cell.outputs = []
        for output in done.outputs:
            kept = nbformat.from_dict(output)
            if PLOTLY in kept.get("data", {}):
                kept.data = _picture(kept.data[PLOTLY], *next(pictures))
            elif "<script" in kept.get("data", {}).get("text/html", ""):
                continue  # of the viewer of exported pages
            elif "text/html" in kept.get("data", {}):
                table = re.sub(r"<style.*?</style>\n?", "", kept.data["text/html"], flags=re.DOTALL)
                kept.data["text/html"] = table
            if "execution_count" in kept:
                kept.execution_count = number
            cell.outputs.append(kept)
    first = notebook.cells[0]
    words = f"*Running time: about {_rounded(seconds)} s of one core.*"
    first.source = f"{TIME.sub('', first.source).rstrip()}\n\n{words}"
    notebook.metadata["clmle"] = {"code": code_digest(notebook)}
    return notebook


def small_pictures(figures: Sequence[Any]) -> list[str]:
    """Figures as PNG of few colors in base64: a third of the size, and no difference to the eye."""
    from PIL import Image

    found = []
    for png in to_pngs([_at_its_end(figure) for figure in figures]):
        image = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        buffer = io.BytesIO()
        Image.alpha_composite(white, image).convert("RGB").quantize(COLORS).save(
            buffer, "PNG", optimize=True
        )
        found.append(base64.b64encode(buffer.getvalue()).decode())
    return found


def _at_its_end(figure: Any) -> Any:
    """A figure that is played, as its last frame shows it."""
    if figure.frames:
        last = figure.frames[-1]
        places = last.traces if last.traces is not None else range(len(last.data))
        for place, trace in zip(places, last.data, strict=True):
            figure.data[place].update(trace.to_plotly_json())
        figure.update_layout(last.layout.to_plotly_json())
        figure.update_layout(sliders=[], updatemenus=[])
    return figure


def store(path: Path, executed: NotebookNode, seconds: float) -> None:
    """Write the outputs of an execution into the file of a notebook."""
    notebook = with_outputs(nbformat.read(path, as_version=4), executed, seconds)
    nbformat.write(notebook, path)


def _picture(spec: Any, figure: Any, png: str) -> dict[str, Any]:
    data = {"image/png": png, "text/plain": figure_title(figure) or "A figure"}
    if len(json.dumps(spec)) <= SMALL:
        data[PLOTLY] = spec
    return data


def _rounded(seconds: float) -> int:
    """Seconds with one digit that counts."""
    step = 5 if seconds < 60 else 10
    return max(step, step * round(seconds / step))
