"""Execute notebooks and write their pages: python -m notebooks FOLDER [NOTEBOOK ...].

With ``store`` in place of FOLDER the outputs are written into the notebooks instead.
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

from nbclient.exceptions import CellExecutionError

from clmle.errors import InputError
from notebooks.execution import execute
from notebooks.lessons import LESSONS, path_of
from notebooks.pages import write_pages
from notebooks.stored import store


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m notebooks", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder for Markdown and figures; or: store")
    parser.add_argument(
        "lessons", nargs="*", metavar="NOTEBOOK", help=f"any of {', '.join(LESSONS)}"
    )
    arguments = parser.parse_args()
    for lesson in arguments.lessons:
        if lesson not in LESSONS:
            parser.error(f"there is no notebook {lesson!r}; choose one of {', '.join(LESSONS)}")
    executed = {}
    for lesson in arguments.lessons or LESSONS:
        began, used = time.monotonic(), _seconds_of_kernels()
        with tempfile.TemporaryDirectory() as folder:
            try:
                executed[lesson] = execute(path_of(lesson), Path(folder))
            except CellExecutionError as error:
                print(f"{lesson} failed: {error}", file=sys.stderr)
                return 1
        print(f"{lesson}: {time.monotonic() - began:.0f} s", flush=True)
        if str(arguments.folder) == "store":
            store(path_of(lesson), executed.pop(lesson), _seconds_of_kernels() - used)
    if str(arguments.folder) == "store":
        return 0
    try:
        for path in write_pages(executed, arguments.folder):
            print(path)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _seconds_of_kernels() -> float:
    """Seconds of a core that ended processes have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
