"""Small pieces of English that messages, captions and reports share."""

from collections.abc import Iterable


def counted(n: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 seed", "5 seeds"."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def words(text: str) -> list[str]:
    """The words between commas, each once."""
    return list(dict.fromkeys(word.strip() for word in text.split(",") if word.strip()))


def listed(names: Iterable[object]) -> str:
    """Names as "a, b and c"; "" if there are none."""
    *first, last = [str(n) for n in names] or [""]
    return f"{', '.join(first)} and {last}" if first else last
