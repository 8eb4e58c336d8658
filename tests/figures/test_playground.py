"""Figures of the playground show the given frames."""

from functools import lru_cache

import numpy as np
import pytest

from clmle import figures
from clmle.figures.playground import _curves
from clmle.figures.playground_marks import GENUINE, IMPOSTOR, INKS, filled_traces, point_traces
from clmle.playground import (
    PlaygroundProblem,
    PlaygroundRun,
    playground_grid,
    playground_method_names,
    playground_title,
    trajectory,
)


@lru_cache
def trajectories(dim):
    """Two methods on ten steps."""
    kept, trajectory.STEPS = trajectory.STEPS, 10
    try:
        found = {}
        for name in ("softmax", "clmle"):
            run = PlaygroundRun(PlaygroundProblem(ratio=40, modes=2, dim=dim), name, 4)
            found[name] = run.trajectory(list(run.frames()))
        return found
    finally:
        trajectory.STEPS = kept


@pytest.mark.parametrize("dim", [2, 3])
def test_panels_have_a_frame_for_each_recorded_one(dim):
    figure = figures.playground_panels(trajectories(dim), playground_grid(dim), selected=481)
    assert [f.name for f in figure.frames] == ["0", "5", "10"]
    per_panel = figure.layout.meta["per_panel"]
    assert len(figure.data) == 2 * per_panel + 3
    for frame in figure.frames:
        assert len(frame.data) == len(frame.traces) == 2 * per_panel + 1
        kinds = [figure.data[t].type for t in frame.traces]
        assert [t.type for t in frame.data] == kinds
    assert figure.layout.yaxis20.title.text == "balanced accuracy"
    assert len(figure.to_html(include_plotlyjs=False)) > 500


def test_panel_titles_hold_the_metrics_of_the_frame():
    found = trajectories(2)
    spec = figures.playground_spec(found, playground_grid(2))
    for f, frame in enumerate(spec["frames"]):
        for (name, c), note in zip(found.items(), frame["layout"]["annotations"], strict=True):
            assert f"<b>{name}</b>" in note["text"]
            assert f"balanced accuracy {c.balanced_accuracy[f]:.0%}" in note["text"]


def test_points_are_drawn_at_the_angle_of_their_features():
    found = trajectories(2)["clmle"]
    spec = figures.playground_spec({"clmle": found}, playground_grid(2))
    majority, minority = spec["frames"][1]["data"][2:4]
    x = np.concatenate([majority["x"], minority["x"]])
    y = np.concatenate([majority["y"], minority["y"]])
    features = found.frames[1].features
    np.testing.assert_allclose(
        np.exp(1j * np.arctan2(y, x)), features[:, 0] + 1j * features[:, 1], atol=1e-5
    )


def test_every_grid_point_is_drawn_once_in_the_color_of_its_class():
    found = trajectories(2)["softmax"]
    spec = figures.playground_spec({"softmax": found}, playground_grid(2))
    drawn = [len(t["x"]) // 4 for t in spec["frames"][2]["data"][:2]]
    assert drawn == np.bincount(found.frames[2].regions, minlength=2).tolist()


@pytest.mark.parametrize("dim", [2, 3])
def test_lines_join_a_point_to_its_neighbors_and_the_arc_spans_the_margin(dim):
    found, row = trajectories(dim)["clmle"], 484
    spec = figures.playground_spec({"clmle": found}, playground_grid(dim), selected=row)
    last = found.frames[-1]
    lines = spec["layout"]["meta"]["lines"]
    impostors, genuine, arc = spec["frames"][-1]["data"][lines : lines + 3]
    near = last.neighbors[row]
    assert len(impostors["x"]) == 3 * (found.labels[near] == 0).sum()
    assert len(genuine["x"]) == 3 * (found.labels[near] == 1).sum()
    ends = np.stack([arc[k] for k in "xyz"[:dim]], axis=1)[[0, -1]]
    ends /= np.linalg.norm(ends, axis=1, keepdims=True)
    center = last.centroids[last.clusters[row]]
    np.testing.assert_allclose(1 - ends @ center, found.between_margin, atol=1e-5)


def test_the_preview_s_title_counts_the_points():
    found = trajectories(2)["softmax"]
    figure = figures.playground_points(found.frames[0].features, found.labels)
    assert "480 majority, 12 minority" in figure.layout.title.text
    assert [t.name for t in figure.data if t.showlegend is not False] == ["majority", "minority"]


@pytest.mark.parametrize("minority", [1, 12, 480])
def test_filled_paths_coincide_with_single_marks(minority):
    """A thousand nodes to style would take the browser 0.1 s at each change of a slider."""
    rng = np.random.default_rng(minority)
    angle = rng.uniform(0, 2 * np.pi, 480 + minority)
    points = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    labels = rng.permutation(np.repeat([0, 1], [480, minority]))
    dots, edges, diamonds = filled_traces(points, labels)
    for trace, alone in zip((dots, diamonds), point_traces(points, labels), strict=True):
        assert trace["mode"] == "none"  # lines would part the path at each gap
        outline = np.stack([trace["x"], trace["y"]], axis=1).reshape(len(alone["x"]), -1, 2)
        assert np.isnan(outline[:, -1]).all()  # marks are not joined
        np.testing.assert_array_equal(outline[:, 0], outline[:, -2])  # and closed
        middle = outline[:, :-2].mean(axis=1)
        np.testing.assert_allclose(middle, np.stack([alone["x"], alone["y"]], axis=1), atol=1e-6)
        rows = trace["customdata"].reshape(len(alone["x"]), -1)
        np.testing.assert_array_equal(
            rows, np.repeat(alone["customdata"][:, None], rows.shape[1], 1)
        )
    reach = [np.nanmax(np.abs(t["x"][:6] - t["x"][:4].mean())) for t in (edges, diamonds)]
    assert reach[0] > reach[1]  # the edge shows all around


def test_curves_differ_from_each_other_and_from_all_other_colors():
    titles = [playground_title(name) for name in playground_method_names()]
    lines = [
        (t["line"]["color"], t["line"]["dash"])
        for t in _curves({title: trajectories(2)["softmax"] for title in titles})
    ]
    assert len(set(lines)) == len(titles)
    assert len({ink for ink, _ in lines[:5]}) == 5  # the page's five methods
    assert not {ink for ink, _ in lines} & {*INKS, IMPOSTOR, GENUINE}
