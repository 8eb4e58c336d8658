"""``clmle results``: write docs/RESULTS.md and its figures from the results of runs."""

from __future__ import annotations

import argparse
import sys


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="clmle results", description=__doc__)
    parser.add_argument(
        "--results", default="docs/results", metavar="FOLDER",
        help="files of results, one a study, by clmle ablate (default: docs/results)",
    )  # fmt: skip
    parser.add_argument(
        "--out", default="docs/RESULTS.md", metavar="FILE",
        help="the page; figures go beside it into figures/ (default: docs/RESULTS.md)",
    )  # fmt: skip
    parser.add_argument(
        "--check", action="store_true",
        help="write nothing; exit with 1 where page or figures are not those of the results",
    )  # fmt: skip
    values = parser.parse_args(arguments)

    from tools.report.page import stale, write_results

    if values.check:
        old = stale(values.results, values.out)
        for path in old:
            print(
                f"{path} is not what the results say; make it again: make results", file=sys.stderr
            )
        return 1 if old else 0
    for path in write_results(values.results, values.out):
        print(path)
    return 0
