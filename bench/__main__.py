"""Comparisons with peers and docs/benchmarks.md, the page of them: python -m bench [NAME ...].

Each comparison runs in a process of its own, is kept in docs/benchmarks as it ends, and the page is
made anew. What fails is named at the end; the others are kept. With --quick small cases are
measured and only printed, unless --out says where to keep them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.comparison import FOLDER, file_of, load, measure, save
from bench.contents import BY_NAME
from bench.page import print_record, write_page
from clmle.errors import InputError


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="by default all: see --list")
    parser.add_argument("--quick", action="store_true", help="small cases, printed")
    parser.add_argument("--page", action="store_true", help="only make the page, measure nothing")
    parser.add_argument("--list", action="store_true", help="name all comparisons")
    parser.add_argument(
        "--out", type=Path, help="folder of the results; the page is benchmarks.md beside it"
    )
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    found = parser.parse_args()
    for name in found.names:
        if name not in BY_NAME:
            parser.error(f"there is no comparison {name!r}; choose one of: {', '.join(BY_NAME)}")
    return found


def each(names: list[str], quick: bool, folder: Path) -> list[str]:
    """Measures all in turn, each in a process of its own; the names of those that failed."""
    failed = []
    for name in names:
        print(f"{name} ...", flush=True)
        command = [sys.executable, "-m", "bench", name, "--here", "--out", str(folder)]
        if subprocess.run(command + ["--quick"] * quick, check=False).returncode:
            failed.append(name)
            continue
        record = load(file_of(name, folder))
        assert record is not None
        print_record(BY_NAME[name], record)
        if not quick:
            write_page(folder)
    return failed


def main() -> int:
    given = arguments()
    if given.list:
        for name, one in BY_NAME.items():
            print(f"{name:24}{one.title}")
        return 0
    folder = given.out or FOLDER
    if given.here:
        save(given.names[0], measure(BY_NAME[given.names[0]], given.quick), folder)
        return 0
    if given.page:
        write_page(folder)
        return 0
    names = given.names or list(BY_NAME)
    try:
        if given.quick and given.out is None:
            with tempfile.TemporaryDirectory() as passing:
                failed = each(names, True, Path(passing))
        else:
            failed = each(names, given.quick, folder)
    except KeyboardInterrupt:
        print("Stopped; what had ended is kept.", file=sys.stderr)
        return 130
    if failed:
        print(f"Failed, the others are kept: {', '.join(failed)}.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except InputError as error:
        sys.exit(str(error))
