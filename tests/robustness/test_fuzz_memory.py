"""Memory layouts of arrays and tensors do not matter; objects without numbers are errors."""

import numpy as np
import pytest
import torch

import clmle
from clmle import InputError, losses
from tests.robustness.public_calls import CALLS, is_sentence, numbers, outcome, unit

# Arrays and tensors of the same numbers in memory layouts that PyTorch or a loop cannot use.
KINDS = {
    "stepped backwards": lambda x: np.ascontiguousarray(x[::-1])[::-1],
    "of another byte order": lambda x: x.astype(x.dtype.newbyteorder()),
    "of more than 64 bits": lambda x: x.astype(np.longdouble),
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
}
ODD_KINDS = {
    "objects": lambda x: x.astype(object),
    "dates": lambda x: np.zeros(x.shape, dtype="M8[s]"),
    "structured": lambda x: np.zeros(x.shape, dtype=[("a", "<f4")]),
    "sparse": lambda x: torch.from_numpy(x).to_sparse(),
    "of no device": lambda x: torch.empty(x.shape, dtype=torch.float32, device="meta"),
    "of 8 bits": lambda x: torch.from_numpy(x).float().to(torch.float8_e4m3fn),
    "nested": lambda x: torch.nested.nested_tensor([torch.zeros(2, 3), torch.zeros(1, 3)]),
    "text": lambda x: "features",
    "a dictionary": lambda x: {"a": 1},
}
OF_ARRAYS = [
    (name, key)
    for name in ("balanced_spherical_kmeans", "nearest_cluster_scores", "clmle_loss",
                 "inverse_frequency_weights", "local_imbalance", "pair_features", "cmc", "auc")
    for key, value in CALLS[name][1].items()
    if isinstance(value, np.ndarray | torch.Tensor)
]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "key"), OF_ARRAYS)
def test_the_memory_layout_does_not_change_the_result(name, key):
    function, arguments = CALLS[name]
    if isinstance(arguments[key], torch.Tensor):
        value = arguments[key]
        kinds = [value.repeat_interleave(2, dim=-1)[..., ::2], value.t().contiguous().t()]
    else:
        kinds = [
            change(arguments[key])
            for how, change in KINDS.items()
            if arguments[key].dtype.kind == "f" or how != "of more than 64 bits"
        ]
    for kind in kinds:
        want = numbers(function(**arguments))
        np.testing.assert_allclose(numbers(function(**arguments | {key: kind})), want, atol=1e-6)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("how", ODD_KINDS)
@pytest.mark.parametrize(("name", "key"), OF_ARRAYS)
def test_objects_without_numbers_are_one_sentence_errors(name, key, how):
    function, arguments = CALLS[name]
    value = arguments[key]
    odd = ODD_KINDS[how](value.numpy() if isinstance(value, torch.Tensor) else value)
    found, trouble = outcome(function, arguments | {key: odd})
    assert trouble is None or is_sentence(trouble), trouble
    assert not np.isnan(found).any()


def test_a_large_class_number_needs_no_memory():
    weights = losses.inverse_frequency_weights(torch.tensor([0, 0, 2**60, 0]))
    torch.testing.assert_close(weights, torch.tensor([2 / 3, 2 / 3, 2.0, 2 / 3]))
    with pytest.raises(InputError, match="without gaps"):
        clmle.nearest_cluster_scores(unit(), unit(2), np.array([0, 10**12]), 1)
