"""Execute a notebook in a new kernel, an empty folder, and separate folders of runs and caches."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from notebooks.lessons import HERE

TIMEOUT = 600  # seconds for one cell, on a busy machine


def execute(path: Path, folder: Path) -> NotebookNode:
    """The notebook at ``path`` with its outputs; the file itself is not changed.

    It runs in ``folder`` / "work", which must not exist; runs and rendered faces go to other
    folders of ``folder``. One thread, so that parallel executions give equal results.

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
