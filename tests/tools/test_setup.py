"""The facts of data and seeds on a page of results."""

import pytest

from tests.tools.results_folder import folder, pages, trial

__all__ = ["folder"]  # a fixture


@pytest.mark.parametrize(
    ("dataset", "split", "words"),
    [("digits", -1, "each with its own"), ("digits", 0, "all with the same"),
     ("cifar10", -1, "all with the same"), ("cifar10-features", -1, "all with the same"),
     ("expression-features", -1, "each with its own")],
)  # fmt: skip
def test_seeds_have_own_test_images_where_the_data_have_no_test_split(
    folder, dataset, split, words
):
    trials = [
        trial(n, "label", s, 0.6, dataset=dataset) for n in ("clmle", "softmax") for s in (0, 1)
    ]
    for one in trials:
        one["config"]["data"]["split"] = split
    assert (
        f"2 (0 and 1), {words} test images" in pages(folder(resnet32=trials))["resnet32"].markdown()
    )
