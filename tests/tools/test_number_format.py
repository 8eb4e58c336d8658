"""Tables say where their trials differ in number format."""

import pytest

from tools.report.number_format import description, in_bfloat16


def trials(**counts):
    """Summaries by variant: (trials in bfloat16, other trials)."""
    return [
        {"variant": name, "config": {"train": {"precision": precision}}}
        for name, (reduced, others) in counts.items()
        for precision in ["bfloat16"] * reduced + ["auto"] * others
    ]


def test_variants_with_reduced_trials_are_counted():
    assert in_bfloat16(trials(clmle=(0, 5), softmax=(2, 3))) == {"softmax": (2, 5)}


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"clmle": (0, 3), "softmax": (0, 3)}, "the same in all trials"),
        ({"clmle": (0, 5), "softmax": (2, 3)}, "bfloat16 in these trials: 2 of 5 of softmax"),
        ({"clmle": (0, 2)} | {f"m{i}": (1, 1) for i in range(6)}, "6 of 14, none of clmle"),
        ({"clmle": (1, 1)} | {f"m{i}": (1, 1) for i in range(6)}, "7 of 14"),
    ],
)
def test_the_description_names_what_differs(counts, expected):
    assert description(trials(**counts)).endswith(expected)
