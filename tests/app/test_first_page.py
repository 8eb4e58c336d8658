"""The first page of a new server loads no heavy library."""

import subprocess
import sys
import threading
import tomllib
from pathlib import Path

from app.widgets import preload

ROOT = Path(__file__).resolve().parents[2]
SLOW = ("torch", "pandas", "sklearn", "scipy")


def test_the_first_page_loads_none_of_the_heavy_libraries():
    code = (
        "import sys; sys.path.insert(0, '.');"
        "import streamlit.web.bootstrap;"
        "from app.widgets import browser_playground, demonstration, error_display, live_curves;"
        "from app.widgets import pages, preload, uploads;"
        "from app.widgets.runs import all_runs; all_runs();"
        f"print([name for name in {SLOW} if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert said.stdout.strip() == "[]", said.stderr


def test_heavy_libraries_are_imported_after_the_first_page(monkeypatch):
    loaded = []
    monkeypatch.setattr(preload, "PAUSE", 0)
    monkeypatch.setattr(preload, "FIRST_PAGE", 0)
    preload.load(threading.Event(), loaded.append, lambda: loaded.append("frozen"))
    assert loaded == [*preload.LIBRARIES, "frozen"]


def test_pages_do_not_end_with_a_garbage_collection():
    options = tomllib.loads((ROOT / "app" / ".streamlit" / "config.toml").read_text())
    assert options["runner"]["postScriptGC"] is False
