"""What pages know of each run without reading its files again: its row, label and damage."""

import calendar
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import streamlit as st

from clmle import InputError, RunFolder, training

FILES = ("config.json", "status.json", "result.json", "annotation.json")
ACTIVE = ("queued", "running")


def facts_of(run: RunFolder) -> dict[str, Any]:
    """The summary of a run with its ``label`` by method, and ``damage`` where there is some.

    It is read again when one of its files has changed; an active run always, since its process
    may have ended.
    """
    found = _facts(str(run.path), tuple(_changed(run.path / name) for name in FILES))
    return _read(run) if found["state"] in ACTIVE else found


def _changed(file: Path) -> tuple[int, int]:
    try:
        found = file.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_ino  # a file is replaced as a whole


@st.cache_data(max_entries=5_000, show_spinner=False)
def _facts(path: str, changed: tuple[tuple[int, int], ...]) -> dict[str, Any]:
    return _read(RunFolder(Path(path)))


def _read(run: RunFolder) -> dict[str, Any]:
    damage = run.damage()
    row = training.run_summary(run) | {"damage": damage, "began": began(run.name)}
    if not damage:
        config = run.config()
        row |= {"label": method_label(config), "rounds": bool(run.embedding_rounds())}
    return row


def method_label(config: dict[str, Any]) -> str:
    """The method as studies name it: with a calibration that its preset does not have."""
    name: str = config["method"]
    calibration = config["train"].get("calibration", "none")
    with suppress(InputError):  # a method of another version
        preset = training.preset_config("quick", name, config["data"]["dataset"])
        if calibration not in ("none", preset.train.calibration):
            return f"{name} + threshold tuning"
    return name


def began(name: str) -> float | None:
    """Unix time at which a run of this name began (names are in UTC); None for a renamed folder."""
    try:
        return float(calendar.timegm(time.strptime(name[:15], "%Y%m%d-%H%M%S")))
    except ValueError:
        return None
