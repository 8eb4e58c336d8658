"""Labels in a NumPy array as text, as they stand in a table."""

import numpy as np

from clmle.errors import InputError


def array_texts(values: np.ndarray, where: str) -> list[str]:
    """Numbers, words or times (n,) as text, missing ones empty; ``where`` begins an error."""
    if values.dtype.kind not in "biufUSMm":
        raise InputError(f"{where} are of type {values.dtype}; store numbers or text.")
    if values.dtype.kind == "S":
        try:
            values = np.char.decode(values, "utf-8")
        except UnicodeDecodeError as error:
            raise InputError(
                f"{where} are bytes that are not UTF-8; store them as text (type U of NumPy)."
            ) from error
    return ["" if value != value else str(value) for value in values.tolist()]
