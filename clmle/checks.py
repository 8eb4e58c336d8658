"""Checks of numbers and arrays at the boundary of the public functions."""

import math
from typing import Any

import numpy as np

from clmle.errors import InputError, quoted


def whole(value: Any, name: str, least: int | None = None) -> int:
    """``value`` as an integer of at least ``least``."""
    x = _number(value)
    if x is None or x != math.floor(x) or (least is not None and x < least):
        bound = "" if least is None else f" of {least} or more"
        raise InputError(f"{name} is {quoted(value)}, but must be a whole number{bound}.")
    return int(value)


def number(value: Any, name: str, *, above: float | None = None) -> float:
    """``value`` as a finite number above ``above``."""
    x = _number(value)
    if x is None or (above is not None and x <= above):
        bound = "" if above is None else f" above {above:g}"
        raise InputError(f"{name} is {quoted(value)}, but must be a finite number{bound}.")
    return x


def seed_number(value: Any) -> int:
    """``value`` as the seed of a random generator."""
    return whole(value, "seed", 0)


def array_of(values: Any, name: str) -> np.ndarray:
    """``values`` as an array of any type."""
    try:
        return np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:
        # Rows of different lengths, a tensor on a GPU or with a gradient.
        why = str(error).split("\n")[0]
        raise InputError(f"{name} must be an array of numbers ({why}).") from error


def numeric(values: Any, name: str) -> np.ndarray:
    """``values`` as an array of real numbers; booleans become 0 and 1."""
    array = array_of(values, name)
    if array.dtype.kind not in "fiub":
        raise InputError(f"{name} must be real numbers, but are of type {array.dtype}.")
    return native(array)


def native(array: np.ndarray) -> np.ndarray:
    """``array`` in a type of PyTorch, which has no other byte orders and no more than 64 bits."""
    kind = np.dtype(np.float64) if array.dtype == np.longdouble else array.dtype.newbyteorder("=")
    return array.astype(kind, copy=False)


def names_of(values: Any, name: str, n: int, what: str) -> np.ndarray:
    """``values`` as an array (n,) of names, one for each of ``n`` things."""
    array = array_of(values, name)
    if array.shape != (n,):
        raise InputError(f"{name} must name one for each of {n:,} {what}, but is {array.shape}.")
    if (array != array).any():
        raise InputError(f"{name} contains NaN; name one for each of {n:,} {what}.")
    return array


def dense(value: Any, name: str) -> None:
    """Raise for anything but a dense tensor with stored values."""
    import torch

    if not isinstance(value, torch.Tensor):
        raise InputError(f"{name} must be a tensor, not {type(value).__name__}.")
    strided = not value.is_nested and value.layout == torch.strided
    if not strided or value.is_quantized or value.is_meta or "float8" in str(value.dtype):
        raise InputError(
            f"{name} must be a dense tensor that holds its numbers; give it as .to_dense() or "
            ".float() makes it."
        )


def _number(value: Any) -> float | None:
    """``value`` as a finite number, or None."""
    if isinstance(value, str | bytes):
        return None
    try:
        x = float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return None
    return x if math.isfinite(x) else None
