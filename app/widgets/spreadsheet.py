"""Tables as text for a spreadsheet, in which no field is a formula."""

from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(frame: Any, sep: str = ",") -> str:
    """A data frame as CSV; a quote marks texts that a spreadsheet would execute as text.

    Names of classes, attributes and files may come from folders of third parties.
    """
    safe = frame.rename(columns=as_text)
    for name in safe.columns[[kind.kind not in "biufcmM" for kind in safe.dtypes]]:
        safe[name] = safe[name].map(as_text)
    text: str = safe.to_csv(index=False, sep=sep)
    return text


def as_text(field: Any) -> Any:
    """A field unchanged, unless it is a text that begins like a formula and is no number."""
    if not isinstance(field, str):
        return field
    line = field.replace("\r", " ")  # without quotes around it would begin a new row
    if not field.startswith(FORMULA):
        return line
    try:
        float(field)
    except ValueError:
        return f"'{line}"
    return line
