"""Pin the installed packages: ``python pins.py`` rewrites requirements*.txt and constraints.txt.

requirements*.txt list the packages that the project imports or runs, each at one version.
constraints.txt lists the versions of their dependencies. ``make update`` installs the newest
versions first. A line keeps its comment; a package that is not installed keeps its version.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parent
FILES = ("requirements.txt", "requirements-dev.txt", "requirements-no-deps.txt")
LINE = re.compile(r"([A-Za-z0-9][\w.-]*)\s*(==|>=)\s*([^\s;#]+)(.*)")
NEED = re.compile(r"([A-Za-z0-9][\w.-]*)(\[[^\]]*\])?")


def pinned(text: str) -> str:
    """Return the text of a requirements file with the installed version of every package."""
    lines = []
    for line in text.splitlines():
        found = LINE.fullmatch(line)
        if found:
            name, _, old, rest = found.groups()
            line = f"{name}=={version(name) or old}{rest}"
        lines.append(line)
    return "\n".join(lines) + "\n"


def named(text: str) -> list[str]:
    """Return the names of the packages in a requirements file."""
    return [found.group(1) for found in map(LINE.fullmatch, text.splitlines()) if found]


def version(name: str) -> str:
    """Installed version without its build (2.13.0 of 2.13.0+cpu); "" where there is none."""
    try:
        return distribution(name).version.partition("+")[0]
    except PackageNotFoundError:
        return ""


def needed(names: Iterable[str]) -> dict[str, str]:
    """All that ``names`` need in turn and that is installed here: name -> version."""
    found: dict[str, str] = {}
    todo = list(names)
    while todo:
        name = todo.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in found or not version(name):
            continue
        found[key] = version(name)
        for need in distribution(name).requires or []:
            if "extra ==" not in need:
                match = NEED.match(need)
                assert match is not None
                todo.append(match.group(1))
    return dict(sorted(found.items()))


def too_new(names: Iterable[str]) -> list[str]:
    """Those of ``names``, with their requirement, that do not run on every Python supported."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    oldest = project["requires-python"].removeprefix(">=") + ".0"
    found = []
    for name in names:
        wanted = distribution(name).metadata.get("Requires-Python") or ""
        if not SpecifierSet(wanted).contains(oldest):
            found.append(f"{name} {version(name)} ({wanted})")
    return found


def main() -> None:
    names = []
    for file in (ROOT / name for name in FILES):
        text = pinned(file.read_text(encoding="utf-8"))
        file.write_text(text, encoding="utf-8")
        names += named(text)
    if others := too_new(needed(names)):
        raise SystemExit(
            f"These do not run on the oldest Python of pyproject.toml: {', '.join(others)}; "
            "install earlier versions, and pin again."
        )
    own = {re.sub(r"[-_.]+", "-", name).lower() for name in names}
    rest = {name: number for name, number in needed(names).items() if name not in own}
    lines = ["# Written by pins.py: what the packages of requirements*.txt need in turn."]
    lines += [f"{name}=={number}" for name, number in rest.items()]
    (ROOT / "constraints.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(own)} packages pinned, and {len(rest)} that they need")


if __name__ == "__main__":
    main()
