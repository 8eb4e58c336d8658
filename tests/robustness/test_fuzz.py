"""Any argument of a public function gives a finite result or a one-sentence InputError."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.robustness.public_calls import CALLS, FUZZ, is_sentence, numbers, outcome


def with_value(value):
    def change(x):
        x = x.astype(np.float32).copy()
        x.flat[len(x.flat) // 2] = value
        return x

    return change


def strided(x):
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]), dtype=x.dtype)
    wide[..., ::2] = x
    return wide[..., ::2]


CHANGES = {
    "unchanged": lambda x: x,
    "NaN": with_value(np.nan),
    "infinite": with_value(np.inf),
    "minus infinite": with_value(-np.inf),
    "huge": with_value(1e38),
    "negative": lambda x: -x if x.dtype != bool else x,
    "zeros": np.zeros_like,
    "a row of zeros": lambda x: np.concatenate([x[:1] * 0, x[1:]]),
    "one value": lambda x: np.ones_like(x),
    "all the same": lambda x: np.repeat(x[:1], len(x), axis=0),
    "one row": lambda x: x[:1],
    "two rows": lambda x: x[:2],
    "a row less": lambda x: x[:-1],
    "a row more": lambda x: np.concatenate([x, x[:1]]),
    "none": lambda x: x[:0],
    "backwards": lambda x: x[::-1].copy(),
    "a view": strided,
    "in another order": np.asfortranarray,
    "half": lambda x: x.astype(np.float16),
    "double": lambda x: x.astype(np.float64),
    "small whole numbers": lambda x: x.astype(np.int8),
    "whole numbers": lambda x: (10 * x).astype(np.int64),
    "bools": lambda x: x > 0,
    "complex": lambda x: x.astype(np.complex64),
    "flat": lambda x: x.reshape(-1),
    "a dimension more": lambda x: x[None],
    "a column more": lambda x: x[..., None],
    "turned": lambda x: x.T.copy(),
    "a number": lambda x: x.flat[0],
    "text": lambda x: np.full(x.shape, "a"),
    "nothing": lambda x: None,
}
ODD = [float("nan"), float("inf"), -1, 0, 1, 2.5, 500, -1e30, "magic", "", [1, 2]]


def changed(value, how):
    if isinstance(value, np.ndarray):
        return CHANGES[how](value)
    array = CHANGES[how](value.numpy())
    try:
        return torch.from_numpy(np.ascontiguousarray(array))
    except TypeError:  # no tensor holds that
        return value


def invalid_values(key, value):
    """Other values for ``value``; in a list, for each element."""
    if key == "names":
        return [[], ["a"], ["a", "a"]]
    return [[odd] for odd in ODD[:8]] if isinstance(value, list) else ODD


@st.composite
def changed_calls(draw, name):
    function, arguments = CALLS[name]
    arguments = dict(arguments)
    arrays = [k for k, v in arguments.items() if isinstance(v, np.ndarray | torch.Tensor)]
    for key in draw(
        st.lists(st.sampled_from(list(arguments)), min_size=1, max_size=2, unique=True)
    ):
        if key in arrays and isinstance(arguments[key], np.ndarray | torch.Tensor):
            arguments[key] = changed(arguments[key], draw(st.sampled_from(list(CHANGES))))
        else:
            arguments[key] = draw(st.sampled_from(invalid_values(key, arguments[key])))
    return function, arguments


@pytest.mark.parametrize("name", CALLS)
def test_valid_arguments_work(name):
    function, arguments = CALLS[name]
    found = np.array(list(numbers(function(**arguments))), dtype=float)
    assert len(found)
    assert not np.isnan(found).any()


@pytest.mark.parametrize("name", CALLS)
def test_invalid_arguments_give_finite_numbers_or_an_input_error(name):
    @FUZZ
    @given(changed_calls(name))
    def check(call):
        function, arguments = call
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            found, trouble = outcome(function, arguments)
            assert trouble is None or is_sentence(trouble), trouble
            # Infinities are valid in Eq. 10; NaN is never valid.
            assert not np.isnan(found).any()

    check()
