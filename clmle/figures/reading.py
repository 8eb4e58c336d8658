"""What to look for in a figure: one sentence for each function, from look_for.toml."""

import inspect
import tomllib
from functools import cache, wraps
from importlib.resources import files
from typing import Any

__all__ = ["look_for"]

FIGURE = "plotly.graph_objects.Figure"  # what a function that returns a figure is annotated with


@cache
def sentences() -> dict[str, str]:
    """Sentence by name of the function."""
    text = (files("clmle.figures") / "look_for.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def with_sentence(value: Any) -> Any:
    """A function that returns figures with their sentence; anything else as it is."""
    if not inspect.isfunction(value) or inspect.signature(value).return_annotation != FIGURE:
        return value
    sentence = sentences().get(value.__name__, "")

    @wraps(value)
    def make(*args: Any, **kwargs: Any) -> Any:
        figure = value(*args, **kwargs)
        figure.layout.meta = {**(figure.layout.meta or {}), "look_for": sentence}
        return figure

    return make


def look_for(figure: Any) -> str:
    """Return the sentence on what to look for in a figure; "" for one that is not from here.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure

    Returns
    -------
    str

    Examples
    --------
    >>> from clmle import figures
    >>> figures.look_for(figures.long_tail([2, 50, 4]))
    'Look how soon the curve falls: the classes of the flat tail on the right have few images each.'
    """
    meta = figure.layout.meta
    return str(meta.get("look_for", "")) if isinstance(meta, dict) else ""
