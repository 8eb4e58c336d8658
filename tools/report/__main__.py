"""Write docs/results from the results files: python -m tools.report (or: make results)."""

import argparse
import sys

from clmle.errors import InputError


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.report", description=__doc__)
    parser.add_argument(
        "--results", default="docs/results", metavar="FOLDER",
        help="results files, one for each study (default: docs/results)",
    )  # fmt: skip
    parser.add_argument(
        "--out", default="docs", metavar="FOLDER",
        help="folder that receives results/, figures/ and _includes/ (default: docs)",
    )  # fmt: skip
    parser.add_argument(
        "--check", action="store_true",
        help="write nothing; exit with 1 if a page or figure is out of date",
    )  # fmt: skip
    values = parser.parse_args(arguments)

    from tools.report.pages import stale, write_results

    try:
        if values.check:
            old = stale(values.results, values.out)
            for path in old:
                print(f"{path} is out of date; run: make results", file=sys.stderr)
            return 1 if old else 0
        for path in write_results(values.results, values.out):
            print(path)
    except InputError as error:
        print(f"report: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
