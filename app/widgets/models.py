"""Trained networks, loaded once for all pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from clmle.run_folder import RunFolder


def model_of(run: RunFolder) -> Any:
    """The model of a run's best round so far."""
    return _model(str(run.path), run.model_path.stat().st_mtime)


@st.cache_resource(max_entries=4, show_spinner="Loading the network")
def _model(path: str, changed: float) -> Any:
    from clmle.training import load_model

    return load_model(RunFolder(Path(path)))
