"""The parser of a command, with options made from the config's dataclasses."""

import argparse
import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from clmle import renamed
from clmle.config import PARTS, Config, changed
from clmle.errors import InputError
from clmle.files import expanded, from_json, runs_dir
from clmle.run_folder import RunFolder, open_run

MOST_CHARACTERS = 20_000  # of a config file


class CommandParser(argparse.ArgumentParser):
    """Parser of one command: ``--help`` lists the options that matter, ``--help-all`` all."""

    def __init__(
        self,
        command: str,
        description: str,
        examples: Sequence[str],
        usage: str = "RUN [options]",
        old_options: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(
            prog=f"clmle {command}",
            usage=f"clmle {command} {usage}",
            description=description,
            epilog="\n".join(["examples:", *(f"  clmle {example}" for example in examples)]),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            add_help=False,
        )
        self.old_options = old_options or {}
        self.full_help: dict[argparse.Action, str] = {}
        self.add_argument("-h", "--help", action="help", help="show this help and exit")

    def add_config(self, cls: type, title: str, skip: Sequence[str] = ()) -> None:
        """Add an option for every field of a dataclass, under the heading of the field's group."""
        if not self.full_help:
            self.add_argument("--help-all", action=_HelpAll, nargs=0, help="show all options")
        headings: dict[str, Any] = {}
        for field in dataclasses.fields(cls):
            if field.name in skip:
                continue
            name, choices = field.metadata.get("group", ""), field.metadata.get("choices", ())
            if name not in headings:
                headings[name] = self.add_argument_group(f"{title}: {name}" if name else title)
            text = field.metadata.get("help", "").replace("%", "%%")
            if field.default not in ("", None):
                text += f" (default: {field.default})"
            action = headings[name].add_argument(
                "--" + field.name.replace("_", "-"),
                default=argparse.SUPPRESS,
                metavar=f"{{{','.join(map(str, choices))}}}" if choices else "VALUE",
                help=argparse.SUPPRESS if field.metadata.get("expert") else text,
            )
            self.full_help[action] = text

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse the arguments; an unknown, old or invalid one raises an InputError."""
        for word in arguments:
            option = word.partition("=")[0]
            if word == "--":
                break
            if option.startswith("--") and option not in self._option_string_actions:
                raise InputError(self._unknown(option))
        return super().parse_args(arguments)

    def _unknown(self, option: str) -> str:
        new = self.old_options.get(option) or renamed.option(option)
        if new:
            return f"The option {option} is now {new}."
        near = get_close_matches(option, self._option_string_actions, 1)
        hint = f"did you mean {near[0]}? " if near else ""
        where = "--help-all" if self.full_help else "--help"
        return f"{self.prog} has no option {option}; {hint}{self.prog} {where} lists its options."

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{self.prog}: {message}; {self.prog} --help explains its arguments.")


class _HelpAll(argparse.Action):
    """Print the help with all options, those for experts included."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        assert isinstance(parser, CommandParser)
        for action, text in parser.full_help.items():
            action.help = text
        parser.print_help()
        parser.exit()


def add_run(parser: CommandParser, **keywords: Any) -> None:
    """Add the argument RUN and the option ``--runs-dir``."""
    parser.add_argument("run", metavar="RUN", help="name of a run, or its folder", **keywords)
    add_runs_dir(parser)


def add_runs_dir(parser: CommandParser) -> None:
    """Add the option ``--runs-dir``."""
    parser.add_argument(
        "--runs-dir", metavar="FOLDER", help="folder of run folders (default: ./runs)"
    )


def opened(name: str, root: str | None) -> RunFolder:
    """Open a run by its name under ``root``, or by the path of its folder."""
    folder = Path(name)
    if folder.name != name and folder.is_dir():
        return open_run(folder.resolve().parent, folder.resolve().name)
    return open_run(root or runs_dir(), name)


def read_config(path: str) -> dict[str, Any]:
    """Read a config tree from a TOML or JSON file."""
    file = expanded(path)
    try:
        with open(file, encoding="utf-8") as opened_file:
            text = opened_file.read(MOST_CHARACTERS + 1)
        if len(text) > MOST_CHARACTERS:  # a long key takes a TOML reader hours
            raise InputError(
                f"The config file {file} is longer than {MOST_CHARACTERS:,} characters; shorten it."
            )
        tree = from_json(text) if file.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise InputError(f"The config file {file} cannot be read ({error.strerror}).") from error
    except InputError:
        raise
    except RecursionError as error:
        raise InputError(f"The config file {file} is nested too deep.") from error
    except ValueError as error:
        raise InputError(f"The config file {file} is not valid TOML or JSON: {error}.") from error
    if not isinstance(tree, dict):
        raise InputError(
            f"The config file {file} must hold options by name, such as [train] iterations = 100."
        )
    return tree


def merge(base: Config, tree: Mapping[str, Any]) -> Config:
    """Return ``base`` with the values of a config tree, each checked."""
    unknown = set(tree) - {"method", *PARTS}
    if unknown:
        raise InputError(
            f"The config has no part {min(unknown)!r}; its parts are method, options, data, train."
        )
    return changed(base, tree)


def from_options(base: Config, values: argparse.Namespace) -> Config:
    """Return ``base`` with the options that were given on the command line."""
    tree = {}
    for part in PARTS:
        names = {field.name for field in dataclasses.fields(getattr(base, part))}
        tree[part] = {n: v for n, v in vars(values).items() if n in names and v is not None}
    return changed(base, tree)
