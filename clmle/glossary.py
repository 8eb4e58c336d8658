"""The terms of the app and the documentation, from glossary.toml."""

import tomllib
from functools import cache
from importlib.resources import files


@cache
def _terms() -> dict[str, str]:
    text = (files("clmle") / "glossary.toml").read_text(encoding="utf-8")
    found: dict[str, str] = tomllib.loads(text)
    return dict(sorted(found.items(), key=lambda pair: pair[0].casefold()))


def glossary() -> dict[str, str]:
    """Return every term with its definition, in alphabetical order.

    Returns
    -------
    dict of str to str

    Examples
    --------
    >>> from clmle import glossary
    >>> glossary()["imbalance ratio"]
    'Images of the largest class for each image of the smallest one.'
    """
    return dict(_terms())
