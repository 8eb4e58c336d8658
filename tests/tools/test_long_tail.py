"""CIFAR-10-LT with ResNet-32: results next to published ones of a longer training."""

from tests.tools.results_folder import folder, pages, trial

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
    figure = made.figures["resnet32-curves.svg"]
    assert {"clmle", "softmax", "balanced-softmax"} <= {t.name for t in figure.data}
    (line,) = figure.layout.shapes
    assert line.y0 == line.y1 == 0.7036
