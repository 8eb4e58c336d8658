"""Duration of the script of each page with many runs on disk, without a browser."""

from __future__ import annotations

import os
import tempfile
import time
from statistics import median

from bench.app.server import APP, PAGES
from bench.app.stored_runs import fake_runs
from bench.comparison import Comparison, Rows


def run(quick: bool = False) -> Rows:
    """Seconds and CPU seconds of each page with 50 runs: the first opening, the median of 5."""
    from streamlit.testing.v1 import AppTest

    rows = []
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CLMLE_RUNS"] = folder
        try:
            fake_runs(folder, 10 if quick else 50)
            for name in PAGES:
                times = []
                for _ in range(6):
                    app = AppTest.from_file(str(APP), default_timeout=120)
                    app.switch_page(f"views/{name}.py")
                    wall, cpu = time.perf_counter(), time.process_time()
                    app.run()
                    times.append((time.perf_counter() - wall, time.process_time() - cpu))
                    assert not app.exception, name
                walls, cpus = zip(*times[1:], strict=True)
                rows.append(
                    {
                        "page": name,
                        "first opening s": f"{times[0][0]:.2f}",
                        "later s": f"{median(walls):.2f}",
                        "later CPU s": f"{median(cpus):.2f}",
                    }
                )
        finally:
            os.environ.clear()
            os.environ.update(before)
    return rows


COMPARISON = Comparison(
    "pages",
    "Scripts of the pages, 50 runs on disk",
    run,
    "The complete script of a page, without a browser: the first opening, which reads the files "
    "and draws the figures, and the median of five later ones, which use the caches.",
    lambda tables, limits: (
        "Python on one core bounds the pages: it builds figures and tables and reads small files."
    ),
)
