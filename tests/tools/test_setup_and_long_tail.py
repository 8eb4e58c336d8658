"""Facts of the data on a page, and CIFAR-10-LT with ResNet-32 next to published results."""

import pytest

from tests.tools.test_report import folder, pages, trial

__all__ = ["folder"]  # a fixture


def test_published_accuracies_stand_next_to_those_of_a_shorter_training(folder):
    curve = [[97, 60.0, 0.3], [970, 600.0, 0.6]]
    trials = [
        trial(name, "label", s, value, course=curve, dataset="cifar10", counts=(4900, 49))
        for name, value in (("clmle", 0.62), ("softmax", 0.6), ("balanced-softmax", 0.61))
        for s in (0, 1)
    ]
    made = pages(folder(resnet32=trials))["resnet32"]
    text = made.markdown()
    assert "| softmax | 0.600 | 0.704 |" in text
    assert "200 epochs" in text
    assert "| ldam-drw |" not in text  # has no result here
    figure = made.figures["resnet32-curves.svg"]
    assert {"clmle", "softmax", "balanced-softmax"} <= {t.name for t in figure.data}
    (line,) = figure.layout.shapes
    assert line.y0 == line.y1 == 0.7036


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
