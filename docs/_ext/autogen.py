"""Parts of the documentation that are computed from the code and the shipped results.

``SITE_PARTS`` replace a comment ``<!-- NAME -->`` when the site is built. ``BLOCKS`` are stored in
the pages between ``<!-- begin NAME -->`` and ``<!-- end NAME -->``; ``python docs/_ext/autogen.py``
updates them, writes ``playground.html``, and a test compares them with the code.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import sys
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import executed
import playground_controls
from references import api_table, constants

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
NOTEBOOKS = ROOT / "notebooks"
# The playground as a file that any browser opens; the site has a copy.
PLAYGROUND = DOCS / "playground.html"
# Executed notebooks as pages: NAME.md, its figures in NAME/, and one script for all figures.
LESSONS = DOCS / "lessons"
PAGES = (
    *(ROOT / "README.md", ROOT / "CHANGELOG.md", DOCS / "method.md", DOCS / "teaching.md"),
    DOCS / "gallery" / "index.md",
    ROOT / "app" / "views" / "imbalance.md",
    ROOT / "clmle" / "playground" / "browser" / "page.md",
)
BLOCK = re.compile(r"(<!-- begin ([\w-]+) -->)(.*?)(<!-- end \2 -->)", re.S)


def setup(app: Any) -> dict[str, Any]:
    """Connect to Sphinx: pages are filled when they are read."""
    from sphinx.domains.python import PyObject
    from sphinx.util.docfields import TypedField

    # Shapes such as "(n, d) float32" are text, not names of types.
    for field in PyObject.doc_field_types:
        if isinstance(field, TypedField) and field.name == "variable":
            field.typerolename = ""
    app.connect("source-read", fill)
    app.connect("build-finished", copy_figures)
    return {"parallel_read_safe": True}


def fill(app: Any, page: str, source: list[str]) -> None:
    """Replace the comments of ``SITE_PARTS`` in a page."""
    for name, make in SITE_PARTS.items():
        comment = f"<!-- {name} -->"
        if comment in source[0]:
            source[0] = source[0].replace(comment, make())
    source[0] = re.sub(r"<!-- CONSTANTS (\S+) -->", lambda m: constants(m[1]), source[0])
    if page.startswith("lessons/"):
        source[0] = interactive_links(source[0])


def interactive_links(text: str) -> str:
    """Links to interactive figures as links to the files that :func:`copy_figures` copies."""
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
    """A table of all methods and their options."""
    import dataclasses

    from clmle.methods import get_method, method_names

    rows = ["| name | method | description | options |", "|---|---|---|---|"]
    for name in method_names():
        cls = get_method(name)
        options = ", ".join(f"`{f.name}`" for f in dataclasses.fields(cls.Options))
        rows.append(f"| `{name}` | {cls.title} | {cls.summary} | {options} |")
    return "\n".join(rows) + "\n"


def notebooks() -> str:
    """A line for every notebook: title, first sentences, and its page if it was executed."""
    paths = sorted(NOTEBOOKS.glob("*.ipynb"))
    executed = [path.stem for path in paths if (LESSONS / f"{path.stem}.md").is_file()]
    lines = []
    for path in paths:
        title, summary = heading_of(path)
        link = f"[{title}](lessons/{path.stem}.md)" if path.stem in executed else f"**{title}**"
        lines.append(f"- {link} (`notebooks/{path.name}`): {summary}")
    if executed:
        pages = "\n".join(f"lessons/{name}" for name in executed)
        lines.append(f"\n```{{toctree}}\n:hidden:\n\n{pages}\n```")
    return "\n".join(lines) + "\n"


def heading_of(path: Path) -> tuple[str, str]:
    """Title of a notebook, and the complete sentences of its first paragraph."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    first = "".join(next(c["source"] for c in cells if c["cell_type"] == "markdown"))
    title, _, rest = first.strip().partition("\n")
    paragraph = rest.strip().split("\n\n")[0].replace("\n", " ")
    return title.lstrip("# "), re.sub(r"(?<=[.?!])[^.?!]*$", "", paragraph)


def copy_figures(app: Any, error: Exception | None) -> None:
    """Copy interactive figures and their script to the pages of executed notebooks."""
    if error is not None or app.builder.format != "html":
        return
    for path in [*LESSONS.glob("*/*.html"), *LESSONS.glob("*.js")]:
        to = Path(app.outdir) / "lessons" / path.relative_to(LESSONS)
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, to)


def glossary() -> str:
    """The terms of clmle/figures/terms.toml."""
    from clmle.figures import glossary as terms

    lines = [line for term, text in terms().items() for line in (term, f"  {text}", "")]
    return "\n".join(["```{glossary}", *lines, "```\n"])


SITE_PARTS: dict[str, Callable[[], str]] = {
    "API": api_table,
    "COMMANDS": commands,
    "GLOSSARY": glossary,
    "METHODS": methods,
    "NOTEBOOKS": notebooks,
}


# --- blocks that are stored in the pages --------------------------------------------------------


def table(heads: Iterable[Any], rows: Iterable[Iterable[Any]]) -> str:
    """A Markdown table, numbers aligned to the right."""
    heads = [str(h) for h in heads]
    lines = [heads, ["---:"] * len(heads), *([str(x) for x in row] for row in rows)]
    return "\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def main_results() -> str:
    """The table of main results that ``make results`` writes."""
    return (
        "\n" + (DOCS / "_includes" / "main_results.md").read_text(encoding="utf-8").strip() + "\n"
    )


def denominator() -> str:
    """The largest feasible margin with the printed denominator."""
    from clmle import margin_bounds

    bounds = margin_bounds([960, 40], dim=64)
    return (
        f"With s = 1 and K' = 6 the largest feasible margin is 2 - log 6 = "
        f"{bounds.feasible_between(6):.3f}, while the printed bound is {bounds.between:g}."
    )


def renamed_names() -> str:
    """Old and new names."""
    from clmle import renamed

    kinds = {
        "command": renamed.COMMANDS,
        "method": {old: renamed.renamed_method(old) for old in renamed.METHODS},
        "option": renamed.OPTIONS,
        "training option": renamed.TRAIN,
        "value": renamed.VALUES,
    }
    rows = [
        f"| {kind} | `{old}` | {quoted(new)} |"
        for kind, names in kinds.items()
        for old, new in names.items()
    ]
    return "\n" + "\n".join(["| kind | 0.1 | 0.2 |", "|---|---|---|", *rows]) + "\n"


def quoted(new: str) -> str:
    """A new name as code; a phrase as it stands."""
    return f"`{new}`" if re.fullmatch(r"[\w-]+(?: --[\w-]+)?", new) else new


@dataclass(frozen=True)
class Playground:
    """Training runs of the playground, and which of their metrics a page shows, in percent."""

    method: str
    parameters: tuple[tuple[str, Any], ...] = ()
    clusters: int = 12
    metric: str = "balanced"
    draws: int = 1  # seeds from that of the parameters on

    def percent(self, draw: int = 0) -> int:
        """The metric of one draw."""
        given = {"ratio": 5, "modes": 3, "noise": 0.3, "seed": 0} | dict(self.parameters)
        given["seed"] += draw
        majority, minority = final_recalls(self.method, self.clusters, tuple(given.items()))
        metrics = {
            "minority": minority,
            "balanced": (majority + minority) / 2,
            "plain": (given["ratio"] * majority + minority) / (given["ratio"] + 1),
        }
        return round(100 * metrics[self.metric])

    def text(self) -> str:
        """The metric; of several draws the mean and the range."""
        found = [self.percent(draw) for draw in range(self.draws)]
        if self.draws == 1:
            return f"{found[0]} %"
        return f"{round(sum(found) / len(found))} % ({min(found)} to {max(found)} %)"


@cache
def final_recalls(method: str, clusters: int, parameters: tuple[tuple[str, Any], ...]) -> Any:
    """Recall of both classes at the end of training."""
    import torch

    from clmle.playground import STEPS, PlaygroundProblem, train_trajectory

    torch.set_num_threads(1)  # as the app does; the number of threads changes last digits
    problem = PlaygroundProblem(**dict(parameters))
    return train_trajectory(problem, method, clusters, every=STEPS).recall[-1].tolist()


def run(
    method: str, clusters: int = 12, metric: str = "balanced", draws: int = 1, **parameters: Any
) -> Playground:
    return Playground(method, tuple(parameters.items()), clusters, metric, draws)


DRAWS = 5
# Tables of docs/teaching.md: heads, and rows of words and training runs.
TEACHING: dict[str, tuple[list[Any], list[list[Any]]]] = {
    "teaching-ratios": (
        ["ratio", "minority recall", "balanced accuracy", "plain accuracy"],
        [
            [
                r,
                *(
                    run("softmax", metric=m, ratio=r, modes=1, draws=DRAWS)
                    for m in ("minority", "balanced", "plain")
                ),
            ]
            for r in (1, 2, 5, 10, 20, 40)
        ],
    ),
    "teaching-modes": (
        ["modes per class", "softmax", "oversampling", "CLMLE", "CLMLE, untrained"],
        [
            [m, *(run(n, modes=m, ratio=20, draws=DRAWS)
                  for n in ("softmax", "oversampling", "clmle", "clmle, untrained"))]
            for m in (1, 2, 4, 6)
        ],
    ),
    "teaching-clusters": (
        ["clusters per class", 1, 2, 6, 12],
        [["CLMLE", *(run("clmle", n, draws=DRAWS) for n in (1, 2, 6, 12))]],
    ),
    "teaching-noise": (
        ["noise", "30 %", "40 %", "50 %"],
        [
            [title, *(run(name, noise=x, draws=DRAWS) for x in (0.3, 0.4, 0.5))]
            for name, title in (("clmle", "CLMLE"), ("clmle, untrained", "untrained"))
        ],
    ),
    "teaching-draws": (
        ["draw", *range(DRAWS)],
        [
            [title, *(run(name, seed=s) for s in range(DRAWS))]
            for name, title in (
                ("clmle", "CLMLE"),
                ("clmle, untrained", "untrained"),
                ("clmle, without Eq. 9", "without Eq. 9"),
                ("clmle, one cluster", "one cluster"),
            )
        ],
    ),
}  # fmt: skip


def teaching_table(name: str) -> str:
    """A table of docs/teaching.md, every run trained."""
    heads, rows = TEACHING[name]
    shown = ([x.text() if isinstance(x, Playground) else x for x in row] for row in rows)
    return table(heads, shown)


def gallery() -> str:
    """Thumbnails of all examples, each a link to its page, three in a row."""
    cells = []
    for name in executed.GALLERY:
        page = DOCS / name
        title = page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        (alt, path), *_ = executed.figures_of(page)
        figure = path.relative_to(DOCS).as_posix()
        cells.append(f"[![{alt}](../{figure})]({page.name})<br>[{title}]({page.name})")
    cells += [""] * (-len(cells) % 3)
    rows = [cells[i : i + 3] for i in range(0, len(cells), 3)]
    lines = [["", "", ""], [":---:"] * 3, *rows]
    return "\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


BLOCKS: dict[str, Callable[[], str]] = {
    "gallery": gallery,
    "main-results": main_results,
    "denominator": denominator,
    "renamed": renamed_names,
    "playground-controls": lambda: table(*playground_controls.rows()),
    "playground-statement": playground_controls.statement,
    **{name: partial(teaching_table, name) for name in TEACHING},
}


def blocks_of(text: str) -> dict[str, str]:
    """Names of the blocks of a page and their text."""
    return {match[2]: match[3] for match in BLOCK.finditer(text)}


def updated(text: str, kept: Container[str] = ()) -> str:
    """A page with its blocks computed anew, except those whose names are ``kept``."""
    return BLOCK.sub(
        lambda match: match[0] if match[2] in kept else match[1] + BLOCKS[match[2]]() + match[4],
        text,
    )


def main() -> None:
    """Update playground.html and the blocks of all pages; with --all those that train, too."""
    sys.path.insert(0, str(ROOT))
    for page in PAGES:
        kept = () if "--all" in sys.argv else TEACHING
        text = updated(page.read_text(encoding="utf-8"), kept)
        page.write_text(text, encoding="utf-8")
    from clmle.playground import playground_page

    PLAYGROUND.write_text(playground_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
