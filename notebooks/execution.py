"""Run a notebook from clean: a fresh kernel, an empty folder, runs and caches of its own."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from notebooks.lessons import HERE

TIMEOUT = 600  # seconds of one cell, on a machine that has much else to do


def execute(path: Path, folder: Path) -> NotebookNode:
    """The notebook at ``path`` with its outputs; the file itself stays as it is.

    It runs in ``folder`` / "work", which must not be there yet; runs and rendered faces lie
    beside it. One thread, so that several may run at a time and give the same figures.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        A cell failed; the message holds it and its traceback.
    """
    notebook = nbformat.read(path, as_version=4)
    work = folder / "work"
    work.mkdir(parents=True)
    before = os.environ.get("PYTHONPATH", "")
    environment = os.environ | {
        "CLMLE_RUNS": str(folder / "runs"),
        "CLMLE_CACHE": str(folder / "cache"),
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(HERE.parent), before])),
    }
    client = NotebookClient(notebook, timeout=TIMEOUT, resources={"metadata": {"path": str(work)}})
    client.execute(env=environment)
    return notebook
