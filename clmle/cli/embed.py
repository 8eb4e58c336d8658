"""``clmle embed``: 2-D projection of the stored features of a run."""

from clmle.cli.parser import CommandParser, add_run, opened
from clmle.errors import InputError
from clmle.files import expanded
from clmle.projection import project_run, projection_path

MOVED = "an option of clmle features, which writes features of images to a file"


def main(arguments: list[str]) -> int:
    """Run ``clmle embed``."""
    parser = CommandParser(
        "embed",
        "Project the stored features of a run, round by round, to two dimensions. The points are\n"
        "stored in the run folder; the path of the file is printed. With --to, write a table for\n"
        "the viewer embedding-atlas; the command that opens it is printed.",
        [
            "embed RUN",
            "embed RUN --method tsne",
            "embed RUN --to embedding-atlas --out run.parquet",
        ],
        old_options={"--by": "--method", "--split": MOVED, "--images": MOVED},
    )
    add_run(parser)
    parser.add_argument(
        "--method", default="umap", choices=("umap", "tsne", "pca"), help="(default: umap)"
    )
    parser.add_argument(
        "--to", choices=("embedding-atlas",),
        help="write the best round with predictions, neighbors and thumbnails as a Parquet file "
        "for this viewer",
    )  # fmt: skip
    parser.add_argument("--out", metavar="FILE", help="with --to: file to write (.parquet)")
    values = parser.parse(arguments)
    if bool(values.to) != bool(values.out):
        raise InputError(
            "--to embedding-atlas and --out FILE.parquet belong together; clmle features writes "
            "features alone to a file."
        )
    run = opened(values.run, values.runs_dir)
    if values.to:
        from clmle.training.embedding_atlas import write_embedding_atlas

        print(write_embedding_atlas(run, expanded(values.out), method=values.method))
        return 0
    project_run(run, values.method)
    print(projection_path(run, values.method))
    return 0
