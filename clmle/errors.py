"""Errors that are sentences for the person who caused them."""

from collections.abc import Iterable


class InputError(ValueError):
    """Something that a person gave cannot be used.

    The message is one sentence that says what is wrong, where, and what to do.
    The command line prints it and exits with code 2; the app shows it in place.
    """


LONGEST = 40  # characters of a file's words that an error repeats


def shown(word: object) -> str:
    """A word of a file as an error repeats it: of a damaged or hostile one it may be anything."""
    plain = "".join(c if c.isprintable() else "?" for c in str(word)[: LONGEST + 1])
    return plain if len(plain) <= LONGEST else f"{plain[:LONGEST]}..."


def quoted(value: object) -> str:
    """A value as an error repeats it, however deep or long."""
    try:
        text = repr(value)
    except (RecursionError, ValueError):  # nested too deep; a number of too many digits
        return f"too large a {type(value).__name__} to show"
    return text if len(text) <= 200 else f"{text[:200]}..."


def some(names: Iterable[object], most: int = 50) -> str:
    """Names with commas between, the first of them where they are very many."""
    words = list(map(str, names))
    more = f" and {len(words) - most:,} more" if len(words) > most else ""
    return ", ".join(words[:most]) + more
