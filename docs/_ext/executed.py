"""Run the code of pages and compare or rewrite what they print: python docs/_ext/executed.py.

A ``python`` or ``sh`` block followed by a ``text`` block shows its output. Blocks of a page run in
order, in one empty folder and one Python namespace. In a ``text`` block a line "..." stands for any
lines. Run names, times and processor-dependent last digits may differ from those on the page.

A ``literalinclude`` of a file of docs/examples is a block of code. A figure of a gallery page,
``![...](...svg)``, is drawn from the variable ``figure`` of its code.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
GALLERY = sorted(f"gallery/{p.name}" for p in (DOCS / "gallery").glob("*.md") if p.stem != "index")
PAGES = (
    *GALLERY,
    "examples/index.md",
    "quickstart.md",
    "tutorial.md",
    "teaching.md",
    "guide/ablations.md",
    "guide/evaluate-for-a-purpose.md",
    "guide/long-tails.md",
    "guide/own-code.md",
    "guide/own-features.md",
    "guide/own-images.md",
    "guide/own-study.md",
    "guide/reading-results.md",
    "guide/scikit-learn.md",
    "guide/standard-data-sets.md",
)
FIGURE_WIDTH = 640
TOLERANCE = 0.03  # of a metric: another processor adds in another order, or in bfloat16
TOLERATED_IMAGES = 3  # the same of a recall, in images of the class
FENCE = re.compile(r"^```(python|sh|text|\{literalinclude\} [\w.]+)\n(.*?)^```$", re.S | re.M)
FIGURE = re.compile(r"^!\[([^\]]+)\]\(([^)]+\.svg)\)$", re.M)
VARIES = (
    (re.compile(r"\b20\d{6}-\d{6}"), "DATE"),
    (re.compile(r"\b(?:\d+ (?:h|min) )?\d+(?:\.\d+)? (?:s|min)\b"), "TIME"),
    (re.compile(r"(?<=\s\s)\d+$"), "SECONDS"),  # last column of a table of trials
)
NUMBER = re.compile(r"(?<![\w.])[+-]?\d+\.\d+(?![\w.])")


@dataclass
class Example:
    """A block of code, the output that the page shows, and where that output stands."""

    language: str
    code: str
    shown: str | None = None
    span: tuple[int, int] = (0, 0)


def examples_of(text: str) -> list[Example]:
    """Blocks of a page in order. A comment "<!-- not run -->" before a block leaves it out."""
    found: list[Example] = []
    end = 0
    for match in FENCE.finditer(text):
        language, body = match.groups()
        if language.startswith("{"):
            path = EXAMPLES / language.split()[1]
            language, body = "python", path.read_text(encoding="utf-8")
        between = text[end : match.start()]
        end = match.end()
        if language == "text":
            if found and found[-1].shown is None and not between.strip():
                found[-1].shown, found[-1].span = body, match.span(2)
        elif "<!-- not run -->" not in between:
            found.append(Example(language, body))
        else:
            found.append(Example("skip", body))
    return [example for example in found if example.language != "skip"]


def run_examples(
    text: str, folder: Path, space: dict[str, Any] | None = None
) -> Iterator[tuple[Example, str]]:
    """Every example of a page that runs, and what it printed; ``space`` takes its variables."""
    space = {} if space is None else space
    space["__name__"] = "page"
    for example in examples_of(text):
        runner: Callable[..., str] = run_python if example.language == "python" else run_shell
        yield example, runner(example.code, folder, space)


def run_python(code: str, folder: Path, space: dict[str, Any]) -> str:
    """What a Python block prints."""
    out = io.StringIO()
    with contextlib.chdir(folder), contextlib.redirect_stdout(out):
        exec(compile(code, "page", "exec"), space)
    return out.getvalue()


def run_shell(code: str, folder: Path, space: dict[str, Any]) -> str:
    """What the commands of a block print, errors and warnings included."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    done = subprocess.run(
        ["bash", "-e", "-c", code],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if k != "CLMLE_RUNS"}
        | {"PATH": path, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"A command of the page failed:\n{code}\n{done.stdout}")
    return done.stdout


def same(shown: str, printed: str) -> bool:
    """Whether the output of a page is what its code prints, up to what may vary."""
    pattern = []
    for line in shown.splitlines():
        words = r"(?:.*\n)*?" if line == "..." else re.escape(_plain(line)) + r"\n"
        pattern.append(words)
    if not re.fullmatch("".join(pattern), "".join(_plain(x) + "\n" for x in _lines(printed))):
        return False
    return _close(shown, printed)


def _lines(printed: str) -> list[str]:
    return [line.rstrip() for line in printed.splitlines()]


def _plain(line: str) -> str:
    """A line without what varies: dates, times, metrics and the width of columns."""
    for pattern, word in VARIES:
        line = pattern.sub(word, line)
    return re.sub(r"\s+", " ", NUMBER.sub("NUMBER", line)).strip()


def _close(shown: str, printed: str) -> bool:
    """Whether metrics of equal lines agree."""
    lines = _lines(printed)
    # The last column of a table may be seconds, which vary.
    timed = any(line.endswith(" seconds") for line in shown.splitlines())
    for line in shown.splitlines():
        wanted = [float(x) for x in NUMBER.findall(line)]
        if not wanted or " s" in line.split("  ")[-1]:
            continue
        numbers = -1 if timed else None
        images = re.search(r"\b(\d+) images$", line)
        most = max(TOLERANCE, TOLERATED_IMAGES / int(images[1])) if images else TOLERANCE
        candidates = [x for x in lines if _plain(x) == _plain(line)]
        values = [[float(x) for x in NUMBER.findall(c)] for c in candidates]
        if not any(
            len(v) == len(wanted)
            and all(abs(a - b) <= most for a, b in list(zip(v, wanted, strict=True))[:numbers])
            for v in values
        ):
            return False
    return True


def rewritten(text: str, folder: Path, space: dict[str, Any] | None = None) -> str:
    """The page with the output of its code; lines that "..." left out stay left out."""
    changes = []
    try:
        for example, printed in run_examples(text, folder, space):
            if example.shown is not None and not _exact(example.shown, printed):
                changes.append((example.span, shortened(example.shown, printed)))
    except Exception as error:  # what ran before is kept
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    for (start, end), new in reversed(changes):
        text = text[:start] + new + text[end:]
    return text


def _exact(shown: str, printed: str) -> bool:
    return "..." not in shown.splitlines() and shown == printed


def shortened(shown: str, printed: str) -> str:
    """New output with the same parts left out as in ``shown``, by the words of its lines."""
    lines = _lines(printed)
    if "..." not in shown.splitlines():
        return "\n".join(lines) + "\n"
    kept: list[str] = []
    position = 0
    skip = False
    for line in shown.splitlines():
        if line == "...":
            skip = True
            continue
        found = next(
            (i for i in range(position, len(lines)) if _words(lines[i]) == _words(line)), None
        )
        if found is None:
            raise ValueError(
                f"The page shows a line that is no longer printed: {line!r}\n{printed}"
            )
        if skip:
            kept.append("...")
        kept.append(lines[found])
        position, skip = found + 1, False
    return "\n".join([*kept, *(["..."] if skip else [])]) + "\n"


def _words(line: str) -> str:
    return re.sub(r"[\d.,+-]+", "0", _plain(line))


def figures_of(page: Path) -> list[tuple[str, Path]]:
    """Alternative text and path of each figure that a page shows."""
    text = page.read_text(encoding="utf-8")
    return [(alt, (page.parent / name).resolve()) for alt, name in FIGURE.findall(text)]


def main(names: list[str]) -> None:
    """Rewrite the output of the named pages, or of all; draw changed figures of the gallery."""
    os.environ["OMP_NUM_THREADS"] = "1"  # as in the tests
    sys.path.insert(0, str(ROOT))
    from clmle.figures.export import digest, digest_in, to_svgs

    changed = {}
    for name in names or PAGES:
        page = DOCS / name
        space: dict[str, Any] = {}
        with tempfile.TemporaryDirectory() as folder:
            text = page.read_text(encoding="utf-8")
            page.write_text(rewritten(text, Path(folder), space), encoding="utf-8")
        for _, path in figures_of(page) if name in GALLERY else ():
            if digest_in(path) != digest(space["figure"]):
                changed[str(path)] = space["figure"]
        print(name, flush=True)
    to_svgs(changed, width=FIGURE_WIDTH)


if __name__ == "__main__":
    main(sys.argv[1:])
