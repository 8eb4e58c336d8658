"""A figure of frames shows every point of every frame, on axes that stay."""

import numpy as np
import pytest

from clmle import figures
from clmle.errors import InputError

GROUPS = ["digit 10", "digit 2", "digit 2", "digit 10", "test image"]


def frames(n=3):
    generator = np.random.default_rng(0)
    return {str(i): generator.normal(scale=1 + i, size=(len(GROUPS), 2)) for i in range(n)}


def places(traces):
    return sorted((x, y) for trace in traces for x, y in zip(trace.x, trace.y, strict=True))


def test_every_frame_holds_every_point_in_the_color_of_its_group():
    given = frames()
    figure = figures.embedding_frames(given, GROUPS, "t")
    assert [trace.name for trace in figure.data] == ["digit 2", "digit 10", "test image"]
    assert [frame.name for frame in figure.frames] == list(given)
    assert places(figure.data) == sorted(map(tuple, given["0"].tolist()))
    for frame in figure.frames:
        assert places(frame.data) == sorted(map(tuple, given[frame.name].tolist()))
        twos = given[frame.name][1:3].tolist()
        assert list(map(list, zip(frame.data[0].x, frame.data[0].y, strict=True))) == twos


def test_axes_hold_the_points_of_all_frames():
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
def test_frames_that_do_not_fit_are_told_in_a_sentence(wrong):
    with pytest.raises(InputError, match="frame"):
        figures.embedding_frames(wrong, GROUPS, "t")
