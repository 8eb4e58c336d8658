"""The command line: ``clmle`` or ``python -m clmle``; one file per command in clmle/cli."""

import io
import os
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

COMMANDS = {
    "train": "train a run, or resume one",
    "evaluate": "metrics of a trained run; with --open-set for unseen identities",
    "evaluate-features": "verification and identification metrics of features with identity labels",
    "ablate": "run the trials of a named study in parallel",
    "sweep": "run a free grid of methods and options in parallel",
    "embed": "2-D projection of the features of a run by UMAP, t-SNE or PCA",
    "features": "write the features of images by a trained run to a file",
    "predict": "predict the classes of images or features, to a table",
    "export": "write a trained model as a folder to share, or for ONNX Runtime or PyTorch",
    "data": "prepare a data set and count its classes",
    "runs": "list, show, name, tag, stop, delete or restore runs",
    "app": "start the Streamlit app in a browser",
}


EXTRAS = {  # that install the packages which only some commands import
    "pandas": "features", "pyarrow": "features", "h5py": "features", "plotly": "app",
    "umap": "app", "openTSNE": "app", "dicebear": "app", "resvg_py": "app",
}  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns 0 (done), 2 (invalid input), 130 (interrupted) or 1 (other)."""
    from clmle._spin import SHORT_SPIN

    os.environ.update(SHORT_SPIN | os.environ)
    arguments = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a console may lack letters of a class name
            stream.reconfigure(errors="backslashreplace")
    standard = warnings.formatwarning
    warnings.formatwarning = partial(_format_warning, standard)
    try:
        return _guarded(arguments)
    finally:
        warnings.formatwarning = standard


def command_module(command: str) -> ModuleType:
    """Return the module of a command; its ``main`` takes the command's arguments."""
    return import_module(f"clmle.cli.{command.replace('-', '_')}")


def _run(arguments: list[str]) -> int | None:
    first = arguments[0] if arguments else "--help"
    if first in COMMANDS:
        found: int | None = command_module(first).main(arguments[1:])
        return found
    if first in ("-h", "--help"):
        print(_usage())
        return 0
    if first == "--version":
        from clmle import __version__

        print(f"clmle {__version__}")
        return 0
    from clmle import renamed
    from clmle.errors import InputError

    if first in renamed.COMMANDS:
        raise InputError(f"The command clmle {first} is now {renamed.COMMANDS[first]}.")
    raise InputError(f"There is no command {first!r}; clmle --help lists the commands.")


def _usage() -> str:
    width = max(map(len, COMMANDS))
    return "\n".join([
        "usage: clmle COMMAND [options]", "",
        "A laboratory for learning from imbalanced classes.", "",
        "commands:",
        *(f"  {name.ljust(width)}  {summary}" for name, summary in COMMANDS.items()), "",
        "clmle COMMAND --help explains a command; clmle --version prints the version.", "",
        "examples:",
        "  clmle train digits --method clmle",
        "  clmle runs",
        "  clmle app",
    ])  # fmt: skip


def _format_warning(
    standard: Callable[..., str], message: Warning | str, kind: type[Warning], file: str, *more: Any
) -> str:
    """Format a warning of this package as its sentence alone, other warnings as Python does."""
    if kind is UserWarning and Path(file).is_relative_to(Path(__file__).parent):
        return f"clmle: {message}\n"
    return standard(message, kind, file, *more)


def _guarded(arguments: list[str]) -> int:
    """Return the exit code of a command; an error is printed as one sentence on stderr."""
    from clmle.errors import InputError

    try:
        return _run(arguments) or 0
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
        extra = EXTRAS.get((getattr(error, "name", None) or "").partition(".")[0])
        if isinstance(error, ModuleNotFoundError) and extra:
            print(
                f"clmle: This needs the package {error.name}, which is missing: "
                f"pip install 'clmle[{extra}]'",
                file=sys.stderr,
            )
            return 2
        if os.environ.get("CLMLE_DEBUG"):
            raise
        with tempfile.NamedTemporaryFile("w", suffix=".txt", prefix="clmle-", delete=False) as log:
            traceback.print_exc(file=log)
        print(
            f"clmle: unexpected error ({type(error).__name__}: {error}); "
            f"the traceback is in {log.name}.",
            file=sys.stderr,
        )
        return 1


if __name__ == "__main__":
    sys.exit(main())
