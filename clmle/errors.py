"""Errors that the user can correct, and the words of their messages."""

from collections.abc import Iterable


class InputError(ValueError):
    """An input (file, option, array) cannot be used.

    The message is one sentence: what is wrong, where, and what to do. The command line prints it
    and exits with code 2; the app shows it in place.

    Examples
    --------
    >>> from clmle.data import load_dataset
    >>> try:
    ...     load_dataset("digits", colour="red")
    ... except InputError as error:
    ...     print(error)
    digits has no option 'colour'; it has: ratio, kind, image_size, seed.
    """


MAX_WORD = 40  # characters of a word from a file that a message repeats


def shown(word: object) -> str:
    """A word from a file for a message, shortened and without unprintable characters."""
    plain = "".join(c if c.isprintable() else "?" for c in str(word)[: MAX_WORD + 1])
    return plain if len(plain) <= MAX_WORD else f"{plain[:MAX_WORD]}..."


def quoted(value: object) -> str:
    """The representation of a value for a message, shortened."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deep; a number of too many digits
        return f"too large a {type(value).__name__} to show"
    return text if len(text) <= 200 else f"{text[:200]}..."


def some(names: Iterable[object], most: int = 50) -> str:
    """Names separated by commas; the first ``most`` if there are more."""
    words = list(map(str, names))
    more = f" and {len(words) - most:,} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more
