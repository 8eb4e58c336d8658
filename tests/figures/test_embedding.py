"""Figures of projected features show every point once, in every frame, on fixed axes."""

import numpy as np
import pytest

from clmle import figures
from clmle.errors import InputError
from clmle.figures import OWN, embedding_map
from clmle.projection import place

GROUPS = ["digit 10", "digit 2", "digit 2", "digit 10", "test image"]


def frames(n=3):
    generator = np.random.default_rng(0)
    return {str(i): generator.normal(scale=1 + i, size=(len(GROUPS), 2)) for i in range(n)}


def positions(traces):
    return sorted((x, y) for trace in traces for x, y in zip(trace.x, trace.y, strict=True))


def test_every_frame_holds_every_point_in_the_color_of_its_group():
    given = frames()
    figure = figures.embedding_frames(given, GROUPS, "t")
    assert [trace.name for trace in figure.data] == ["digit 2", "digit 10", "test image"]
    assert [frame.name for frame in figure.frames] == list(given)
    assert positions(figure.data) == sorted(map(tuple, given["0"].tolist()))
    for frame in figure.frames:
        assert positions(frame.data) == sorted(map(tuple, given[frame.name].tolist()))
        twos = given[frame.name][1:3].tolist()
        assert list(map(list, zip(frame.data[0].x, frame.data[0].y, strict=True))) == twos


def test_the_axes_contain_the_points_of_all_frames():
    given = frames()
    figure = figures.embedding_frames(given, GROUPS, "t")
    points = np.concatenate(list(given.values()))
    for axis, values in ((figure.layout.xaxis, points[:, 0]), (figure.layout.yaxis, points[:, 1])):
        low, high = axis.range
        assert low < values.min() <= values.max() < high


def test_slider_and_buttons_reach_every_frame():
    figure = figures.embedding_frames(frames(), GROUPS, "t", prefix="round ")
    (slider,) = figure.layout.sliders
    assert [step.args[0][0] for step in slider.steps] == ["0", "1", "2"]
    assert slider.currentvalue.prefix == "round "
    assert [button.label for button in figure.layout.updatemenus[0].buttons] == ["Play", "Pause"]


@pytest.mark.parametrize("wrong", [{}, {"0": np.zeros((4, 2))}, {"0": np.zeros((5, 3))}])
def test_frames_of_the_wrong_shape_are_refused(wrong):
    with pytest.raises(InputError, match="frame"):
        figures.embedding_frames(wrong, GROUPS, "t")


def test_a_copy_of_an_image_is_placed_at_the_median_of_its_neighbors():
    rng = np.random.default_rng(0)
    centers = np.eye(3, 8)
    kind = np.repeat([0, 1, 2], 40)
    features = centers[kind] + 0.1 * rng.normal(size=(120, 8))
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    points = np.array([[0, 0], [10, 0], [0, 10]])[kind] + rng.normal(size=(120, 2))
    others = features[[3, 50, 110]]
    got = place(points, features, others, 10)
    for row, where in zip(others, got, strict=True):
        nearest = sorted(range(120), key=lambda i: -float(row @ features[i]))[:10]
        np.testing.assert_allclose(where, np.median(points[nearest], axis=0), rtol=1e-6)
    np.testing.assert_allclose(got, [[0, 0], [10, 0], [0, 10]], atol=1.5)


@pytest.mark.parametrize("numbers", [False, True])
def test_uploaded_images_are_stars_above_all_other_points(numbers):
    points = np.arange(12.0).reshape(6, 2)
    groups = ["a", "b", OWN, "a", "b", OWN]
    figure = embedding_map(points, "t", groups=groups, values=range(6) if numbers else ())
    star = figure.data[-1]
    assert star.name == OWN
    assert star.marker.symbol == "star"
    assert list(star.customdata) == [2, 5]
    rows = sorted(int(r) for trace in figure.data for r in trace.customdata)
    assert rows == list(range(6))  # every point is drawn once


def test_a_class_has_the_color_of_its_index_whichever_groups_there_are():
    """The same as in the playground: class 0 is the majority."""
    from clmle.figures.theme import color

    classes = ["not Bald", "Bald"]
    points = np.zeros((4, 2))

    def inks(groups, names=classes):
        figure = embedding_map(points[: len(groups)], "t", groups=groups, classes=names)
        return {trace.name: trace.marker.color for trace in figure.data}

    both = {"not Bald": color(0), "Bald": color(1)}
    assert inks(["Bald", "not Bald"]) == both
    assert inks(["Bald", "Bald"]) == {"Bald": color(1)}
    parts = inks(["Bald, correct", "Bald, predicted as not Bald", "not Bald, correct"])
    assert parts["Bald, correct"] == parts["Bald, predicted as not Bald"] == color(1)
    assert parts["not Bald, correct"] == color(0)
    digits = [str(i) for i in range(10)]
    assert inks(["7", "9"], digits) == {"7": color(7), "9": color(9)}


def test_parts_of_a_class_differ_in_symbol():
    groups = ["1, correct", "1, predicted as 0", "0, correct"]
    figure = embedding_map(np.zeros((3, 2)), "t", groups=groups, classes=["0", "1"])
    looks = {(trace.marker.color, trace.marker.symbol) for trace in figure.data}
    assert len(looks) == 3
