"""``clmle project``: the stored features of a run in two dimensions, kept in its folder."""

from __future__ import annotations

import argparse
from pathlib import Path


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="clmle project", description=__doc__)
    parser.add_argument("run", help="name of a run, or its folder")
    parser.add_argument("--by", default="umap", choices=("umap", "tsne", "pca"))
    parser.add_argument("--runs-dir", help="folder of run folders (default: ./runs)")
    values = parser.parse_args(arguments)

    from clmle.files import runs_dir
    from clmle.projection import project_run, projection_path
    from clmle.run_folder import open_run

    folder = Path(values.run)
    if folder.is_dir():
        run = open_run(folder.parent, folder.name)
    else:
        run = open_run(values.runs_dir or runs_dir(), values.run)
    project_run(run, values.by)
    print(projection_path(run, values.by))
    return 0
