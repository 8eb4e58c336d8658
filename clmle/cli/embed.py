"""``clmle embed``: 2-D projection of the stored features of a run."""

from clmle.cli.parser import CommandParser, add_run, opened
from clmle.projection import project_run, projection_path

MOVED = "an option of clmle features, which writes features of images to a file"


def main(arguments: list[str]) -> int:
    """Run ``clmle embed``."""
    parser = CommandParser(
        "embed",
        "Project the stored features of a run, round by round, to two dimensions. The points are\n"
        "stored in the run folder; the path of the file is printed.",
        ["embed RUN", "embed RUN --method tsne"],
        old_options={"--by": "--method", "--out": MOVED, "--split": MOVED, "--images": MOVED},
    )
    add_run(parser)
    parser.add_argument(
        "--method", default="umap", choices=("umap", "tsne", "pca"), help="(default: umap)"
    )
    values = parser.parse(arguments)
    run = opened(values.run, values.runs_dir)
    project_run(run, values.method)
    print(projection_path(run, values.method))
    return 0
