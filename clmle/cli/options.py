"""Options of the command line, made from the settings' dataclasses."""

from __future__ import annotations

import argparse
import dataclasses
import tomllib
from dataclasses import replace
from typing import Any

from clmle.config import Config, DataConfig, TrainConfig, override
from clmle.errors import InputError
from clmle.files import expanded, from_json

UNSET = argparse.SUPPRESS
LONGEST = 20_000  # characters of a config


def add_settings(
    parser: argparse.ArgumentParser, cls: type, title: str, skip: tuple[str, ...] = ()
) -> None:
    """One option for every field of ``cls``, with its help and default."""
    group = parser.add_argument_group(title)
    for f in dataclasses.fields(cls):
        if f.name in skip:
            continue
        default = "automatic" if f.default in ("", None) else f.default
        text = f"{f.metadata.get('help', '')} (default: {default})".replace("%", "%%")
        choices = f.metadata.get("choices") or None
        group.add_argument(
            "--" + f.name.replace("_", "-"),
            default=UNSET,
            metavar=f.name.upper() if choices is None else None,
            choices=choices,
            help=text,
        )


def given(cls: type, values: argparse.Namespace) -> dict[str, Any]:
    """The values of ``cls``'s fields that were given on the command line."""
    names = {f.name for f in dataclasses.fields(cls)}
    return {name: value for name, value in vars(values).items() if name in names}


def read_config(path: str) -> dict[str, Any]:
    """A settings tree from a TOML or JSON file."""
    file = expanded(path)
    try:
        with open(file, encoding="utf-8") as opened:
            text = opened.read(LONGEST + 1)
        if len(text) > LONGEST:  # a long key takes a TOML reader hours
            raise InputError(f"The config {file} is far too long for settings.")
        tree = from_json(text) if file.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise InputError(f"The config {file} cannot be read ({error.strerror}).") from error
    except InputError:
        raise
    except RecursionError as error:
        raise InputError(f"The config {file} is nested far too deep.") from error
    except ValueError as error:
        raise InputError(f"The config {file} is not valid TOML or JSON: {error}.") from error
    if not isinstance(tree, dict):
        raise InputError(f"The config {file} must hold settings, such as [train] iterations = 100.")
    return tree


def merge(base: Config, tree: dict[str, Any]) -> Config:
    """``base`` with the values of a config's tree put in place, each checked."""
    unknown = set(tree) - {"method", "options", "data", "train"}
    if unknown:
        raise InputError(
            f"The config has no part {min(unknown)!r}; its parts are method, options, data, train."
        )
    return replace(
        base,
        options=override(base.options, tree.get("options", {}), base.method),
        data=override(base.data, tree.get("data", {}), "data"),
        train=override(base.train, tree.get("train", {}), "train"),
    )


def from_flags(base: Config, values: argparse.Namespace) -> Config:
    """``base`` with what was given on the command line put in place."""
    return merge(
        base,
        {
            "options": given(type(base.options), values),
            "data": given(DataConfig, values),
            "train": given(TrainConfig, values),
        },
    )
