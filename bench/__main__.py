"""Measure the comparisons of docs/benchmarks.md: python -m bench [NAME ...].

Each comparison runs in a new process and is stored in docs/benchmarks when it ends; then
the page is written again. Failed comparisons are listed at the end. With --quick small cases are
measured and only printed, unless --out names a folder for them.
"""

import argparse
import sys
import tempfile
import traceback
from pathlib import Path

from bench.comparison import FOLDER, fresh_process, save
from bench.contents import BY_NAME, measure
from bench.page import of_comparison, write_page
from clmle.errors import InputError


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all; see --list")
    parser.add_argument("--quick", action="store_true", help="measure small cases, print them")
    parser.add_argument("--page", action="store_true", help="write the page, measure nothing")
    parser.add_argument("--list", action="store_true", help="list the comparisons")
    parser.add_argument("--out", type=Path, help="folder of the results (default docs/benchmarks)")
    found = parser.parse_args()
    for name in found.names:
        if name not in BY_NAME:
            parser.error(f"there is no comparison {name!r}; choose one of: {', '.join(BY_NAME)}")
    return found


def measure_all(names: list[str], quick: bool, folder: Path) -> list[str]:
    """Measures one after the other, each in a new process; returns the names of those that fail."""
    failed = []
    for name in names:
        print(f"{name} ...", flush=True)
        try:
            record = fresh_process(measure, name, quick)
        except Exception:
            traceback.print_exc()
            failed.append(name)
            continue
        save(name, record, folder)
        print("\n".join(of_comparison(BY_NAME[name], record)), flush=True)
        if not quick:
            write_page(folder)
    return failed


def main() -> int:
    given = arguments()
    if given.list:
        for name, one in BY_NAME.items():
            print(f"{name:24}{one.text('title')}")
        return 0
    folder = given.out or FOLDER
    if given.page:
        write_page(folder)
        return 0
    with tempfile.TemporaryDirectory() as temporary:
        if given.quick and given.out is None:
            folder = Path(temporary)
        try:
            failed = measure_all(given.names or list(BY_NAME), given.quick, folder)
        except KeyboardInterrupt:
            print("Stopped; completed comparisons are stored.", file=sys.stderr)
            return 130
    if failed:
        print(f"Failed: {', '.join(failed)}. The others are stored.", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except InputError as error:
        sys.exit(str(error))
