"""The terms of the app and the documentation, from terms.toml."""

import tomllib
from functools import cache
from importlib.resources import files

__all__ = ["glossary"]


@cache
def _terms() -> dict[str, str]:
    text = (files("clmle.figures") / "terms.toml").read_text(encoding="utf-8")
    found: dict[str, str] = tomllib.loads(text)
    return dict(sorted(found.items(), key=lambda pair: pair[0].casefold()))


def glossary() -> dict[str, str]:
    """Return every term with its definition, in alphabetical order.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> glossary()["imbalance ratio"]
    'Images of the largest class for each image of the smallest one.'
    """
    return dict(_terms())
