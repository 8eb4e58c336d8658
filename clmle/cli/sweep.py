"""``clmle sweep``: run the trials of a free grid of methods and options."""

from clmle.cli.ablate import add_grid_options, run_request
from clmle.cli.parser import CommandParser


def main(arguments: list[str]) -> int:
    """Run ``clmle sweep``."""
    return run_request("grid", make_parser().parse(arguments))


def make_parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(
        "sweep",
        "Train a grid of methods, options, attributes and seeds in parallel and print a table.\n"
        "Trials that have a result are not run again: repeat the command to resume.",
        [
            "sweep --methods clmle,oversampling --attributes Bald --seeds 0,1,2",
            "sweep --methods clmle --set options.scale=4,8 --set train.learning_rate=0.02,0.05",
        ],
        "[options]",
    )
    add_grid_options(parser, "grid")
    return parser
