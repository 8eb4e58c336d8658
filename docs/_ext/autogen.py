"""Parts of the site that are made from the code: options of commands, methods, notebooks.

A page that asks for such a part is complete without it where the Markdown itself is read.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
# Notebooks that were run, as pages: NAME.md, its figures in NAME/, and one script for all figures.
LESSONS = ROOT / "docs" / "lessons"


def setup(app: Any) -> dict[str, Any]:
    """Sphinx's hook: pages are filled when they are read."""
    from sphinx.domains.python import PyObject
    from sphinx.util.docfields import TypedField

    # Shapes such as "(n, d) float32" are words, not names of types to be looked up.
    for field in PyObject.doc_field_types:
        if isinstance(field, TypedField) and field.name == "variable":
            field.typerolename = ""
    app.connect("source-read", fill)
    app.connect("build-finished", copy_figures)
    return {"parallel_read_safe": True}


def fill(app: Any, page: str, source: list[str]) -> None:
    """Put what is made from the code where ``page`` has a comment with its name."""
    for name, make in PARTS.items():
        place = f"<!-- {name} -->"
        if place in source[0]:
            source[0] = source[0].replace(place, make())
    if page.startswith("lessons/"):
        source[0] = played(source[0])


def played(text: str) -> str:
    """Links to figures that can be played, as links to files that :func:`copy_figures` copies."""
    return re.sub(r"(?<!!)\[([^\]]+)\]\(([\w-]+/[\w-]+\.html)\)", r'<a href="\2">\1</a>', text)


def commands() -> str:
    """The help of every command."""
    from clmle.__main__ import COMMANDS

    parts = []
    for name, summary in COMMANDS.items():
        text = help_of(name)
        parts.append(f"## {name}\n\n{summary[0].upper()}{summary[1:]}.\n\n```text\n{text}```\n")
    return "\n".join(parts)


def help_of(command: str) -> str:
    """What ``clmle COMMAND --help`` prints."""
    from clmle.__main__ import command_module

    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
        command_module(command).main(["--help"])
    return out.getvalue()


def methods() -> str:
    """A row for every method and its options."""
    import dataclasses

    from clmle.methods import get_method, method_names

    rows = ["| name | method | what it does | options |", "|---|---|---|---|"]
    for name in method_names():
        cls = get_method(name)
        options = ", ".join(f"`{f.name}`" for f in dataclasses.fields(cls.Options))
        rows.append(f"| `{name}` | {cls.title} | {cls.summary} | {options} |")
    return "\n".join(rows) + "\n"


def notebooks() -> str:
    """A line for every notebook: its title, its first sentences, and its page where it was run."""
    paths = sorted(NOTEBOOKS.glob("*.ipynb"))
    run = [path.stem for path in paths if (LESSONS / f"{path.stem}.md").is_file()]
    lines = []
    for path in paths:
        title, says = heading_of(path)
        link = f"[{title}](lessons/{path.stem}.md)" if path.stem in run else f"**{title}**"
        lines.append(f"- {link} (`notebooks/{path.name}`): {says}")
    if run:
        pages = "\n".join(f"lessons/{name}" for name in run)
        lines.append(f"\n```{{toctree}}\n:hidden:\n\n{pages}\n```")
    return "\n".join(lines) + "\n"


def heading_of(path: Path) -> tuple[str, str]:
    """Title of a notebook, and the whole sentences of its first paragraph."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    first = "".join(next(c["source"] for c in cells if c["cell_type"] == "markdown"))
    title, _, rest = first.strip().partition("\n")
    says = rest.strip().split("\n\n")[0].replace("\n", " ")
    return title.lstrip("# "), re.sub(r"(?<=[.?!])[^.?!]*$", "", says)


def copy_figures(app: Any, error: Exception | None) -> None:
    """Figures that can be played, and their script, go beside the pages of the lessons."""
    if error is not None or app.builder.format != "html":
        return
    for path in [*LESSONS.glob("*/*.html"), *LESSONS.glob("*.js")]:
        to = Path(app.outdir) / "lessons" / path.relative_to(LESSONS)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to)


PARTS: dict[str, Callable[[], str]] = {
    "COMMANDS": commands,
    "METHODS": methods,
    "NOTEBOOKS": notebooks,
}
