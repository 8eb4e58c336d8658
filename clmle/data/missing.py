"""One definition of an unknown value in tables and lists of labels."""

from collections.abc import Sequence

import numpy as np

# As pandas, NumPy, R and Excel write missing values.
MISSING = {
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "1.#IND", "1.#QNAN", "NA", "None",
    "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!", "?", ".", "-", "--",
}  # fmt: skip
ANY_CASE = {
    "nan", "-nan", "null", "n/a", "n.a.", "#n/a", "nat", "<na>", "<nan>", "<null>", "<none>",
    "(null)", "(blank)", "(empty)", "[null]", "\\n", "#n/d", "#nv", "#zahl!", "#valeur!",
}  # fmt: skip
# Unknown next to the two values of an attribute; a separate class next to others.
UNSURE = {
    "uncertain", "unsure", "unclear", "unknown", "unk", "u", "undetermined", "undefined",
    "indeterminate", "equivocal", "ambiguous", "maybe", "not sure", "none", "none.", "na", "nil",
    "missing", "not available", "not applicable", "not specified", "unspecified", "not known", "[]",
}  # fmt: skip
CODES = {"-9", "-99", "-999", "-9999", "9", "99", "999", "9999"}  # of missing values, in surveys


def is_missing(text: str) -> bool:
    """Whether a value of a table is empty or a word for a missing value."""
    text = text.strip()
    return text in MISSING or text.lower() in ANY_CASE


def known_labels(labels: Sequence[str]) -> np.ndarray:
    """Whether each label (n,) is known: no word for a missing value and no negative number."""
    return np.array([_is_known(label) for label in labels], dtype=bool)


def _is_known(text: str) -> bool:
    if is_missing(text):
        return False
    try:
        return 0 <= float(text) < float("inf")
    except ValueError:
        return True
