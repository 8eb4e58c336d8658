"""The playground as one HTML file that trains in the browser, without server and installation.

The scripts in browser/ are the package's training loop in JavaScript, in float64. With the same
points, initial weights and batches they give the losses, features and predictions of
:func:`clmle.playground.train_trajectory`; their random draws are their own.
"""

import html
import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

SCRIPTS = (
    *("random", "problem", "network", "clusters", "methods", "training"),
    *("drawing", "settings", "lessons", "own_points", "page"),
)
CORE = SCRIPTS[:6]  # those that train; the others draw the page
# As in clmle.figures; that package is not loaded for a page.
METHOD_COLORS = {
    "clmle": "#CC79A7", "softmax": "#56B4E9", "oversampling": "#B8A800",
    "clmle, without Eq. 9": "#9A6324", "clmle, one cluster": "#8B6FD6",
    "clmle, untrained": "#1FA2A2", "class-weighting": "#6F7F3F",
}  # fmt: skip
FIRST_METHODS = ("softmax", "oversampling", "clmle")


def lesson_texts() -> Sequence[Mapping[str, Any]]:
    """The lessons of lessons.toml; no line ends between a number and its percent sign."""
    text = (files("clmle.playground") / "lessons.toml").read_text(encoding="utf-8")
    text = text.replace(" %", "\u00a0%")
    lessons: Sequence[Mapping[str, Any]] = tomllib.loads(text)["lesson"]
    return lessons


def browser_script(names: Sequence[str] = SCRIPTS) -> str:
    """The scripts of the page one after the other."""
    return "\n".join(_text(f"{name}.js") for name in names)


def playground_page(*, short: bool = False, dark: bool | None = None) -> str:
    """The playground as HTML that needs nothing else.

    Parameters
    ----------
    short : bool
        One slider and three panels, without lessons and other controls.
    dark : bool, optional
        Dark or light; by default as the browser prefers.

    Returns
    -------
    str
        The text of a file that any browser opens. Its address holds all settings after a ``#``, so
        that a link restores them.

    Examples
    --------
    >>> page = playground_page()
    >>> page.startswith("<!doctype html>"), "http://" in page or "https://" in page
    (True, False)
    """
    first = {"method": FIRST_METHODS, "ratio": 20, "modes": 2} if short else None
    lessons = [
        {
            **{name: lesson[name] for name in ("name", "title", "problem", "clusters", "methods")},
            "steps": [
                {**s, "explanation": s["explanation"].replace("*", "")} for s in lesson["step"]
            ],
            "questions": lesson["question"],
        }
        for lesson in lesson_texts()
    ]
    values = {
        "THEME": "" if dark is None else f' data-theme="{"dark" if dark else "light"}"',
        "KIND": "first" if short else "",
        "STYLE": _text("page.css").strip(),
        "TEXT": _paragraphs(_text("page.md")),
        "PAGE": json.dumps({"first": first, "colors": METHOD_COLORS}),
        "LESSONS": json.dumps(lessons),
        "SCRIPTS": browser_script(),
    }
    return re.sub("%([A-Z]+)%", lambda match: values[match[1]], _text("page.html"))


def _paragraphs(text: str) -> str:
    """A list in Markdown with bold words as HTML, without its comments."""
    text = re.sub("<!-- .*? -->", "", text)
    entries = [" ".join(entry.split()) for entry in re.split(r"^- ", text, flags=re.M) if entry]
    lines = (f"<li>{html.escape(entry)}</li>" for entry in entries)
    return "<ul>\n" + re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", "\n".join(lines)) + "\n</ul>"


def _text(name: str) -> str:
    return (files("clmle.playground") / "browser" / name).read_text(encoding="utf-8")
