"""The command line: ``clmle`` or ``python -m clmle``; one command a file in clmle/commands."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

COMMANDS = {
    "data": "show a data set: images, classes, positive rates; render or read it first",
    "train": "train a run, or go on with one",
    "ablate": "run the experiments of a study, or of a grid, in parallel",
    "evaluate": "figures of a trained run",
    "embed": "features of images by a trained run",
    "evaluate_open_set": "verification and identification of unseen people by a trained run",
    "verify": "are two images of one person: figures of features with identity labels",
    "project": "features of a run in two dimensions, by UMAP, t-SNE or PCA",
    "results": "write docs/RESULTS.md and its figures from the results of runs",
    "runs": "list, show, stop or delete runs",
}


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 done, 2 bad input, 130 interrupted, 1 anything unforeseen."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(
        prog="clmle", description="A laboratory for learning from imbalanced classes."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        commands.add_parser(name, help=summary, add_help=False)
    known, rest = parser.parse_known_args(arguments[:1])
    module = import_module(f"clmle.cli.{known.command}")
    plain, warnings.formatwarning = warnings.formatwarning, partial(_worded, warnings.formatwarning)
    try:
        return _guarded(module.main, [*rest, *arguments[1:]])
    finally:
        warnings.formatwarning = plain


def _worded(
    plain: Callable[..., str], message: Warning | str, kind: type[Warning], file: str, *more: Any
) -> str:
    """A warning of this package as its sentence alone; those of others as Python words them."""
    if kind is UserWarning and Path(file).is_relative_to(Path(__file__).parent):
        return f"clmle: {message}\n"
    return plain(message, kind, file, *more)


def _guarded(command: Callable[[list[str]], int | None], arguments: list[str]) -> int:
    """The command's exit code; errors as one sentence on stderr."""
    from clmle.errors import InputError

    try:
        return command(arguments) or 0
    except InputError as error:
        print(f"clmle: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("clmle: interrupted.", file=sys.stderr)
        return 130
    except OSError as error:
        from clmle.files import as_sentence

        print(f"clmle: {as_sentence(error, error.filename or 'a file')}", file=sys.stderr)
        return 2
    except Exception as error:
        if os.environ.get("CLMLE_DEBUG"):
            raise
        with tempfile.NamedTemporaryFile("w", suffix=".txt", prefix="clmle-", delete=False) as log:
            traceback.print_exc(file=log)
        print(
            f"clmle: something unforeseen happened ({type(error).__name__}: {error}); "
            f"details are in {log.name}.",
            file=sys.stderr,
        )
        return 1


if __name__ == "__main__":
    sys.exit(main())
