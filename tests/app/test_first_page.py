"""What the first page of a new server waits for, and what it need not wait for."""

import subprocess
import sys
import tomllib
from pathlib import Path

from app.widgets import preload

ROOT = Path(__file__).resolve().parents[2]
SLOW = ("torch", "pandas", "sklearn", "scipy")


def test_the_first_page_loads_none_of_the_heavy_libraries():
    code = (
        "import sys; sys.path.insert(0, '.');"
        "import streamlit.web.bootstrap;"
        "import app.widgets.uploads, app.widgets.preload, app.widgets.error_display, app.widgets.live_curves;"
        "from app.widgets.runs import all_runs; all_runs();"
        f"print([name for name in {SLOW} if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert said.stdout.strip() == "[]", said.stderr


def test_they_are_loaded_behind_it(monkeypatch):
    loaded = []
    monkeypatch.setattr(preload, "import_module", loaded.append)
    monkeypatch.setattr(preload, "BREATH", 0)
    monkeypatch.setattr(preload, "DRAWN", 0)
    monkeypatch.setattr(preload.gc, "freeze", lambda: loaded.append("frozen"))
    preload._load()
    assert loaded == [*preload.LIBRARIES, "frozen"]


def test_no_page_ends_with_a_collection_of_everything():
    options = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert options["runner"]["postScriptGC"] is False
